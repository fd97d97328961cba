"""Blocks of many maps at once, decoding no more of them than must be.

The weights of a row are its stored levels squared, times one number: the square root keeps their order, so
the largest of a block is found among the levels, and only what is left of a row is scaled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import Pool
from tb_llmdebug.stats.sinks import Keys, left_over, other_keys
from tb_llmdebug.wire.tiles import Strip

AT_ONCE = 1 << 18
"""weights of small maps that are taken together: numpy is called seldom, and the caches still hold them"""

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Stored = npt.NDArray[Any]


class Pooled(NamedTuple):
    """Some heads."""

    blocks: Floats
    """float32 [heads, blocks of rows, blocks of columns], the largest weight or the sum of each"""
    not_finite: Mask
    """bool [heads]"""
    aside: Floats
    """float32 [heads], mean share of the real rows that was set aside; NaN where no row has any weight"""


class _Rows(NamedTuple):
    """Some rows of some heads, and what is known of each row."""

    values: Stored
    """[heads, rows, columns], weights without faults, or levels"""
    factor: Floats
    """float32 [heads, rows], what a weight, or the square of a level, is multiplied with"""
    total: Floats
    """float32 [heads, rows], of the weights as they are"""
    inside: Floats
    """float32 [heads, rows], the part of `total` that is set aside"""
    any: Mask
    """bool [heads, rows], whether the row has any weight"""
    not_finite: Mask
    """bool [heads]"""


class Pooling:
    """Pools the maps of one layer; its scratch memory goes from one map to the next."""

    def __init__(
        self, shape: tuple[int, int], blocks: tuple[int, int], pool: Pool, real: Mask | None, aside: Keys
    ) -> None:
        self._shape = shape
        self._blocks = blocks
        self._largest = pool == "max"
        self._real = np.ones(shape[0], bool) if real is None else real
        self._aside = aside
        self._kept = other_keys(shape[1], aside)
        self._across = -(-(shape[1] - len(aside)) // blocks[1])
        self._scratch: dict[str, npt.NDArray[np.uint8]] = {}

    def pooled(self, heads: Iterable[Iterable[Strip]]) -> Iterator[Pooled]:
        """Yield all heads in their order, a few at a time."""
        size = max(1, AT_ONCE // max(1, math.prod(self._shape)))
        rest = iter(heads)
        while group := list(islice(rest, size)):
            yield self._group(group)

    def _group(self, group: list[Iterable[Strip]]) -> Pooled:
        count, high = len(group), -(-self._shape[0] // self._blocks[0])
        blocks = np.zeros((count, high, self._across), np.float32)
        not_finite = np.zeros(count, bool)
        aside, counted = np.zeros(count), np.zeros(count)
        for first, stored, sums in self._parts(group):
            rows = self._weights(stored) if sums is None else self._levels(stored, sums)
            not_finite |= rows.not_finite
            scale, mass = left_over(rows.total, rows.inside)
            real = self._real[first : first + stored.shape[1]]
            of_mean = rows.any & real & np.isfinite(mass)
            aside += np.where(of_mean, mass, 0).sum(axis=1)
            counted += of_mean.sum(axis=1)
            factor = rows.factor * real
            if len(self._aside):
                factor *= scale
            self._merge(
                blocks, first, self._columns(rows.values, squared=sums is not None) * factor[..., None]
            )
        mean = np.divide(aside, counted, out=np.full(count, np.nan), where=counted > 0)
        return Pooled(blocks, not_finite, mean.astype(np.float32))

    def _parts(self, group: list[Iterable[Strip]]) -> Iterator[tuple[int, Stored, Floats | None]]:
        """Yield the first row, [heads, rows, columns] and float32 [heads, rows] or None."""
        if len(group) == 1:
            for strip in group[0]:
                yield strip.first, strip.stored[None], None if strip.sums is None else strip.sums[None]
            return
        strips = [(slot, strip) for slot, head in enumerate(group) for strip in head]
        if not strips:
            return
        some = strips[0][1]
        whole = self._memory("whole", (len(group), *self._shape), some.stored.dtype)
        whole[:] = 0
        sums = None if some.sums is None else np.zeros(whole.shape[:2], np.float32)
        for slot, strip in strips:
            rows = slice(strip.first, strip.first + len(strip.stored))
            whole[slot, rows] = strip.stored
            if sums is not None:
                sums[slot, rows] = strip.sums
        yield 0, whole, sums

    def _levels(self, stored: Stored, sums: Floats) -> _Rows:
        levels = self._memory("floats", stored.shape, np.dtype(np.float32))
        np.copyto(levels, stored)
        squares = np.einsum("hrc,hrc->hr", levels, levels)
        some = squares > 0
        factor = np.divide(sums, squares, out=np.zeros_like(squares), where=some)
        inside = np.square(levels[..., self._aside]).sum(axis=-1) * factor
        finite = np.isfinite(factor)
        factor = np.where(finite, factor, 0).clip(0)
        values = stored if self._largest else np.square(levels, out=levels)
        return _Rows(values, factor, np.where(some, sums, 0), inside, some, ~finite.all(axis=1))

    def _weights(self, stored: Stored) -> _Rows:
        weights: Floats = stored.astype(np.float32, copy=False)
        with np.errstate(invalid="ignore", over="ignore"):
            total = np.einsum("hrc->hr", weights)
            inside = weights[..., self._aside].sum(axis=-1)
        not_finite: Mask = np.zeros(len(stored), bool)
        some: Mask = np.any(weights, axis=-1)
        if not np.isfinite(total).all():
            finite = np.isfinite(weights)
            not_finite = np.logical_not(np.all(finite, axis=(1, 2)))
            weights = np.where(finite, weights, np.float32(0))
        if weights.size and weights.min() < 0:
            weights = weights.clip(0)
        return _Rows(weights, np.ones_like(total), total, inside, some, not_finite)

    def _columns(self, values: Stored, squared: bool) -> Floats:
        """Return float32 [heads, rows, blocks of columns]."""
        block, shape = self._blocks[1], (*values.shape[:2], self._across)
        padded = self._padded(values)
        if not self._largest:
            sums: Floats = padded.reshape(-1, block) @ np.ones(block, np.float32)
            return sums.reshape(shape)
        found = self._largest_of(padded.reshape(-1), block).reshape(shape).astype(np.float32)
        return np.square(found) if squared else found

    def _padded(self, values: Stored) -> Stored:
        """Return what is not set aside, with columns of 0 up to a whole number of blocks."""
        columns, width = self._shape[1] - len(self._aside), self._across * self._blocks[1]
        if width == columns == self._shape[1] and values.flags.c_contiguous:
            return values
        padded = self._memory("padded", (*values.shape[:2], width), values.dtype)
        padded[..., :columns] = values[..., self._kept]
        padded[..., columns:] = 0
        return padded

    def _largest_of(self, values: Stored, block: int) -> Stored:
        """Return the largest of each `block` consecutive values.

        Of all windows, each twice as wide as before: whole arrays at once instead of a loop per block.
        """
        width, names = 1, ("even", "odd")
        while width * 2 <= block:
            into = self._memory(names[0], (len(values) - width,), values.dtype)
            values = np.maximum(values[:-width], values[width:], out=into)
            width, names = width * 2, names[::-1]
        # Two windows that overlap cover a block that is no power of two.
        largest: Stored = np.maximum(values[::block], values[block - width :: block])
        return largest

    def _merge(self, blocks: Floats, first: int, rows: Floats) -> None:
        operation, block = np.maximum if self._largest else np.add, self._blocks[0]
        start, end = first // block, -(-(first + rows.shape[1]) // block)
        into = blocks[:, start:end]
        starts = (np.arange(start, end) * block - first).clip(0)
        operation(into, operation.reduceat(rows, starts, axis=1), out=into)

    def _memory(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Stored:
        """Return an array with whatever is in it. New memory costs more than what is computed in it."""
        size = math.prod(shape) * dtype.itemsize
        if name not in self._scratch or len(self._scratch[name]) < size:
            self._scratch[name] = np.empty(size, np.uint8)
        return self._scratch[name][:size].view(dtype).reshape(shape)
