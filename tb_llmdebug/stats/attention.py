"""Statistics of one layer's attention.

All are means over the real query rows that are finite, of the weights as they were logged:

==============  ==============================================================================
entropy         -sum_k w log2 w, in bits (Shannon); 0 = one key, log2(keys) = uniform
max             the largest weight of a row (the "confidence" of Voita et al. 2019)
first_token     weight on the first real key: an attention sink (Xiao et al. 2023)
diagonal        weight of a position on itself
previous_token  weight of a position on the one before it
distance        sum_k w |query - key|, in tokens
padding         weight on keys that the mask marks as padding
above_diagonal  weight on keys after the query
row_sum_error   |sum_k w - 1|, the largest over the rows
nan, inf        how many weights of real rows are NaN, infinite
==============  ==============================================================================

A statistic that is not defined (positions in rectangular cross-attention, padding without a mask, no
finite row) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

STATISTICS = (
    "entropy",
    "max",
    "first_token",
    "diagonal",
    "previous_token",
    "distance",
    "padding",
    "above_diagonal",
    "row_sum_error",
    "nan",
    "inf",
)

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RowSums:
    """Per row what the checks look at; rows of padding hold NaN in all but `total`."""

    total: Floats
    """[heads, queries], sum of the row"""
    padding: Floats | None
    """[heads, queries], weight on padding; None without a mask"""
    above_diagonal: Floats | None
    """[heads, queries], weight after the query; None for rectangular maps"""


def layer_statistics(
    weights: Floats, query_mask: Mask | None = None, key_mask: Mask | None = None
) -> tuple[Floats, RowSums]:
    """Return the statistics of one layer for one example, and the row sums they came from.

    Args:
        weights: float32 [heads, queries, keys].
        query_mask: bool [queries], True = real; None = all real.
        key_mask: bool [keys], True = real; None = all real.

    Returns:
        float32 [heads, statistics] in the order of `STATISTICS`, and the sums per row.

    Example:
        >>> import numpy as np
        >>> uniform = np.full((1, 4, 4), 0.25, np.float32)
        >>> float(layer_statistics(uniform)[0][0, STATISTICS.index("entropy")])
        2.0
    """
    heads, queries, keys = weights.shape
    square = queries == keys
    with np.errstate(invalid="ignore", over="ignore"):
        total = weights.sum(axis=-1, dtype=np.float32)
        real = np.ones(queries, bool) if query_mask is None else query_mask
        used = np.isfinite(total) & real
        rows = RowSums(
            total,
            None if key_mask is None else _only(weights @ (~key_mask).astype(np.float32), used),
            _only(_masked_sum(weights, np.triu(np.ones((queries, keys), bool), 1)), used) if square else None,
        )
        positions = _position_statistics(weights, used) if square else [_undefined(heads)] * 3
        first = 0 if key_mask is None or not key_mask.any() else int(key_mask.argmax())
        columns = [
            _mean(_entropy(weights), used),
            _mean(weights.max(axis=-1), used) if keys else _undefined(heads),
            _mean(weights[:, :, first], used) if keys else _undefined(heads),
            *positions,
            _undefined(heads) if rows.padding is None else _mean(rows.padding, used),
            _undefined(heads) if rows.above_diagonal is None else _mean(rows.above_diagonal, used),
            np.where(used, np.abs(total - 1), -np.inf).max(axis=-1, initial=-np.inf),
            *_not_finite(weights, total, real),
        ]
    statistics = np.stack(columns, axis=-1).astype(np.float32)
    return np.where(np.isneginf(statistics), np.nan, statistics), rows


def _position_statistics(weights: Floats, used: Mask) -> list[npt.NDArray[np.floating]]:
    queries = weights.shape[1]
    index = np.arange(queries)
    before = index[1:]
    distance = np.abs(index[:, None] - index[None, :]).astype(np.float32)
    return [
        _mean(weights[:, index, index], used),
        _mean(weights[:, before, before - 1], used[:, 1:]),
        _mean(_masked_sum(weights, distance), used),
    ]


def _entropy(weights: Floats) -> Floats:
    logs = np.zeros_like(weights)
    np.log2(weights, out=logs, where=weights > 0)
    entropy: Floats = -np.einsum("hqk,hqk->hq", weights, logs)
    return entropy


def _masked_sum(weights: Floats, factor: npt.NDArray[np.generic]) -> Floats:
    sums: Floats = np.einsum("hqk,qk->hq", weights, factor.astype(np.float32))
    return sums


def _not_finite(weights: Floats, total: Floats, real: Mask) -> list[Floats]:
    if np.isfinite(total).all():
        return [np.zeros(len(weights), np.float32)] * 2
    rows = weights[:, real]
    return [np.isnan(rows).sum(axis=(1, 2)), np.isinf(rows).sum(axis=(1, 2))]


def _only(values: Floats, used: Mask) -> Floats:
    return np.where(used, values, np.float32(np.nan))


def _mean(values: Floats, used: Mask) -> npt.NDArray[np.float64]:
    counts = used.sum(axis=-1)
    sums = np.where(used, values, 0).sum(axis=-1, dtype=np.float64)
    means = np.full(len(values), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _undefined(heads: int) -> Floats:
    return np.full(heads, np.nan, np.float32)
