"""Copies of arrays in memory that is used again.

Fresh memory costs several times what the copy costs: the operating system hands it out page by page, at the
first touch of each. So the memory of a copy that nobody needs any longer is kept for the next of its size.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SMALLEST = 1 << 14
"""bytes; for less NumPy and the C library have memory at hand"""
IDLE_BYTES = 64 << 20
LARGEST = 16 << 20
"""bytes of arrays that share a block; so large that it costs nothing, so small that several lie idle"""
ALIGNED = 64


class BufferPool:
    """Makes copies, and keeps the memory of those that nobody refers to any longer.

    Args:
        capacity: most bytes that lie idle; sizes that were not asked for lately go first.

    Example:
        >>> pool, original = BufferPool(1 << 20), np.zeros((64, 64))
        >>> first = pool.copy(original)
        >>> address = first.ctypes.data
        >>> del first
        >>> pool.copy(original).ctypes.data == address
        True
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        # Never waited for: an array may end at any moment, also while its own thread is in here, and in a
        # process that was forked while another thread was. Then its memory is let go.
        self._lock = threading.Lock()
        self._idle: dict[int, list[Array]] = {}
        self.idle_bytes = 0

    def copy(self, array: Array) -> Array:
        """Return a copy of `array` in C order; its memory comes back when the last view of it ends."""
        return self.copies([array])[0]

    def copies(self, arrays: Sequence[Array]) -> list[Array]:
        """Return copies of `arrays` in C order; those of one block come back together.

        Small blocks would cost more than the copies: layers of one step come and go together anyway.
        """
        made: list[Array] = []
        for first, end in _batches(arrays):
            made += self._in_one_block(arrays[first:end])
        return made

    def _in_one_block(self, arrays: Sequence[Array]) -> list[Array]:
        small = sum(array.nbytes for array in arrays) < SMALLEST
        if small or any(array.dtype.hasobject for array in arrays):
            return [array.copy() for array in arrays]
        block = self._take(sum(map(_room, arrays)))
        # Behind a memoryview NumPy sees no owner, so every view of `lent` keeps `lent` itself.
        lent = np.frombuffer(block.data, np.uint8)
        weakref.finalize(lent, self._give_back, block).atexit = False
        made, start, memory = [], 0, block.data
        for array in arrays:
            end = start + array.nbytes
            target = np.ndarray(array.shape, array.dtype, lent, start)
            if array.flags.c_contiguous:
                # This copy does not release the interpreter, as NumPy's would: to get it back from a busy
                # background thread may take longer than the copy.
                memory[start:end] = array.reshape(-1).view(np.uint8).data
            else:
                np.copyto(target, array)
            made.append(target)
            start += _room(array)
        return made

    def _take(self, nbytes: int) -> Array:
        if self._lock.acquire(blocking=False):
            try:
                blocks = self._idle.pop(nbytes, None)
                if blocks:
                    self._idle[nbytes] = blocks  # now the size that was asked for last
                    self.idle_bytes -= nbytes
                    return blocks.pop()
            finally:
                self._lock.release()
        return np.empty(nbytes, np.uint8)

    def _give_back(self, block: Array) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._idle.setdefault(block.nbytes, []).append(block)
                self.idle_bytes += block.nbytes
                while self.idle_bytes > self._capacity:
                    self._drop_oldest()
            finally:
                self._lock.release()

    def _drop_oldest(self) -> None:
        nbytes = next(iter(self._idle))
        blocks = self._idle[nbytes]
        if blocks:
            blocks.pop()
            self.idle_bytes -= nbytes
        if not blocks:
            del self._idle[nbytes]


def _room(array: Array) -> int:
    """Return the bytes of `array` in a block; the next one starts aligned."""
    return -(-array.nbytes // ALIGNED) * ALIGNED


def _batches(arrays: Sequence[Array]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of arrays that share a block."""
    first = size = 0
    for place, array in enumerate(arrays):
        if place > first and size + array.nbytes > LARGEST:
            yield first, place
            first, size = place, 0
        size += array.nbytes
    if arrays:
        yield first, len(arrays)


_pool = BufferPool(IDLE_BYTES)


def held_copy(array: Array) -> Array:
    """Return a copy of `array` that the background thread may hold, in memory that is used again."""
    return _pool.copy(array)


def held_copies(arrays: Sequence[Array]) -> list[Array]:
    """Return copies of `arrays`, as `held_copy` makes them."""
    return _pool.copies(arrays)
