"""Reading the first blob of a record, verified, without the maps that lie behind it."""

from __future__ import annotations

import google_crc32c

from tb_llmdebug.reading.entries import BlobSource, Location
from tb_llmdebug.reading.payload import MAX_MESSAGE_BYTES, ReadAhead, opened, verified
from tb_llmdebug.reading.window import Window
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import Fields, parse_event
from tb_llmdebug.wire.messages import parse_head
from tb_llmdebug.wire.seal import is_sealed

SMALL_BYTES = 1 << 16
"""a smaller record is read and verified whole"""


def first_blob(location: Location) -> bytes:
    """Return the first blob of the record at `location`.

    What is kept of it is its own checksum, which the sealed head holds; a record without one (of an
    earlier version) is read and verified whole.

    Raises:
        DamagedRecordError: the blob is not what was written, or its file is gone.
    """
    if isinstance(location.source, BlobSource) or location.length <= SMALL_BYTES:
        return _of_whole(location)
    with opened(location) as file:
        window = Window(file.read)
        fields = parse_event(lambda start, size: window.read(location.offset + start, size), location.length)
        checksum = None if fields is None else _checksum(fields)
        if fields is None or checksum is None:
            return _of_whole(location)
        start, end = fields.blobs[0]
        if end - start > MAX_MESSAGE_BYTES:
            raise DamagedRecordError(f"a record has a header of {end - start} bytes.")
        data = file.read(location.offset + start, end - start)
    if google_crc32c.value(data) != checksum:
        raise DamagedRecordError("a record's checksum does not match: it was damaged on disk.")
    return data


def _checksum(fields: Fields) -> int | None:
    """Return what the first blob's checksum must be; None where the head does not say."""
    if not fields.blobs or not is_sealed(fields.content, fields.tag, fields.step):
        return None
    head = parse_head(fields.content)
    return head.first_blob if head.HasField("first_blob") else None


def _of_whole(location: Location) -> bytes:
    blobs = verified(location, ReadAhead()).blobs
    return bytes(blobs[0]) if blobs else b""
