"""Reading whole records, verified, through a cache bounded in bytes."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tb_llmdebug.reading.cache import ByteBudget, ByteCache
from tb_llmdebug.reading.entries import BlobSource, Location
from tb_llmdebug.reading.files import NotReadableError, Opened, reason
from tb_llmdebug.reading.scan import FileReplacedError
from tb_llmdebug.reading.window import Window
from tb_llmdebug.wire import tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import Fields, parse_event

WHOLE_BYTES = 8 << 20
"""a larger record is not held in memory; its blobs are read piece by piece"""
MAX_MESSAGE_BYTES = 32 << 20
"""of the message at the head of a large record"""
_PAGES_BYTES = 1 << 16
"""a larger record is held in pages of its own"""
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
"""shared pages, the default, take twice as long to get"""
_AHEAD = 1 << 20
_PIECES = 8
"""that are held of what was read ahead, 8 MiB: four requests that each read from two places in turn, the sums
of a layer's rows and its maps behind them"""


class ReadAhead:
    """What was read last of large records: a few pieces of all of them together, outside of any budget."""

    def __init__(self) -> None:
        self.pieces: tuple[tuple[Blob, int, bytes], ...] = ()
        """where in which blob, and the bytes there, used last first; replaced as one by any thread"""

    def find(self, blob: Blob, start: int, size: int) -> bytes | None:
        """Return so many bytes of `blob`, if they are held."""
        pieces = self.pieces
        for piece in pieces:
            of, first, near = piece
            if of is blob and first <= start <= start + size <= first + len(near):
                if piece is not pieces[0]:
                    self.pieces = (piece, *(other for other in pieces if other is not piece))
                return near[start - first : start - first + size]
        return None

    def keep(self, blob: Blob, start: int, ahead: bytes) -> None:
        """Hold what was read, unless it is too large."""
        if len(ahead) <= _AHEAD:
            self.pieces = ((blob, start, ahead), *self.pieces[: _PIECES - 1])


class Blob:
    """One blob of a large record, left in its file. Slices are read when they are asked for."""

    def __init__(self, location: Location, start: int, end: int, ahead: ReadAhead) -> None:
        self._location = location
        self._start = start
        self._length = end - start
        self._ahead = ahead

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, piece: slice) -> bytes:
        start, end, step = piece.indices(self._length)
        if step != 1:
            raise ValueError("a blob is read forwards, without gaps.")
        size = max(0, end - start)
        near = self._ahead.find(self, start, size)
        if near is not None:
            return near
        # Frames that are asked for one after the other come in one read.
        ahead = _read(self._location, self._start + start, min(max(size, _AHEAD), self._length - start))
        if len(ahead) < size:
            raise DamagedRecordError("a record's file became shorter.")
        self._ahead.keep(self, start, ahead)
        return ahead[:size]

    def __bytes__(self) -> bytes:
        if self._length > MAX_MESSAGE_BYTES:
            raise DamagedRecordError(f"a record has a header of {self._length} bytes.")
        return self[:]


Blobs = tuple["memoryview | Blob", ...]


@dataclass(frozen=True)
class _Verified:
    """A record whose checksum holds."""

    content: bytes
    blobs: Blobs
    held: int


class Payloads:
    """Reads the blobs of records. Safe to use from several threads."""

    def __init__(self, budget: ByteBudget) -> None:
        self._cache: ByteCache[Location, _Verified] = ByteCache(budget, lambda record: record.held)
        self.ahead = ReadAhead()

    def blobs(self, location: Location) -> Blobs:
        """Return the blobs of the record at `location`.

        Raises:
            DamagedRecordError: the record is not what was written, or its file is gone.
        """
        return self._cache.get(location, lambda: verified(location, self.ahead)).blobs

    def event(self, location: Location) -> bytes:
        """Return the whole event at `location`, as it is on disk.

        Raises:
            DamagedRecordError: as above.
        """
        return _read_event(location)

    def content(self, location: Location) -> bytes:
        """Return the plugin data of the record at `location`.

        Raises:
            DamagedRecordError: as above.
        """
        return verified(location, self.ahead).content


def verified(location: Location, ahead: ReadAhead) -> _Verified:
    if isinstance(location.source, BlobSource):
        data = location.source.blobs(location.offset)
        views = tuple(memoryview(blob) for blob in data)
        return _Verified(data[-1] if data else b"", views, sum(map(len, data)))
    if location.length <= WHOLE_BYTES:
        event = _read_event(location)
        fields = _parsed(parse_event(lambda start, size: event[start : start + size], len(event)))
        view = memoryview(_returnable(event)).toreadonly()
        blobs: Blobs = tuple(view[start:end] for start, end in fields.blobs)
        return _Verified(fields.content, blobs, len(event))
    with opened(location) as file:
        window = Window(file.read)
        if not tfrecord.is_intact(window.read, location.offset, location.length):
            raise DamagedRecordError(_CHANGED)
        fields = _parsed(
            parse_event(lambda start, size: window.read(location.offset + start, size), location.length)
        )
    blobs = tuple(Blob(location, start, end, ahead) for start, end in fields.blobs)
    return _Verified(fields.content, blobs, len(fields.content))


def _returnable(event: bytes) -> bytes | mmap.mmap:
    """Return the same in memory that goes back to the system once nobody holds it.

    Between small objects of other answers the allocator would keep what large ones leave.
    """
    if len(event) < _PAGES_BYTES:
        return event
    pages = mmap.mmap(-1, len(event), **_PRIVATE)
    pages[:] = event
    return pages


def _read_event(location: Location) -> bytes:
    data = _read(location, 0, location.length + tfrecord.FOOTER_BYTES)
    event, footer = data[: location.length], data[location.length :]
    if not tfrecord.payload_is_intact(event, footer):
        raise DamagedRecordError(_CHANGED)
    return event


def _parsed(fields: Fields | None) -> Fields:
    if fields is None:
        raise DamagedRecordError("a record is not this plugin's any more.")
    return fields


def _read(location: Location, start: int, length: int) -> bytes:
    with opened(location) as file:
        return file.read(location.offset + start, length)


@contextmanager
def opened(location: Location) -> Iterator[Opened]:
    if isinstance(location.source, BlobSource):
        raise DamagedRecordError("a record has no file that can be read.")
    try:
        file = location.source.open()
    except OSError as error:
        raise DamagedRecordError(f"a record's file cannot be opened: {reason(error)}.") from error
    except NotReadableError as error:
        raise DamagedRecordError(f"a record's file {error}") from error
    except FileReplacedError as error:
        raise DamagedRecordError("a record's file was replaced by another one: reload the page.") from error
    try:
        yield file
    except OSError as error:
        raise DamagedRecordError(f"a record cannot be read: {reason(error)}.") from error
    finally:
        file.close()


_CHANGED = "a record's checksum does not match: it was damaged on disk."
