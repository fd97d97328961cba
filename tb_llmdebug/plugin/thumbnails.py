"""Pooled pictures of many heads, small enough to send all at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.plugin.pooling import Pooling
from tb_llmdebug.reading.attention import Pool
from tb_llmdebug.stats.sinks import Keys
from tb_llmdebug.wire.tiles import Strip

THUMB_WEIGHTS = 150_000
"""about how many pooled weights all heads of an overview may have together"""
SMALLEST_EDGE, LARGEST_EDGE = 16, 128

LEAST_ROWS = 16
"""of a thumbnail: a few query rows of a long context must not become one"""

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Thumbnails(NamedTuple):
    """All heads of one layer."""

    rows: int
    columns: int
    blocks: tuple[int, int]
    """rows and columns of one block"""
    peak: float
    data: bytes
    """u8 [heads, rows, columns]"""
    not_finite: bytes
    aside: Floats
    """float32 [heads], mean share that was set aside, NaN where no row has any; empty if nothing was to be"""


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
    real: Mask | None = None,
    aside: Keys | None = None,
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
        aside: columns to set aside (see `stats.sinks.set_aside`); None = none.
    """
    rows, columns = shape[0], shape[1] - (0 if aside is None else len(aside))
    block = max(1, -(-max(rows, columns) // edge))
    blocks = max(1, min(block, rows // LEAST_ROWS)), max(1, min(block, shape[1] // LEAST_ROWS))
    none = np.empty(0, np.intp)
    parts = list(Pooling(shape, blocks, pool, real, none if aside is None else aside).pooled(heads))
    pooled = np.concatenate([part.blocks for part in parts])
    if pool == "mean":
        pooled *= _share_of_block(rows, columns, blocks, real)
    peak = float(pooled.max(initial=0)) or 1.0
    levels = np.sqrt(pooled * np.float32(1 / peak))
    levels *= 255
    levels += 0.5
    data = levels.astype(np.uint8).tobytes()
    not_finite = np.concatenate([part.not_finite for part in parts]).tobytes()
    masses = [] if aside is None else [part.aside for part in parts]
    found = np.concatenate([np.empty(0, np.float32), *masses])
    _, high, wide = pooled.shape
    return Thumbnails(high, wide, blocks, peak, data, not_finite, found)


def _share_of_block(rows: int, columns: int, blocks: tuple[int, int], real: Mask | None) -> Floats:
    """Return what a sum over a block is multiplied with to be a mean, float32 [blocks, blocks].

    Rows of padding do not count, and blocks at the end may be smaller than the others.
    """
    heights = np.ones(rows) if real is None else real.astype(float)
    heights = np.add.reduceat(heights, np.arange(0, rows, blocks[0]))
    widths = np.diff(np.append(np.arange(0, columns, blocks[1]), columns))
    counts = heights[:, None] * widths
    share: Floats = np.divide(1, counts, out=np.zeros_like(counts), where=counts > 0).astype(np.float32)
    return share
