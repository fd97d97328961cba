"""The `llmdebug` command: copy a run into an ordinary event file, look for damage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from tb_llmdebug.reading.entries import Entry, Location
from tb_llmdebug.reading.index import Run, Series
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.reading.remote import NoFileSystemError
from tb_llmdebug.reading.roots import is_url, not_a_directory
from tb_llmdebug.version import __version__
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.writing.files import RecordFiles

DAMAGED, WRONG_USE = 1, 2


class CommandError(Exception):
    """The command cannot be carried out; one sentence that says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, 1 where something is damaged, or 2 where it was used wrongly."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except (CommandError, NoFileSystemError) as error:
        print(f"llmdebug: {error}", file=sys.stderr)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"llmdebug: {where}{error.strerror or error}.", file=sys.stderr)
    return WRONG_USE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmdebug", description="Tools for what tb-llmdebug has logged.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    export = commands.add_parser("export", help="copy the records of a run or a log directory")
    export.add_argument("logdir", metavar="RUN_OR_LOGDIR")
    export.add_argument("out", metavar="OUT", help="a directory that does not exist yet, or is empty")
    export.add_argument(
        "--inline",
        action="store_true",
        required=True,
        help="into ordinary TensorBoard event files, which any TensorFlow tool reads",
    )
    export.set_defaults(run=_export)
    check = commands.add_parser("check", help="read every record and print what is damaged")
    check.add_argument("logdir", metavar="LOGDIR")
    check.set_defaults(run=_check)
    return parser


def _export(options: argparse.Namespace) -> int:
    logdir = _opened(options.logdir)
    if is_url(options.out):
        raise CommandError(f"{options.out} is no local directory: export to one and copy it there.")
    if (os.path.isdir(options.out) and os.listdir(options.out)) or os.path.isfile(options.out):
        raise CommandError(f"{options.out} exists already: give a directory that does not.")
    failures, copied = 0, 0
    for run in logdir.index.runs():
        folder = os.path.join(options.out, *_folders(run.name))
        last_start = 0.0
        for start, locations in _by_session(run):
            # The names of event files hold whole seconds; sessions have to stay in order.
            last_start = max(float(int(start)), last_start + 1)
            files = RecordFiles(folder, inline=True, started=last_start)
            for location in locations:
                try:
                    event = logdir.payloads.event(location)
                except DamagedRecordError as error:
                    failures += 1
                    _print(f"{run.name}: a record was left out, because {error}")
                    continue
                files.append(event)
                copied += 1
            files.close()
    _print(f"{copied} records of {len(logdir.runs)} runs were copied to {options.out}.")
    return DAMAGED if failures or logdir.problems else 0


def _check(options: argparse.Namespace) -> int:
    logdir = _opened(options.logdir)
    found = list(logdir.problems)
    records = 0
    for run in logdir.index.runs():
        for series in run.series.values():
            for entry in series.entries:
                records += 1
                try:
                    _read(logdir, series, entry)
                except (DamagedRecordError, ValueError, KeyError) as error:
                    found.append(f"{run.name}: {series.name!r} at step {entry.step}: {error}")
    for problem in found:
        _print(problem)
    _print(f"{records} records, {len(found)} problems.")
    return DAMAGED if found else 0


def _read(logdir: Logdir, series: Series, entry: Entry) -> None:
    """Read one record as the page would; raises what is wrong with it."""
    if series.kind == record_pb2.ATTENTION:
        logdir.stored_attention(series, entry)
    elif series.kind == record_pb2.ATTRIBUTION:
        logdir.stored_attribution(series, entry)
    else:
        logdir.payloads.blobs(entry.location)


def _opened(path: str) -> Logdir:
    missing = not_a_directory(path)
    if missing:
        raise CommandError(missing)
    logdir = Logdir(path)
    if not logdir.runs and not logdir.problems:
        raise CommandError(f"{path} holds nothing that tb-llmdebug has logged.")
    return logdir


def _by_session(run: Run) -> Iterator[tuple[float, list[Location]]]:
    """Yield (start, records in the order of writing) of each session, oldest first."""
    sessions: dict[tuple[float, str], list[Location]] = {}
    for series in run.series.values():
        place = sessions.setdefault((series.session_start, series.session), [])
        place.extend(entry.location for entry in series.entries)
    tokens = list(run.tokens.values())
    for number, ((start, _), locations) in enumerate(sorted(sessions.items())):
        # Tokens are referred to by hash from any session, so they come first.
        yield start, [*(tokens if number == 0 else ()), *sorted(locations, key=_place)]


def _place(location: Location) -> tuple[str, int]:
    return location.source.path, location.offset


def _folders(run: str) -> list[str]:
    """Return the folders of a run's name; nothing in it may lead out of the target."""
    return [part for part in run.split("/") if part not in ("", ".", "..")]


def _print(line: str) -> None:
    print(line.encode("utf-8", "replace").decode())


if __name__ == "__main__":
    sys.exit(main())
