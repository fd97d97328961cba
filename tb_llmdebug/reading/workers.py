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
    a third one connects.

    Example:
        >>> together([Span("a", 0, 0, 9), Span("b", 1, 1, 8), Span("c", 0, 20, 30), Span("d", 0, 25, 26)])
        [['a', 'b'], ['c'], ['d']]
    """
    ordered = sorted(spans, key=lambda span: (span.start, span.session))
    group_of: dict[str, list[str]] = {}
    running: list[Span] = []
    for span in ordered:
        running = [other for other in running if other.end >= span.start]
        group = [span.session]
        group_of[span.session] = group
        for other in running:
            joined = group_of[other.session]
            if other.worker != span.worker and joined is not group:
                joined.extend(group)
                for session in group:
                    group_of[session] = joined
                group = joined
        running.append(span)
    unique = {id(group): group for group in group_of.values()}
    places = {span.session: place for place, span in enumerate(ordered)}
    return [sorted(group, key=places.__getitem__) for group in unique.values()]


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
