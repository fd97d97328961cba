"""The index: which records a log directory holds, and where."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator

from tb_llmdebug.reading.cache import ByteBudget
from tb_llmdebug.reading.entries import BlobSource, Entry, Flagged, Location, Source
from tb_llmdebug.reading.files import Files, LocalFiles, reason
from tb_llmdebug.reading.found import Found
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.reading.roots import Root, is_url, roots_of
from tb_llmdebug.reading.runs import Problem, Run, Series
from tb_llmdebug.reading.scan import FileReplacedError, FileScan
from tb_llmdebug.wire import names

__all__ = ["Entry", "Index", "Location", "Problem", "Run", "Series"]

_ATTEMPTS = 3


class Index:
    """Follows the files below some directories. All methods may be called from any thread.

    Args:
        logdir: a directory, or a list of them with the names of their groups.

    Example:
        >>> Index("/nowhere").refresh()
        >>> Index("/nowhere").runs()
        []
    """

    def __init__(self, logdir: str | Iterable[Root], payloads: Payloads | None = None) -> None:
        roots = roots_of(logdir) if isinstance(logdir, str) else list(logdir)
        self._roots = [(root, _files_of(root)) for root in roots]
        self._flagged = Flagged((payloads or Payloads(ByteBudget(0))).content)
        self.generation = 0
        """grows whenever a refresh found something new"""
        self.holds_runs = False
        """whether `runs` returns any; a flag, so that who asks never waits for who reads"""
        self._runs: dict[str, Run] = {}
        self._by_id: dict[str, Series] = {}
        self._unlisted: dict[str, str] = {}
        self._note: Problem | None = None
        self._state = threading.RLock()
        self._refreshing = threading.Lock()

    @property
    def logdir(self) -> str:
        """What is followed, for messages."""
        return ", ".join(files.root for _, files in self._roots)

    def refresh(self) -> None:
        """Read what was written since the last refresh."""
        with self._refreshing:
            present = self._present()
            with self._state:
                known = {name: set(run.scans) for name, run in self._runs.items()}
                # What came from elsewhere stays while the files are out of reach.
                foreign = {name for name, run in self._runs.items() if run.foreign}
                kept = foreign if self._unlisted else set()
            for name in known.keys() - present.keys() - kept:
                self.publish(name, None)
            for name, paths in sorted(present.items()):
                # Ordinals hold only while no file goes: then the run is read anew, and shown as it was
                # until that is done. So is one that came from elsewhere, whose records the files repeat.
                lost = known.get(name, set()) - paths.keys()
                try:
                    if not lost and name not in foreign:
                        run = self._run(name)
                        self._read(run, paths, shown=True)
                        self._join(run)
                        continue
                except FileReplacedError:
                    pass
                self._read_anew(name, paths)

    def runs(self) -> list[Run]:
        """Return the runs that hold records or problems, sorted by name."""
        with self._state:
            return sorted(filter(_is_shown, self._runs.values()), key=lambda run: run.name)

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
            unlisted = [
                Problem("", path, f"cannot be listed: {why}.") for path, why in self._unlisted.items()
            ]
            notes = [self._note] if self._note is not None else []
            return (
                notes
                + unlisted
                + [
                    Problem(run.name, os.path.basename(path), message)
                    for run in sorted(self._runs.values(), key=lambda run: run.name)
                    for path, message in _problems(run)
                ]
            )

    def _present(self) -> dict[str, dict[str, Files]]:
        """Return the files that are there, by run.

        A directory that cannot be listed now is not gone: its files are taken to be there still.
        """
        present: dict[str, dict[str, Files]] = {}
        unlisted: dict[str, str] = {}
        for root, files in self._roots:
            failed: dict[str, str] = {}
            for listed in files.listed(failed.__setitem__):
                present.setdefault(root.run_name(listed.run), {})[listed.path] = files
            for directory, why in failed.items():
                place = os.path.relpath(directory, files.base)
                unlisted["The log directory" if place == "." else place] = why
                for name, path in self._known_below(directory):
                    present.setdefault(name, {})[path] = files
        with self._state:
            if unlisted != self._unlisted:
                self._unlisted = unlisted
                self._changed()
        return present

    def _known_below(self, directory: str) -> list[tuple[str, str]]:
        with self._state:
            return [
                (name, path)
                for name, run in self._runs.items()
                for path in run.scans
                if path.startswith(directory.rstrip(os.sep) + os.sep)
            ]

    def _run(self, name: str) -> Run:
        with self._state:
            return self._runs.setdefault(name, Run(name, self._flagged))

    def _read(self, run: Run, paths: dict[str, Files], shown: bool) -> None:
        for path in sorted(paths):
            self._read_file(run, path, paths[path], shown)

    def _join(self, run: Run) -> None:
        with self._state:
            before = {series.id for series in run.all_series()}
            run.join_workers()
            after = {series.id: series for series in run.all_series()}
            if before != after.keys():
                for series_id in before - after.keys():
                    self._by_id.pop(series_id, None)
                self._by_id.update(after)
                self._changed()

    def _read_anew(self, name: str, paths: dict[str, Files]) -> None:
        """Read a run from the start and only then put it in the place of the old one."""
        for _ in range(_ATTEMPTS):
            run = Run(name, self._flagged)
            try:
                self._read(run, paths, shown=False)
                break
            except FileReplacedError:
                continue  # again; what does not hold still is shown as far as it was read
        run.join_workers()
        self.publish(name, run)

    def is_out_of_reach(self) -> bool:
        """Return whether a directory could not be listed and no run was ever read from files."""
        with self._state:
            return bool(self._unlisted) and all(run.foreign for run in self._runs.values())

    def new_run(self, name: str, foreign: bool) -> Run:
        """Return a run that is not shown yet; `foreign`: not read from files."""
        return Run(name, self._flagged, foreign)

    def note(self, problem: Problem | None) -> None:
        """Show a problem of all runs together, or none any more."""
        with self._state:
            if problem != self._note:
                self._note = problem
                self._changed()

    def add(
        self,
        run: Run,
        records: list[Found],
        session: names.Session,
        source: Source | BlobSource,
        shown: bool,
    ) -> None:
        """Add records to a run, which is already `shown` or will be when it is published."""
        with self._state:
            new = run.add(records, session, source)
            if shown:
                self._by_id.update({series.id: series for series in new})
                self._changed()

    def publish(self, name: str, run: Run | None) -> None:
        """Put a run in the place of the one of that name, or take that one away."""
        with self._state:
            old = self._runs.pop(name, None)
            if old is not None:
                for series in old.all_series():
                    self._by_id.pop(series.id, None)
                old.release()
            if run is not None:
                self._runs[name] = run
                self._by_id.update({series.id: series for series in run.all_series()})
            self._changed()

    def _read_file(self, run: Run, path: str, files: Files, shown: bool) -> None:
        with self._state:
            scan = run.scans.get(path)
            if scan is None:
                scan = run.scans[path] = FileScan(path, files)
            known = scan.problems()
        session = names.session_of(os.path.basename(path))
        try:
            for records in scan.batches():
                if records:
                    self.add(run, records, session, scan, shown)
            with self._state:
                if run.unreadable.pop(path, None) is not None:
                    self._changed()
        except OSError as error:
            why = reason(error)
            with self._state:
                if run.unreadable.get(path) != why:
                    run.unreadable[path] = why
                    self._changed()
        if scan.problems() != known:
            self._changed()

    def _changed(self) -> None:
        with self._state:
            self.generation += 1
            self.holds_runs = any(_is_shown(run) for run in self._runs.values())


def _is_shown(run: Run) -> bool:
    return bool(run.series or run.unreadable)


def _files_of(root: Root) -> Files:
    if is_url(root.path):
        from tb_llmdebug.reading.remote import RemoteFiles

        return RemoteFiles(root.path)
    return LocalFiles(root.path)


def _problems(run: Run) -> Iterator[tuple[str, str]]:
    for path, why in run.unreadable.items():
        yield path, f"cannot be read: {why}."
    for path, scan in run.scans.items():
        for problem in scan.problems():
            yield path, problem
