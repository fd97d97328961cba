"""Finding this plugin's records in one event file that may still be growing."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tb_llmdebug.reading.window import Window
from tb_llmdebug.wire import messages, names, record_pb2, tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import PLUGIN_NAME, Fields, parse_event, parse_whole_event
from tb_llmdebug.wire.seal import is_sealed

_SEARCH_BYTES = (1 << 12, 1 << 20)
_STALE_SECONDS = 60
_ZEROS = re.compile(rb"\0*")
_SMALL_BYTES = 16 << 10
_MARK = PLUGIN_NAME.encode()
_HALVES = _MARK[:4], _MARK[4:]
"""one of them is left when a byte of the name is damaged"""
_EDGE_BYTES = 64 << 10
"""of a large record that are searched for this plugin's name: it stands before the payload or after it"""


@dataclass(frozen=True, slots=True)
class Found:
    """One record: what it is, and where its event lies in the file."""

    tag: str
    step: int
    wall_time: float
    head: record_pb2.RecordHead
    offset: int
    length: int


class FileScan:
    """Scans one file; each `advance` goes on where the last one ended.

    Only headers and the first fields of each event are read. After a damaged record the scan looks for the
    next header whose checksum holds.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._own = names.is_record_file(path)
        self._problems: list[str] = []
        self._unfinished_since: float | None = None
        self._offset = 0
        self._searched = 0
        self._identity: tuple[int, int] | None = None

    def problems(self) -> list[str]:
        """Return what could not be used, one sentence each."""
        since = self._unfinished_since
        if since is None or time.time() - since < _STALE_SECONDS:
            return list(self._problems)
        return [*self._problems, "ends inside a record: its writer was killed or could not write on."]

    def advance(self) -> Iterator[Found]:
        """Yield the records that came since the last call.

        Raises:
            OSError: the file cannot be read.
            FileReplacedError: another file took its place, or it shrank.
        """
        # O_NONBLOCK: opening a FIFO that somebody put here must not wait for a writer.
        file = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                self._note("is not a regular file and was not read.")
                return
            identity = (status.st_dev, status.st_ino)
            if self._identity not in (None, identity) or status.st_size < self._offset:
                raise FileReplacedError(self.path)
            self._identity = identity
            yield from self._records(Window(file), status.st_size)
            whole = self._offset >= status.st_size
            self._unfinished_since = None if whole else status.st_mtime
        finally:
            os.close(file)

    def _records(self, window: Window, size: int) -> Iterator[Found]:
        while self._offset + tfrecord.HEADER_BYTES <= size:
            length = tfrecord.payload_length(window.read(self._offset, tfrecord.HEADER_BYTES))
            if length is None:
                if not self._resynchronise(window, size):
                    break
                continue
            start = self._offset + tfrecord.HEADER_BYTES
            after = start + length + tfrecord.FOOTER_BYTES
            if after > size:
                break
            self._offset = after
            found = self._event(window, start, length)
            if found is not None:
                yield found

    def _event(self, window: Window, start: int, length: int) -> Found | None:
        try:
            fields = (
                _small(window, start, length) if length <= _SMALL_BYTES else _large(window, start, length)
            )
            if fields is None and self._own:
                raise DamagedRecordError("it is not this plugin's.")
            if fields is None:
                return None
            head = messages.parse_head(fields.content)
            if length > _SMALL_BYTES and head.kind == record_pb2.TOKENS:
                # Read here, because maps are shown without tokens that cannot be read.
                _verify_whole(window, start, length)
        except DamagedRecordError as error:
            self._note(f"has a record at byte {start} that cannot be read: {error}")
            return None
        return Found(fields.tag, fields.step, head.wall_time or fields.wall_time, head, start, length)

    def _resynchronise(self, window: Window, size: int) -> bool:
        """Go to the next header whose checksum holds; returns whether there is one.

        What was searched in vain is not searched again when the file has grown.
        """
        search, span = max(self._offset + 1, self._searched), _SEARCH_BYTES[0]
        while search + tfrecord.HEADER_BYTES <= size:
            data = window.read(search, min(span, size - search))
            place = _header_in(data)
            if place is not None:
                start = search + place
                self._note(f"is damaged from byte {self._offset} to {start}: what was logged there is lost.")
                self._offset = self._searched = start
                return True
            # The end is searched again together with what follows it.
            search += max(1, len(data) - tfrecord.HEADER_BYTES + 1)
            span = min(2 * span, _SEARCH_BYTES[1])
        self._searched = search
        return False

    def _note(self, problem: str) -> None:
        if problem not in self._problems and len(self._problems) < 100:
            self._problems.append(problem)


def _header_in(data: bytes) -> int | None:
    """Return where the first intact record header starts in `data`.

    A length is far below 4 GiB, so its bytes 4 to 7 are zero; the checksum after them is not, which passes
    over files that end in zeros.
    """
    zeros = data.find(b"\0\0\0\0", 4)
    while 0 <= zeros <= len(data) - 8:
        if data[zeros + 4 : zeros + 8] == b"\0\0\0\0":
            # To the last places where four zeros and a checksum that is not zero can start.
            zeros = _ZEROS.match(data, zeros).end() - 7  # type: ignore[union-attr]  # matches anything
        header = data[zeros - 4 : zeros + 8]
        if tfrecord.payload_length(header) is not None:
            return zeros - 4
        zeros = data.find(b"\0\0\0\0", zeros + 1)
    return None


def _small(window: Window, start: int, length: int) -> Fields | None:
    """Parse a record whole, with its checksum and a compiled class: a million of them take seconds."""
    data = window.read(start, length + tfrecord.FOOTER_BYTES)
    payload, footer = data[:length], data[length:]
    # First: damage may also have made another plugin's record of it.
    if not tfrecord.payload_is_intact(payload, footer):
        raise DamagedRecordError("its checksum does not match.")
    return parse_whole_event(payload) if _MARK in payload else None


def _large(window: Window, start: int, length: int) -> Fields | None:
    """Parse the first fields and leap over the payload."""

    def read(offset: int, count: int) -> bytes:
        return window.read(start + offset, min(count, length - offset))

    fields = parse_event(read, length)
    if fields is None:
        # Another plugin's, or damaged where it names ours.
        edges = (read(0, _EDGE_BYTES), read(max(0, length - _EDGE_BYTES), _EDGE_BYTES))
        if any(half in edge for half in _HALVES for edge in edges):
            _verify_whole(window, start, length)
    elif not is_sealed(fields.content, fields.tag, fields.step):
        _verify_whole(window, start, length)
    return fields


def _verify_whole(window: Window, start: int, length: int) -> None:
    if not tfrecord.is_intact(window.read, start, length):
        raise DamagedRecordError("its checksum does not match.")


class FileReplacedError(Exception):
    """A file that was being followed is another one now: what was read from it is void."""
