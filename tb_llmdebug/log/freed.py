"""Giving back what the C library keeps of freed memory while layers come one after the other.

What stays of a layer lies between the arrays that the model frees, if only as the few bytes that hold the
shape of a NumPy array, so that pages of our own would not help. Then glibc has no place left where the next
layer's arrays fit, takes new memory for them, and keeps both: several times what is logged. It returns what
it keeps if it is asked to.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

GROWN_BYTES = 32 << 20
"""a process that has grown by this much is worth the milliseconds that the search for free pages takes"""


class FreedMemory:
    """Watches how much memory the process holds, and returns what of it is free when that grows."""

    def __init__(self) -> None:
        self._level: int | None = None

    def look(self) -> None:
        """Return free memory if the process has grown since that was done last, or since the first look."""
        trim = _trim()
        if trim is None:
            return
        resident = _resident_bytes()
        if self._level is None:
            self._level = resident
        elif resident > self._level + GROWN_BYTES:
            trim(0)
            self._level = _resident_bytes()


def _resident_bytes() -> int:
    """Return how much memory the process holds; 0 where that is not told (not Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0


@cache
def _trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`; None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        import ctypes

        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError):
        return None
    return trim
