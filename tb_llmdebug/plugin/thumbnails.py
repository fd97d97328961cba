"""Pooled pictures of many heads, small enough to send all at once."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

THUMB_WEIGHTS = 150_000
"""about how many pooled weights all heads of an overview may have together"""
SMALLEST_EDGE, LARGEST_EDGE = 16, 128

Pool = Literal["max", "mean"]


class Thumbnails(NamedTuple):
    """All heads of one layer."""

    rows: int
    columns: int
    pooled: int
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


def thumbnails(weights: npt.NDArray[np.float32], edge: int, pool: Pool) -> Thumbnails:
    """Pool `weights` [heads, queries, keys] to at most `edge` x `edge` and quantise them.

    NaN, infinities and negative weights count as 0 in the pooling; heads that have NaN or infinities are
    marked.
    """
    finite = np.isfinite(weights)
    not_finite = ~finite.all(axis=(1, 2))
    values = np.where(finite & (weights > 0), weights, 0) if not_finite.any() else weights.clip(0)
    block = max(1, -(-max(weights.shape[1:]) // edge))
    pooled = values if block == 1 else _pool(values, block, pool)
    peak = float(pooled.max(initial=0)) or 1.0
    levels = np.sqrt(pooled / peak) * 255 + 0.5
    data = zstandard.ZstdCompressor(level=3).compress(levels.astype(np.uint8).tobytes())
    rows, columns = pooled.shape[1:]
    return Thumbnails(rows, columns, block, peak, data, not_finite.astype(np.uint8).tobytes())


def _pool(values: npt.NDArray[np.float32], block: int, pool: Pool) -> npt.NDArray[np.float32]:
    reduce = np.maximum if pool == "max" else np.add
    rows = np.arange(0, values.shape[1], block)
    columns = np.arange(0, values.shape[2], block)
    pooled = reduce.reduceat(reduce.reduceat(values, rows, axis=1), columns, axis=2)
    if pool == "mean":
        heights = np.diff(np.append(rows, values.shape[1]))
        widths = np.diff(np.append(columns, values.shape[2]))
        pooled = pooled / (heights[:, None] * widths[None, :])
    return pooled.astype(np.float32)
