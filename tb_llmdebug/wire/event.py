"""TensorBoard `Event` protos, written and read field by field.

Writing: the metadata goes before the tensor, so that an index finds it without touching the payload; a
generated class would write the fields by number, tensor (8) before metadata (9), and copy the payload.
Reading: fields are skipped by their lengths, whatever their order.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from tb_llmdebug.wire.errors import DamagedRecordError

PLUGIN_NAME = "llmdebug"
MAX_TAG_BYTES = 4096
MAX_CONTENT_BYTES = 1 << 20
MAX_BLOBS = 16

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DT_STRING = 7
_DATA_CLASS_BLOB_SEQUENCE = 3
_DOUBLE = struct.Struct("<d")


@dataclass(frozen=True)
class EncodedRecord:
    """One record, ready to be written by any sink."""

    tag: str
    step: int
    wall_time: float
    content: bytes
    """RecordHead, the plugin data of the summary metadata"""
    blobs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """What an event of this plugin holds, the payload left where it is."""

    tag: str
    step: int
    wall_time: float
    content: bytes
    blobs: tuple[tuple[int, int], ...]
    """(start, end) in the event's bytes"""


def event_bytes(record: EncodedRecord) -> bytes:
    """Return the event that holds `record`."""
    plugin_data = _message(1, PLUGIN_NAME.encode()) + _message(2, record.content)
    metadata = _message(1, plugin_data) + _number(4, _DATA_CLASS_BLOB_SEQUENCE)
    value = [_message(1, record.tag.encode()), _message(9, metadata), *_nested(8, _tensor(record))]
    head = _key(1, _FIXED64) + _DOUBLE.pack(record.wall_time)
    head += _number(2, record.step & 0xFFFFFFFFFFFFFFFF)
    return b"".join([head, *_nested(5, _nested(1, value))])


def _tensor(record: EncodedRecord) -> list[bytes]:
    """Return the pieces of the string tensor that holds the blobs of `record`."""
    shape = _message(2, _message(2, _number(1, len(record.blobs))))
    pieces = [_number(1, _DT_STRING) + shape]
    for blob in record.blobs:
        pieces += [_key(8, _BYTES) + _varint(len(blob)), blob]
    return pieces


def file_version_event(wall_time: float) -> bytes:
    """Return the event that every TensorBoard event file starts with."""
    head = _key(1, _FIXED64) + _DOUBLE.pack(wall_time)
    return head + _message(3, b"brain.Event:2")


Read = Callable[[int, int], bytes]
"""read(start, length) of the event's bytes; may return less at the end"""


def parse_event(read: Read, length: int) -> Fields | None:
    """Return this plugin's fields of an event of `length` bytes; None if it is another plugin's.

    Only the bytes that are needed are asked for.

    Raises:
        DamagedRecordError: the bytes are not an event.
    """
    step, wall_time, value = 0, 0.0, None
    for number, kind, start, end in _fields(read, 0, length):
        if number == 1 and kind == _FIXED64:
            wall_time = _DOUBLE.unpack(read(start, 8))[0]
        elif number == 2 and kind == _VARINT:
            step = _signed(_read_varint(read, start, length)[0])
        elif number == 5 and kind == _BYTES:
            value = _plugin_value(read, start, end)
    if value is None:
        return None
    tag, content, blobs = value
    return Fields(tag, step, wall_time, content, blobs)


def parse_whole_event(data: bytes) -> Fields | None:
    """Do the same for an event that is in memory, with TensorBoard's compiled class; `blobs` is left empty.

    Raises:
        DamagedRecordError: the bytes are not an event.
    """
    # Imported here: most users of this package only write.
    from tensorboard.compat.proto.event_pb2 import Event

    try:
        event = Event.FromString(data)
    except DecodeError as error:
        raise DamagedRecordError("a record does not parse.") from error
    for value in event.summary.value:
        plugin_data = value.metadata.plugin_data
        if plugin_data.plugin_name == PLUGIN_NAME:
            if len(value.tag) > MAX_TAG_BYTES:
                raise DamagedRecordError(f"a tag is {len(value.tag)} long where at most {MAX_TAG_BYTES} may.")
            return Fields(value.tag, event.step, event.wall_time, plugin_data.content, ())
    return None


def _plugin_value(read: Read, start: int, end: int) -> tuple[str, bytes, tuple[tuple[int, int], ...]] | None:
    """Return the first value of a summary that is this plugin's."""
    for number, kind, value_start, value_end in _fields(read, start, end):
        if number != 1 or kind != _BYTES:
            continue
        tag, content, tensor = "", None, None
        for field, field_kind, first, last in _fields(read, value_start, value_end):
            if field == 1 and field_kind == _BYTES:
                tag = _bounded(read, first, last, MAX_TAG_BYTES).decode("utf-8", "replace")
            elif field == 9 and field_kind == _BYTES:
                content = _plugin_content(read, first, last)
                if content is None:
                    break
            elif field == 8 and field_kind == _BYTES:
                tensor = (first, last)
        if content is not None:
            return tag, content, _string_values(read, *tensor) if tensor else ()
    return None


def _plugin_content(read: Read, start: int, end: int) -> bytes | None:
    for number, kind, first, last in _fields(read, start, end):
        if number != 1 or kind != _BYTES:
            continue
        name, content = b"", b""
        for field, field_kind, low, high in _fields(read, first, last):
            if field == 1 and field_kind == _BYTES:
                name = read(low, min(high - low, 64))
            elif field == 2 and field_kind == _BYTES:
                content = _bounded(read, low, high, MAX_CONTENT_BYTES)
        return content if name == PLUGIN_NAME.encode() else None
    return None


def _string_values(read: Read, start: int, end: int) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for number, kind, first, last in _fields(read, start, end):
        if (number, kind) == (8, _BYTES):
            if len(spans) == MAX_BLOBS:
                raise DamagedRecordError(f"a record holds more than {MAX_BLOBS} blobs.")
            spans.append((first, last))
    return tuple(spans)


def _bounded(read: Read, start: int, end: int, most: int) -> bytes:
    if end - start > most:
        raise DamagedRecordError(f"a field of {end - start} bytes stands where at most {most} may.")
    return read(start, end - start)


def _fields(read: Read, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number, wire type, start, end) of each field of the message in [start, end)."""
    position = start
    while position < end:
        key, position = _read_varint(read, position, end)
        number, kind = key >> 3, key & 7
        first = position
        if kind == _VARINT:
            _, position = _read_varint(read, position, end)
        elif kind == _FIXED64:
            position += 8
        elif kind == _FIXED32:
            position += 4
        elif kind == _BYTES:
            size, first = _read_varint(read, position, end)
            position = first + size
        else:
            raise DamagedRecordError("a record holds a field of unknown type.")
        if position > end or number == 0:
            raise DamagedRecordError("a field of a record ends outside it.")
        yield number, kind, first, position


def _read_varint(read: Read, position: int, end: int) -> tuple[int, int]:
    data = read(position, min(10, end - position))
    value = 0
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + index + 1
    raise DamagedRecordError("a number in a record does not end.")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _message(number: int, body: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(body)) + body


def _number(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _varint(value)


def _nested(number: int, pieces: list[bytes]) -> list[bytes]:
    """Put a field header before `pieces` without joining them, so that a payload is copied once."""
    size = sum(len(piece) for piece in pieces)
    return [_key(number, _BYTES) + _varint(size), *pieces]
