"""TFRecord framing: length, checksum of the length, payload, checksum of the payload.

Checksums are CRC-32C, rotated and offset as TensorFlow's `record_writer` does, so that any TensorFlow tool
can read the files. TensorBoard's own `RecordWriter` is not used: its checksum is pure Python.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import google_crc32c

HEADER_BYTES = 12
FOOTER_BYTES = 4
MAX_RECORD_BYTES = (1 << 31) - 1
"""no protobuf message can be larger, so a larger length is damage"""

_MASK_DELTA = 0xA282EAD8
_HEADER = struct.Struct("<QI")
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")


def mask(crc: int) -> int:
    """Return the checksum as TFRecord files store it."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame(payload: bytes) -> bytes:
    """Return `payload` as one record."""
    length = _LENGTH.pack(len(payload))
    checksums = (_CHECKSUM.pack(mask(google_crc32c.value(data))) for data in (length, payload))
    return b"".join((length, next(checksums), payload, next(checksums)))


def payload_length(header: bytes | memoryview) -> int | None:
    """Return the payload length that a 12-byte header declares, or None if the header is damaged."""
    if len(header) < HEADER_BYTES:
        return None
    length, checksum = _HEADER.unpack_from(header)
    if length > MAX_RECORD_BYTES:
        return None
    return length if mask(google_crc32c.value(bytes(header[:8]))) == checksum else None


def is_intact(read: Callable[[int, int], bytes], start: int, length: int) -> bool:
    """Return whether the payload of `length` bytes at `start` matches its checksum, a megabyte at a time."""
    crc = 0
    for place in range(start, start + length, 1 << 20):
        crc = google_crc32c.extend(crc, read(place, min(1 << 20, start + length - place)))
    return read(start + length, FOOTER_BYTES) == _CHECKSUM.pack(mask(crc))


def payload_is_intact(payload: bytes, footer: bytes) -> bool:
    """Return whether the payload matches the checksum that follows it."""
    return len(footer) == FOOTER_BYTES and footer == _CHECKSUM.pack(mask(google_crc32c.value(payload)))
