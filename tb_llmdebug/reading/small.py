"""Small records, thousands at a time: an index over a million of them has to be ready in seconds.

A Writer's small records differ in their step, their time and their payload; what stands between is the
same bytes again and again (see `event_bytes`). Those bytes are parsed once and then looked up. A record that
is laid out in any other way is parsed with a compiled class. Every checksum is verified.
"""

from __future__ import annotations

import struct

import google_crc32c

from tb_llmdebug.reading.found import Found, What, what_is
from tb_llmdebug.wire import tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import PLUGIN_NAME, parse_whole_event

SMALL_BYTES = 16 << 10
_MARK = PLUGIN_NAME.encode()
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 512
_TIME_AND_SEAL = 14
"""bytes at the end of the plugin data that differ: wall_time (key, 8 bytes) and seal (key, 4 bytes)"""
_BEFORE_CONTENT = 14
"""bytes of the metadata before its plugin data: three headers and the name of the plugin"""

_TIME_KEY, _SEAL_KEY = 7 << 3 | 1, 8 << 3 | 5
_EVENT_TIME_KEY, _STEP_KEY, _CONTENT_KEY = 1 << 3 | 1, 2 << 3, 2 << 3 | 2
_MARK_FIELD = bytes((1 << 3 | 2, len(_MARK))) + _MARK
_DELTA = 0xA282EAD8  # see tfrecord.mask, which is written out here
_double = struct.Struct("<d").unpack_from
_checksum = struct.Struct("<I").unpack_from
_crc = google_crc32c.value
_make = tuple.__new__


class SmallRecords:
    """Parses small records of one file, given as stretches of its bytes.

    Args:
        only_ours: a record of another plugin is damage, because nothing else stands in the file.
    """

    def __init__(self, *, only_ours: bool) -> None:
        self._only_ours = only_ours
        self._lengths: dict[bytes, int] = {}
        self._known: dict[bytes, What] = {}

    def parse(
        self, data: bytes, place: int, base: int, damaged: list[tuple[int, str]]
    ) -> tuple[list[Found], int]:
        """Parse the small records that stand whole in `data` from `place` on.

        Args:
            data: bytes of the file from `base` on.
            place: where in `data` a record starts.
            base: where `data` starts in the file.
            damaged: takes (offset of the record, what is wrong with it).

        Returns:
            The records found, and where in `data` the first one starts that is not small, not whole, or has
            a damaged header.
        """
        found: list[Found] = []
        lengths, known, add, total = self._lengths, self._known, found.append, len(data)
        while True:
            header = data[place : place + 12]
            length = lengths.get(header)
            if length is None:
                length = self._length(header)
                if length is None:
                    return found, place
            start = place + 12
            end = start + length
            if end + 4 > total:
                return found, place
            place = end + 4
            payload = data[start:end]
            crc = _crc(payload)
            if ((crc >> 15 | crc << 17) + _DELTA) & 0xFFFFFFFF != _checksum(data, end)[0]:
                # First of all: damage may also have made another plugin's record of it.
                damaged.append((base + start, "its checksum does not match."))
                continue
            try:
                step = payload[10]
                at = 11
                if step > 0x7F:
                    step, at = _varint(payload)
                # Key and length of the summary, then of its value: up to 16 KiB a length takes two bytes.
                at += 2 if payload[at + 1] < 0x80 else 3
                at += 2 if payload[at + 1] < 0x80 else 3
                content = at + 4 + payload[at + 1] + _BEFORE_CONTENT
                varying = content + payload[content - 1] - _TIME_AND_SEAL
                what = known.get(payload[at:varying])
                if what is not None and payload[0] == _EVENT_TIME_KEY and payload[9] == _STEP_KEY:
                    wall_time = _double(payload, varying + 1)[0]
                    add(_make(Found, (what, step, wall_time, base + start, length)))
                    continue
            except IndexError:
                at = content = varying = 0  # not laid out so
            try:
                one = self._other(payload, base + start)
            except DamagedRecordError as error:
                damaged.append((base + start, str(error)))
                continue
            if one is not None:
                add(one)
                self._learn(one.what, payload, at, content, varying)

    def _other(self, payload: bytes, offset: int) -> Found | None:
        """Parse a record of any layout; None if it is another plugin's.

        Raises:
            DamagedRecordError: it cannot be read.
        """
        fields = parse_whole_event(payload) if _MARK in payload else None
        if fields is None:
            if self._only_ours:
                raise DamagedRecordError("it is not this plugin's.")
            return None
        what, wall_time = what_is(fields)
        return Found(what, fields.step, wall_time, offset, len(payload))

    def _learn(self, what: What, payload: bytes, at: int, content: int, varying: int) -> None:
        """Keep a description for records that differ from this one only in step, time and payload."""
        tag = what.tag.encode("utf-8", "surrogatepass")
        expected = b"".join((b"\n", bytes((len(tag) & 0x7F,)), tag, b"J"))
        end = varying + _TIME_AND_SEAL
        alike = (
            0 < at < content < varying <= at + _LONGEST_KNOWN
            and not what.flagged
            and payload.startswith(expected, at)
            and payload.startswith(_MARK_FIELD, content - 2 - len(_MARK_FIELD))
            and payload[content - 2] == _CONTENT_KEY
            # Their lengths take one byte each, so that what was computed above is where they are.
            and max(payload[at + 1], payload[content - 1], payload[at + 3 + len(tag)]) < 0x80
            and payload[varying] == _TIME_KEY
            and payload[end - 5] == _SEAL_KEY
        )
        if alike:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[payload[at:varying]] = what

    def _length(self, header: bytes) -> int | None:
        length = tfrecord.payload_length(header)
        if length is None or length > SMALL_BYTES:
            return None
        if len(self._lengths) >= _MOST_KNOWN:
            self._lengths.clear()
        self._lengths[header] = length
        return length


def _varint(payload: bytes) -> tuple[int, int]:
    """Return the step, which starts at byte 10, and where it ends."""
    value = 0
    for at in range(10, 20):
        byte = payload[at]
        value |= (byte & 0x7F) << (7 * at - 70)
        if byte < 0x80:
            value &= 0xFFFFFFFFFFFFFFFF
            return (value - (1 << 64) if value >> 63 else value), at + 1
    raise IndexError("a number that does not end")
