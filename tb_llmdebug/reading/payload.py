"""Reading whole records, verified, through a cache bounded in bytes."""

from __future__ import annotations

import os

from tb_llmdebug.reading.cache import ByteCache
from tb_llmdebug.reading.index import Location
from tb_llmdebug.wire import tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import parse_event

CACHE_BYTES = 64 << 20

Blobs = tuple[memoryview, ...]


class Payloads:
    """Reads the blobs of records. Safe to use from several threads."""

    def __init__(self, capacity: int = CACHE_BYTES) -> None:
        self._cache: ByteCache[Location, Blobs] = ByteCache(
            capacity, lambda blobs: sum(len(blob) for blob in blobs)
        )

    def blobs(self, location: Location) -> Blobs:
        """Return the blobs of the record at `location`.

        Raises:
            DamagedRecordError: the record is not what was written, or its file is gone.
        """
        return self._cache.get(location, lambda: _read_blobs(location))


def _read_blobs(location: Location) -> Blobs:
    event = _read_event(location)
    fields = parse_event(lambda offset, length: event[offset : offset + length], len(event))
    if fields is None:
        raise DamagedRecordError("a record is not this plugin's any more.")
    view = memoryview(event)
    return tuple(view[start:end] for start, end in fields.blobs)


def _read_event(location: Location) -> bytes:
    try:
        file = os.open(location.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise DamagedRecordError(f"a record's file cannot be opened: {error.strerror}.") from error
    try:
        size = location.length + tfrecord.FOOTER_BYTES
        data = os.pread(file, size, location.offset)
    except OSError as error:
        raise DamagedRecordError(f"a record cannot be read: {error.strerror}.") from error
    finally:
        os.close(file)
    event, footer = data[: location.length], data[location.length :]
    if not tfrecord.payload_is_intact(event, footer):
        raise DamagedRecordError("a record's checksum does not match: it was damaged on disk.")
    return event
