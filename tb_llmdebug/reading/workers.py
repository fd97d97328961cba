"""Sessions of several workers that logged one run together, shown as one series.

A distributed run has a Writer in each process (`Writer(worker=rank)`), so its records lie in sessions of
different workers that overlap in time. A restarted run has sessions one after the other, or twice of the
same worker; those stay apart.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tb_llmdebug.reading.entries import Entries, Entry, Flagged
from tb_llmdebug.wire import record_pb2


class Span(NamedTuple):
    """When one session of one worker logged, in seconds since the epoch."""

    session: str
    worker: int
    start: float
    end: float


def together(spans: Iterable[Span]) -> list[list[str]]:
    """Return groups of sessions that logged together, each by start.

    Two sessions belong together if they are of different workers and overlap in time, and so do those that
    a third one connects. A second session of the same worker belongs to them only if another worker ran on
    beside at least half of it: then that worker alone was started again. Where the whole run was, a worker of
    the old one may still have been writing its last.

    Example:
        >>> together([Span("a", 0, 0, 9), Span("b", 1, 1, 8), Span("c", 0, 20, 30), Span("d", 0, 25, 26)])
        [['a', 'b'], ['c'], ['d']]
        >>> together([Span("a", 0, 0, 9), Span("b", 1, 0, 12), Span("c", 0, 11, 20), Span("d", 1, 13, 20)])
        [['a', 'b'], ['c', 'd']]
    """
    groups: list[list[Span]] = []
    for span in sorted(spans, key=_by_start):
        joined = [span]
        for group in reversed(groups[:]):  # the latest first: it is the run that was started again
            if _connected(group, span) and (len(joined) == 1 or not _workers(group) & _workers(joined)):
                groups.remove(group)
                joined = [*group, *joined]
        groups.append(joined)
    return [[span.session for span in sorted(group, key=_by_start)] for group in groups]


def _connected(group: Iterable[Span], new: Span) -> bool:
    beside = [span for span in group if span.worker != new.worker and span.end >= new.start]
    if new.worker in _workers(group):
        return any(span.end - new.start >= (new.end - new.start) / 2 for span in beside)
    return bool(beside)


def _workers(spans: Iterable[Span]) -> set[int]:
    return {span.worker for span in spans}


def _by_start(span: Span) -> tuple[float, str]:
    return span.start, span.session


class MergedEntries(Entries):
    """The records of several workers' sessions as one sequence.

    What is known when the sequence is made stands by step, then by worker. What comes later is appended in
    the same order among itself, because a record never changes its place.
    """

    def __init__(self, parts: Sequence[Entries], flagged: Flagged) -> None:
        super().__init__(flagged)
        self._parts = list(parts)
        self._taken = [0] * len(parts)
        self._rows: list[array[int]] = [array("I"), array("I")]
        """which part each comes from, and its ordinal there"""
        self.take_new()

    def take_new(self) -> None:
        """Append what came to the parts since."""
        new: list[tuple[int, int, int, int]] = []
        for place, part in enumerate(self._parts):
            taken, steps = self._taken[place], part.steps()
            new += [(steps[i], part.worker, i, place) for i in range(taken, len(steps))]
            self._taken[place] = len(steps)
        new.sort(key=lambda row: row[:2])  # stable: within a step of a worker as it was written
        for _, _, ordinal, place in new:
            self._rows[0].append(place)
            self._rows[1].append(ordinal)
            self.copy_columns(self._parts[place], ordinal)
        self._count = len(self._rows[0])

    def workers(self) -> Sequence[int]:
        """Return which worker logged each."""
        numbers = [part.worker for part in self._parts]
        return [numbers[place] for place in self._rows[0][: self._count]]

    def release(self) -> None:
        """The parts keep the heads and give them back."""

    def _entry(self, ordinal: int) -> Entry:
        return self._parts[self._rows[0][ordinal]][self._rows[1][ordinal]]

    def _head(self, ordinal: int) -> record_pb2.RecordHead:
        return self._entry(ordinal).head
