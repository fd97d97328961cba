"""Appending framed events to files, rolled by size."""

from __future__ import annotations

import os
import re
import secrets
import socket
import time

from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.wire import event, names, tfrecord

ROLL_BYTES = 64 << 20
"""a record file is closed once it is this large"""
_URL = re.compile(r"[a-zA-Z][0-9a-zA-Z.+-]*://")
_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | os.O_APPEND
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class RecordFiles:
    """The files of one session. Opened at the first record, so that making one never touches a disk.

    A record reaches the operating system in the `append` call, so that killing the process loses none that
    was appended.

    Raises:
        InvalidRecordError: `logdir` is no directory of this machine.
    """

    def __init__(self, logdir: str, inline: bool, started: float | None = None) -> None:
        if _URL.match(logdir):
            # What is there cannot be appended to, so a record could not be safe once `flush()` returns.
            raise InvalidRecordError(
                f"records cannot be appended at {logdir}: log to a local directory and copy it there, "
                "TensorBoard reads it from both."
            )
        self._logdir = logdir
        self._inline = inline
        self._started = time.time() if started is None else started
        self._session = secrets.token_hex(4)
        self._rolls = 0
        self._file = -1
        self._size = 0

    def append(self, payload: bytes) -> None:
        """Append one event.

        Raises:
            OSError: it could not be written; the file ends where it ended before, if the disk allows.
        """
        if self._file >= 0 and os.fstat(self._file).st_nlink == 0:
            self.close()  # the run was deleted while it was being written: start it anew
        if self._file < 0:
            self._open()
        record = tfrecord.frame(payload)
        start = self._size
        try:
            _write_all(self._file, record)
        except OSError:
            self._cut(start)
            raise
        self._size += len(record)
        if self._size >= ROLL_BYTES and not self._inline:
            self.close()

    def close(self) -> None:
        """Close the open file, if any; the next record opens another."""
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)

    def _open(self) -> None:
        path = self._path()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._file = os.open(path, _FLAGS, 0o666)
        self._rolls += 1
        self._size = 0
        if self._inline:
            version = tfrecord.frame(event.file_version_event(self._started))
            try:
                _write_all(self._file, version)
            except OSError:
                self.close()
                os.unlink(path)
                raise
            self._size = len(version)

    def _path(self) -> str:
        if self._inline:
            host = socket.gethostname()
            # TensorBoard reads files in the order of their names and never goes back: two of one process and
            # second must stand in the order in which they were begun.
            fraction = int(self._started % 1 * 1e6)
            stem = f"{int(self._started):010d}.{host}.{os.getpid()}.{fraction:06d}{self._session}"
            name = f"events.out.tfevents.{stem}.{self._rolls}.{event.PLUGIN_NAME}"
            return os.path.join(self._logdir, name)
        name = names.record_file(self._started, self._session, self._rolls)
        return os.path.join(self._logdir, names.SUBDIRECTORY, name)

    def _cut(self, size: int) -> None:
        """Take a half-written record off again; where that fails, start another file next time."""
        try:
            os.ftruncate(self._file, size)
        except OSError:
            self.close()


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
