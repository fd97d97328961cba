"""Reading a file here and there without one system call per field."""

from __future__ import annotations

import os

NEAR = 4096
FAR = 1 << 20


class Window:
    """A piece of a file held in memory, moved when something outside it is asked for.

    It is large while the reader goes on from where it was and small after a leap, so that hopping over
    payloads does not read them.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._start = 0
        self._data = b""

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset`, or fewer where the file ends."""
        first = offset - self._start
        if first >= 0 and first + length <= len(self._data):
            return self._data[first : first + length]
        goes_on = 0 <= first <= len(self._data)
        self._data = os.pread(self._file, max(length, FAR if goes_on else NEAR), offset)
        self._start = offset
        return self._data[:length]
