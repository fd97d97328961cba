"""The index: which records a log directory holds, and where."""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tb_llmdebug.reading.scan import FileReplacedError, FileScan, Found
from tb_llmdebug.wire import names, record_pb2

# Browsers keep answers by series and ordinal for ever, and ordinals hold only while the same files are
# followed; another process, and a run whose files changed, deal out other ids.
_PROCESS = secrets.token_hex(8)
KNOWN_KINDS = frozenset(record_pb2.Kind.values())


@dataclass(frozen=True, slots=True)
class Location:
    """Where one event lies."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a series."""

    step: int
    wall_time: float
    head: record_pb2.RecordHead
    location: Location


@dataclass
class Series:
    """All records of one kind and name in one session of a run, in the order they were written."""

    id: str
    run: str
    kind: int
    name: str
    session: str
    session_start: float
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """Something that could not be used."""

    run: str
    file: str
    message: str


@dataclass
class Run:
    """One directory's series and tokens."""

    name: str
    series: dict[tuple[int, str, str], Series] = field(default_factory=dict)
    tokens: dict[bytes, Location] = field(default_factory=dict)
    scans: dict[str, FileScan] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    epoch: int = field(default_factory=itertools.count().__next__)
    """another each time that a run is read anew"""

    def all_series(self) -> list[Series]:
        """Return all series as they are now; the scan may add some at any time."""
        return list(self.series.values())

    def newest_session(self, kind: int, name: str) -> Series | None:
        """Return the series of `kind` and `name` whose session started last."""
        found = [s for s in self.all_series() if s.kind == kind and s.name == name]
        return max(found, key=lambda series: (series.session_start, series.session), default=None)


class Index:
    """Follows the files below one log directory. All methods may be called from any thread.

    Example:
        >>> Index("/nowhere").refresh()
        >>> Index("/nowhere").runs()
        []
    """

    def __init__(self, logdir: str) -> None:
        # Nothing given is nothing to read, not the current directory.
        self.logdir = os.path.abspath(os.path.expanduser(logdir)) if logdir else ""
        self.generation = 0
        """grows whenever a refresh found something new"""
        self._runs: dict[str, Run] = {}
        self._by_id: dict[str, Series] = {}
        self._state = threading.RLock()
        self._refreshing = threading.Lock()

    def refresh(self) -> None:
        """Read what was written since the last refresh."""
        with self._refreshing:
            present = {path: run for run, path in _record_files(self.logdir)}
            self._forget(present)
            for path in sorted(present):
                self._read(present[path], path)
            with self._state:
                self._runs = {name: run for name, run in self._runs.items() if run.scans or run.unreadable}

    def runs(self) -> list[Run]:
        """Return the runs that hold records or problems, sorted by name."""
        with self._state:
            runs = [run for run in self._runs.values() if run.series or run.unreadable]
            return sorted(runs, key=lambda run: run.name)

    def run(self, name: str) -> Run | None:
        """Return one run, or None."""
        with self._state:
            return self._runs.get(name)

    def series(self, series_id: str) -> Series | None:
        """Return the series with that id, or None."""
        with self._state:
            return self._by_id.get(series_id)

    def problems(self) -> list[Problem]:
        """Return what could not be used, run by run."""
        with self._state:
            return [
                Problem(run.name, os.path.basename(path), message)
                for run in sorted(self._runs.values(), key=lambda run: run.name)
                for path, message in _problems(run)
            ]

    def _read(self, name: str, path: str) -> None:
        with self._state:
            run = self._runs.setdefault(name, Run(name))
            scan = run.scans.setdefault(path, FileScan(path))
            known = scan.problems()
        session = names.session_of(os.path.basename(path))
        try:
            for found in scan.advance():
                with self._state:
                    self._add(run, session, Location(path, found.offset, found.length), found)
                    self.generation += 1
            with self._state:
                run.unreadable.pop(path, None)
        except FileReplacedError:
            self._drop_run(name)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else "unknown error"
            with self._state:
                if run.unreadable.get(path) != reason:
                    run.unreadable[path] = reason
                    self.generation += 1
        if scan.problems() != known:
            self.generation += 1

    def _add(self, run: Run, session: names.Session, location: Location, found: Found) -> None:
        if found.head.kind not in KNOWN_KINDS:
            return  # of a later version
        if found.head.kind == record_pb2.TOKENS:
            digest = names.tokens_digest(found.tag)
            if digest is not None:
                run.tokens.setdefault(digest, location)
            return
        key = (found.head.kind, found.tag, session.id)
        series = run.series.get(key)
        if series is None:
            series = Series(_series_id(f"{run.epoch}/{run.name}", *key), run.name, *key[:2], *session)
            run.series[key] = series
            self._by_id[series.id] = series
        series.entries.append(Entry(found.step, found.wall_time, found.head, location))

    def _forget(self, present: dict[str, str]) -> None:
        """Forget runs of which a file is gone: ordinals would no longer hold."""
        with self._state:
            gone = [
                run.name
                for run in self._runs.values()
                if any(present.get(path) != run.name for path in run.scans)
            ]
        for name in gone:
            self._drop_run(name)

    def _drop_run(self, name: str) -> None:
        with self._state:
            run = self._runs.pop(name, None)
            for series in run.all_series() if run else ():
                self._by_id.pop(series.id, None)
            self.generation += 1


def _record_files(logdir: str) -> Iterator[tuple[str, str]]:
    """Yield (run, path) of each file that may hold records; links to directories are not followed."""
    for directory, folders, files in os.walk(logdir):
        folders.sort()
        base = names.run_directory(directory)
        run = os.path.relpath(base, logdir) if len(base) > len(logdir) else "."
        for file in files:
            if names.holds_records(directory, file):
                yield run, os.path.join(directory, file)


def _series_id(run: str, kind: int, name: str, session: str) -> str:
    text = "\0".join((_PROCESS, run, str(kind), name, session))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _problems(run: Run) -> Iterator[tuple[str, str]]:
    for path, reason in run.unreadable.items():
        yield path, f"cannot be read: {reason}."
    for path, scan in run.scans.items():
        for problem in scan.problems():
            yield path, problem
