"""The records of one series, as columns: a million of them take some 40 MB."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

from tb_llmdebug.reading.files import Opened
from tb_llmdebug.reading.found import Found, plain_head
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.messages import parse_head

FLAGGED_BYTES = 24 << 20
"""that the heads of records with anomalies may take in memory; beyond it they are read again from disk"""


class Source(Protocol):
    """Where a record is read from: one file, as it was when it was scanned. Compared by identity."""

    path: str

    def open(self) -> Opened:
        """Open it; raises OSError, NotReadableError or FileReplacedError."""


class BlobSource(ABC):
    """Where the blobs of records can be had, but no files; `Location.offset` is the number of the record."""

    path: str

    @abstractmethod
    def blobs(self, number: int) -> tuple[bytes, ...]:
        """Return the blobs of one record; raises DamagedRecordError."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where one event lies."""

    source: Source | BlobSource
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a series."""

    step: int
    wall_time: float
    head: record_pb2.RecordHead
    location: Location
    worker: int = 0


class Flagged:
    """Keeps the heads of records with anomalies within a budget, for all series of an index.

    Args:
        read: reads a record's plugin data from where it lies.
    """

    def __init__(self, read: Callable[[Location], bytes], capacity: int = FLAGGED_BYTES) -> None:
        self.read = read
        self._left = capacity
        self._lock = threading.Lock()

    def kept(self, content: bytes) -> bytes:
        """Return `content`, or nothing where there is no room."""
        with self._lock:
            if len(content) > self._left:
                return b""
            self._left -= len(content)
            return content

    def give_back(self, count: int) -> None:
        """Take note that `count` kept bytes are not kept any more."""
        with self._lock:
            self._left += count


class Entries(Sequence[Entry]):
    """The records of one kind and name in one session, in the order they were written.

    Grows only at the end. Written by one thread and read by any: `len` counts what is whole.
    """

    def __init__(self, flagged: Flagged) -> None:
        self._flagged = flagged
        self._count = 0
        self._steps = array("q")
        self._wall_times = array("d")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._places = array("I")
        self._examples = array("I")
        self._map_states = bytearray()
        self._severities = bytearray()
        self._kind = 0
        self.worker = 0
        """which worker logged them"""
        self._sources: list[Source | BlobSource] = []
        self._heads: dict[int, bytes] = {}
        """of the records with anomalies; empty: not in memory"""

    def extend(self, records: Sequence[Found], source: Source | BlobSource) -> None:
        """Append records of one file, all of one kind, name and worker."""
        if not self._sources or self._sources[-1] is not source:
            self._sources.append(source)
        whats, steps, wall_times, offsets, lengths = zip(*records, strict=True)
        first = whats[0]
        self._kind, self.worker = first.kind, first.worker
        self._steps.extend(steps)
        self._wall_times.extend(wall_times)
        self._offsets.extend(offsets)
        self._lengths.extend(lengths)
        self._places.extend([len(self._sources) - 1] * len(records))
        if whats.count(first) == len(whats) and not first.flagged:
            self._examples.extend([first.examples] * len(whats))
            self._map_states += _byte(first.map_state) * len(whats)
            self._severities += bytes(len(whats))
        else:
            self._examples.extend(what.examples for what in whats)
            self._map_states += b"".join(_byte(what.map_state) for what in whats)
            self._severities += b"".join(_byte(what.severity) for what in whats)
            for ordinal, what in enumerate(whats, self._count):
                if what.flagged:
                    self._heads[ordinal] = self._flagged.kept(what.flagged)
        self._count += len(records)

    def copy_columns(self, other: Entries, ordinal: int) -> None:
        """Append what the lists below say of one record of `other`; it is counted by the caller."""
        self._steps.append(other._steps[ordinal])
        self._wall_times.append(other._wall_times[ordinal])
        self._examples.append(other._examples[ordinal])
        self._map_states.append(other._map_states[ordinal])
        self._severities.append(other._severities[ordinal])
        if ordinal in other._heads:
            self._heads[len(self._steps) - 1] = b""

    def release(self) -> None:
        """Give the room of the kept heads back, when the series is forgotten."""
        self._flagged.give_back(sum(map(len, self._heads.values())))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Entry: ...

    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...

    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        if isinstance(place, slice):
            return [self._entry(ordinal) for ordinal in range(*place.indices(self._count))]
        ordinal = place + self._count if place < 0 else place
        if not 0 <= ordinal < self._count:
            raise IndexError(f"record {place} of {self._count}")
        return self._entry(ordinal)

    def steps(self) -> array[int]:
        """Return the step of each."""
        return self._steps[: self._count]

    def wall_times(self) -> array[float]:
        """Return when each was logged, in seconds since the epoch."""
        return self._wall_times[: self._count]

    def map_states(self) -> bytes:
        """Return what is left of each one's map, a number of MapState."""
        return bytes(self._map_states[: self._count])

    def severities(self) -> bytes:
        """Return the worst severity of each one's anomalies."""
        return bytes(self._severities[: self._count])

    def workers(self) -> Sequence[int]:
        """Return which worker logged each."""
        return array("I", [self.worker]) * self._count

    @property
    def examples(self) -> int:
        """The most examples that one of them has."""
        return max(self._examples[: self._count], default=0)

    @property
    def last_time(self) -> float:
        """When the newest was logged."""
        return max(self._wall_times[: self._count], default=0.0)

    def step_at(self, ordinal: int) -> int:
        """Return one step without making an Entry."""
        return self._steps[ordinal]

    def flagged(self) -> Iterator[tuple[int, record_pb2.RecordHead]]:
        """Yield (ordinal, head) of each record with anomalies."""
        for ordinal in list(self._heads):
            if ordinal < self._count:
                yield ordinal, self._head(ordinal)

    def _entry(self, ordinal: int) -> Entry:
        head = self._head(ordinal)
        return Entry(
            self._steps[ordinal], self._wall_times[ordinal], head, self._location(ordinal), self.worker
        )

    def _location(self, ordinal: int) -> Location:
        source = self._sources[self._places[ordinal]]
        return Location(source, self._offsets[ordinal], self._lengths[ordinal])

    def _head(self, ordinal: int) -> record_pb2.RecordHead:
        kept = self._heads.get(ordinal)
        if kept is not None:
            try:
                return parse_head(kept or self._flagged.read(self._location(ordinal)))
            except DamagedRecordError:
                pass  # its file is gone: what is left is that it was flagged
        return plain_head(self._kind, self._map_states[ordinal], self._examples[ordinal], self.worker)


def _byte(number: int) -> bytes:
    """Numbers of hostile or newer writers become the largest, which has no meaning."""
    return bytes((number if 0 <= number < 0xFF else 0xFF,))
