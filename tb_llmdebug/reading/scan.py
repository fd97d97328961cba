"""Finding this plugin's records in one event file that may still be growing."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Hashable, Iterator

from tb_llmdebug.reading.files import Files, LocalFiles, NotReadableError, Opened
from tb_llmdebug.reading.found import Found, what_is
from tb_llmdebug.reading.small import SMALL_BYTES, SmallRecords
from tb_llmdebug.reading.window import Window
from tb_llmdebug.wire import names, record_pb2, tfrecord
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.event import PLUGIN_NAME, Fields, parse_event
from tb_llmdebug.wire.seal import is_sealed

_SEARCH_BYTES = (1 << 12, 1 << 20)
_STALE_SECONDS = 60
_MOST_PROBLEMS = 100
_PROOF_BYTES = 64
"""of the start and of the end of what was read, by which a file is known again"""
_ZEROS = re.compile(rb"\0*")
_MARK = PLUGIN_NAME.encode()
_HALVES = _MARK[:4], _MARK[4:]
"""one of them is left when a byte of the name is damaged"""
_EDGE_BYTES = 64 << 10
"""of a large record that are searched for this plugin's name: it stands before the payload or after it"""
_BATCH = 256


class FileScan:
    """Scans one file; each `advance` goes on where the last one ended.

    Only headers and the first fields of each large event are read. After a damaged record the scan looks for
    the next header whose checksum holds.
    """

    def __init__(self, path: str, files: Files | None = None) -> None:
        self.path = path
        self._files = files or LocalFiles("/")
        self._own = names.is_record_file(path)
        self._small = SmallRecords(only_ours=self._own)
        self._problems: list[str] = []
        self._refused = ""
        self._unfinished_since: float | None = None
        self._offset = 0
        self._searched = 0
        self._identity: Hashable = None
        self._version: Hashable = None
        self._proof: list[tuple[int, bytes]] = []

    def problems(self) -> list[str]:
        """Return what could not be used, one sentence each."""
        found = [*([self._refused] if self._refused else ()), *self._problems]
        since = self._unfinished_since
        if since is None or time.time() - since < _STALE_SECONDS:
            return found
        return [*found, "ends inside a record: its writer was killed or could not write on."]

    def open(self) -> Opened:
        """Open the file that was scanned.

        Raises:
            OSError: it cannot be read.
            NotReadableError: it will not be read.
            FileReplacedError: another file took its place.
        """
        opened = self._files.open(self.path)
        if self._identity not in (None, opened.identity):
            opened.close()
            raise FileReplacedError(self.path)
        return opened

    def advance(self) -> Iterator[Found]:
        """Yield the records that came since the last call; see `batches`."""
        return itertools.chain.from_iterable(self.batches())

    def batches(self) -> Iterator[list[Found]]:
        """Yield the records that came since the last call, many at a time.

        Raises:
            OSError: the file cannot be read.
            FileReplacedError: another file took its place, or it shrank.
        """
        try:
            opened = self.open()
        except NotReadableError as error:
            self._refused = str(error)
            return
        self._refused = ""
        try:
            if opened.version is not None and opened.version == self._version:
                return
            self._check_proof(opened)
            self._identity = opened.identity
            yield from self._records(Window(opened.read), opened.size)
            self._proof = [
                (place, opened.read(place, _PROOF_BYTES))
                for place in (0, max(0, self._offset - _PROOF_BYTES))
                if self._offset >= _PROOF_BYTES
            ]
            whole = self._offset >= opened.size
            self._unfinished_since = None if whole else opened.modified
            self._version = opened.version
        finally:
            opened.close()

    def _check_proof(self, opened: Opened) -> None:
        """A new file may have the number of the old one, and remote files have none."""
        same = opened.size >= self._offset and all(
            opened.read(place, _PROOF_BYTES) == data for place, data in self._proof
        )
        if not same:
            raise FileReplacedError(self.path)

    def _records(self, window: Window, size: int) -> Iterator[list[Found]]:
        batch: list[Found] = []
        while self._offset + tfrecord.HEADER_BYTES <= size:
            header = window.read(self._offset, tfrecord.HEADER_BYTES)
            small = self._small_records(window)
            if small is not None:
                yield [*batch, *small]
                batch = []
                continue
            length = tfrecord.payload_length(header)
            if length is None:
                if not self._resynchronise(window, size):
                    break
                continue
            start = self._offset + tfrecord.HEADER_BYTES
            after = start + length + tfrecord.FOOTER_BYTES
            if after > size:
                break
            if length <= SMALL_BYTES:
                # It ends outside the window: let it start in one that holds all of it.
                if len(window.read(self._offset, after - self._offset)) < after - self._offset:
                    break  # the file shrank
                continue
            self._offset = after
            found = self._large(window, start, length)
            if found is not None:
                batch.append(found)
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        yield batch

    def _small_records(self, window: Window) -> list[Found] | None:
        """Return the small records in the window from here on; None if there is not even one."""
        damaged: list[tuple[int, str]] = []
        start = self._offset - window.start
        found, place = self._small.parse(window.data, start, window.start, damaged)
        for offset, problem in damaged:
            self._note_unreadable(offset, problem)
        self._offset = window.start + place
        return found if place > start else None

    def _large(self, window: Window, start: int, length: int) -> Found | None:
        try:
            fields = _large_fields(window, start, length)
            if fields is None and self._own:
                raise DamagedRecordError("it is not this plugin's.")
            if fields is None:
                return None
            what, wall_time = what_is(fields)
            if what.kind == record_pb2.TOKENS:
                # Read here, because maps are shown without tokens that cannot be read.
                _verify_whole(window, start, length)
        except DamagedRecordError as error:
            self._note_unreadable(start, str(error))
            return None
        return Found(what, fields.step, wall_time, start, length)

    def _resynchronise(self, window: Window, size: int) -> bool:
        """Go to the next header whose checksum holds; returns whether there is one.

        What was searched in vain is not searched again when the file has grown.
        """
        search, span = max(self._offset + 1, self._searched), _SEARCH_BYTES[0]
        while search + tfrecord.HEADER_BYTES <= size:
            data = window.read(search, min(span, size - search))
            if not data:
                break  # the file shrank
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

    def _note_unreadable(self, start: int, problem: str) -> None:
        self._note(f"has a record at byte {start} that cannot be read: {problem}")

    def _note(self, problem: str) -> None:
        if problem not in self._problems and len(self._problems) < _MOST_PROBLEMS:
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


def _large_fields(window: Window, start: int, length: int) -> Fields | None:
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
