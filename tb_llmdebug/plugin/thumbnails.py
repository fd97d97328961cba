"""Pooled pictures of many heads, small enough to send all at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from tb_llmdebug.reading.attention import Pool
from tb_llmdebug.stats.pooling import Pooling

THUMB_WEIGHTS = 150_000
"""about how many pooled weights all heads of an overview may have together"""
SMALLEST_EDGE, LARGEST_EDGE = 16, 128

LEAST_ROWS = 16
"""of a thumbnail: a few query rows of a long context must not become one"""

Strip = tuple[int, npt.NDArray[np.float32]]
"""the first row, and float32 [rows, columns]"""


class Thumbnails(NamedTuple):
    """All heads of one layer."""

    rows: int
    columns: int
    blocks: tuple[int, int]
    """rows and columns of one block"""
    peak: float
    data: bytes
    not_finite: bytes


def edge_for(heads: int) -> int:
    """Return the edge of a thumbnail when `heads` of them are shown.

    Example:
        >>> edge_for(144), edge_for(4096), edge_for(16)
        (32, 16, 96)
    """
    return min(LARGEST_EDGE, max(SMALLEST_EDGE, math.isqrt(THUMB_WEIGHTS // max(1, heads))))


def thumbnails(
    heads: Iterable[Iterable[Strip]],
    shape: tuple[int, int],
    edge: int,
    pool: Pool,
    real: npt.NDArray[np.bool_] | None = None,
) -> Thumbnails:
    """Pool the maps of `heads` to about `edge` x `edge` and quantise them.

    NaN, infinities and negative weights count as 0 in the pooling; heads that have NaN or infinities are
    marked.

    Args:
        heads: the rows of each head, a strip at a time; rows that no strip holds are 0.
        shape: rows and columns of a whole map.
        edge: most rows and columns of a thumbnail, if the map is not very oblong.
        pool: "max" or "mean".
        real: bool [rows]; rows of padding are left out.
    """
    block = max(1, -(-max(shape) // edge))
    blocks = max(1, min(block, shape[0] // LEAST_ROWS)), max(1, min(block, shape[1] // LEAST_ROWS))
    pictures, not_finite = [], bytearray()
    for strips in heads:
        pooling = Pooling((1, *shape), blocks)
        broken = False
        for first, values in strips:
            finite = np.isfinite(values)
            broken |= not finite.all()
            values = np.where(finite, values, np.float32(0)).clip(0)
            pooling.add(
                values[None], slice(0, 1), first, None if real is None else real[first:][: len(values)]
            )
        pictures.append((pooling.max() if pool == "max" else pooling.mean())[0])
        not_finite.append(broken)
    pooled = np.stack(pictures)
    peak = float(pooled.max(initial=0)) or 1.0
    levels = np.sqrt(pooled / peak) * 255 + 0.5
    data = zstandard.ZstdCompressor(level=3).compress(levels.astype(np.uint8).tobytes())
    _, rows, columns = pooled.shape
    return Thumbnails(rows, columns, blocks, peak, data, bytes(not_finite))
