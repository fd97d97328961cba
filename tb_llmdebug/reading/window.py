"""Reading a file here and there without one system call per field."""

from __future__ import annotations

from collections.abc import Callable

NEAR = 4096
FAR = 1 << 20


class Window:
    """A piece of a file held in memory, moved when something outside it is asked for.

    It is large while the reader goes on from where it was and small after a leap, so that hopping over
    payloads does not read them.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self.start = 0
        self.data = b""

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset`, or fewer where the file ends."""
        first = offset - self.start
        if first >= 0 and first + length <= len(self.data):
            return self.data[first : first + length]
        goes_on = 0 <= first <= len(self.data) > 0
        self.data = self._read(offset, max(length, FAR if goes_on else NEAR))
        self.start = offset
        return self.data[:length]
