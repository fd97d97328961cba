"""Statistics of one layer's attention.

All are means over the real query rows that are finite, of the weights as they were logged:

==============  ==============================================================================
entropy         -sum_k w log2 w, in bits (Shannon); 0 = one key, log2(keys) = uniform
max             the largest weight of a row (the "confidence" of Voita et al. 2019)
first_token     weight on the first real key: an attention sink (Xiao et al. 2023)
diagonal        weight of a position on itself
previous_token  weight of a position on the one before it, over the rows that have a real one
distance        sum_k w |query - key|, in tokens
padding         weight on keys that the mask marks as padding
above_diagonal  weight on keys after the query
row_sum_error   |sum_k w - 1|, the largest over the rows
nan, inf        how many weights of real rows are NaN, infinite
effective       2 to the power of a row's entropy: as many equally weighted keys have that entropy
special         weight on special tokens, such as [CLS] or <s>
induction       weight on keys that follow an earlier occurrence of the query's token, over the rows that
                have one (Olsson et al. 2022, who measure it on a random sequence that is repeated)
==============  ==============================================================================

A statistic that is not defined (positions in rectangular cross-attention, padding without a mask, special
tokens and induction where the tokens are not known, no finite row) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_llmdebug.stats.known_tokens import KnownTokens

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
    "effective",
    "special",
    "induction",
)

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]
_NOT_MEANS = ("row_sum_error", "nan", "inf")
_MEANS = tuple(name for name in STATISTICS if name not in _NOT_MEANS)


@dataclass(frozen=True, eq=False)
class RowSums:
    """Per row what the checks look at; rows of padding hold NaN in all but `total`."""

    total: Floats
    """[heads, rows], sum of the row"""
    padding: Floats | None
    """[heads, rows], weight on padding; None without a mask"""
    above_diagonal: Floats | None
    """[heads, rows], weight after the query; None for rectangular maps"""


class HeadStatistics:
    """The statistics of the heads of one layer and example, fed with blocks of heads and rows.

    A map of a long context never has to exist as a whole. Every block of the same map is fed once, in any
    order.

    Example:
        >>> import numpy as np
        >>> uniform = np.full((1, 4, 4), 0.25, np.float32)
        >>> statistics = HeadStatistics(heads=1)
        >>> for row in range(4):
        ...     _ = statistics.add(uniform[:, row : row + 1], np.array([row]))
        >>> float(statistics.result()[0, STATISTICS.index("entropy")])
        2.0
    """

    def __init__(self, heads: int) -> None:
        self._sums = np.zeros((heads, len(_MEANS)))
        self._counts = np.zeros((heads, len(_MEANS)), np.int64)
        self._row_sum_error = np.full(heads, -np.inf)
        self._not_finite = np.zeros((heads, 2), np.int64)

    def add(
        self,
        weights: Floats,
        positions: Positions | None,
        query_mask: Mask | None = None,
        key_mask: Mask | None = None,
        heads: slice = slice(None),
        tokens: KnownTokens | None = None,
    ) -> RowSums:
        """Count one block in.

        Args:
            weights: float32 [heads, rows, keys].
            positions: int [rows], the position of each row among the keys; None for rectangular maps,
                whose queries and keys are of different texts.
            query_mask: bool [rows], True = real; None = all real.
            key_mask: bool [keys], True = real; None = all real.
            heads: which heads of the layer the block holds.
            tokens: of the keys, and where `positions` are given of the queries too; None = not known.

        Returns:
            The sums of the block's rows.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            total = weights.sum(axis=-1, dtype=np.float32)
            real = np.ones(weights.shape[1], bool) if query_mask is None else query_mask
            used = np.isfinite(total) & real
            padding = None if key_mask is None else weights @ (~key_mask).astype(np.float32)
            later = None if positions is None else _masked_sum(weights, _later(positions, weights.shape[2]))
            rows = RowSums(total, _only(padding, used), _only(later, used))
            found = _rows(weights, rows, used, positions, key_mask)
            if tokens is not None:
                found |= _token_rows(weights, used, positions, key_mask, tokens)
            for name, (values, counted) in found.items():
                if values is not None:
                    place = _MEANS.index(name)
                    self._sums[heads, place] += np.where(counted, values, 0).sum(axis=-1, dtype=np.float64)
                    self._counts[heads, place] += counted.sum(axis=-1)
            error = np.where(used, np.abs(total - 1), -np.inf).max(axis=-1, initial=-np.inf)
        self._row_sum_error[heads] = np.maximum(self._row_sum_error[heads], error)
        if not np.isfinite(total).all():
            self._not_finite[heads, 0] += np.isnan(weights[:, real]).sum(axis=(1, 2))
            self._not_finite[heads, 1] += np.isinf(weights[:, real]).sum(axis=(1, 2))
        return rows

    def result(self) -> Floats:
        """Return float32 [heads, statistics] in the order of `STATISTICS`."""
        means = np.full(self._sums.shape, np.nan)
        np.divide(self._sums, self._counts, out=means, where=self._counts > 0)
        error = np.where(np.isneginf(self._row_sum_error), np.nan, self._row_sum_error)
        columns = dict(zip(_MEANS, means.T, strict=True))
        columns |= dict(zip(_NOT_MEANS, (error, *self._not_finite.T), strict=True))
        return np.stack([columns[name] for name in STATISTICS], axis=-1).astype(np.float32)


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
    statistics = HeadStatistics(heads)
    rows = statistics.add(weights, np.arange(queries) if queries == keys else None, query_mask, key_mask)
    return statistics.result(), rows


def _rows(
    weights: Floats, rows: RowSums, used: Mask, positions: Positions | None, key_mask: Mask | None
) -> dict[str, tuple[Floats | None, Mask]]:
    """Return by name the value of each row, float [heads, rows], and which rows count."""
    first = 0 if key_mask is None or not key_mask.any() else int(key_mask.argmax())
    entropy = _entropy(weights)
    found: dict[str, tuple[Floats | None, Mask]] = {
        "entropy": (entropy, used),
        "effective": (np.exp2(entropy), used),
        "max": (weights.max(axis=-1), used),
        "first_token": (weights[:, :, first], used),
        "padding": (rows.padding, used),
        "above_diagonal": (rows.above_diagonal, used),
    }
    if positions is not None:
        index = np.arange(len(positions))
        distance = positions.astype(np.float32)[:, None] - np.arange(weights.shape[2], dtype=np.float32)
        found["diagonal"] = (weights[:, index, positions], used)
        # There is none before the first real token. Row 0 wraps around here and does not count either.
        found["previous_token"] = (weights[:, index, positions - 1], used & (positions > first))
        found["distance"] = (_masked_sum(weights, np.abs(distance, out=distance)), used)
    return found


def _token_rows(
    weights: Floats, used: Mask, positions: Positions | None, key_mask: Mask | None, tokens: KnownTokens
) -> dict[str, tuple[Floats | None, Mask]]:
    """Return the same of what depends on the tokens."""
    found: dict[str, tuple[Floats | None, Mask]] = {}
    if tokens.special is not None:
        special = tokens.special if key_mask is None else tokens.special & key_mask
        found["special"] = (weights @ special.astype(np.float32), used)
    if positions is not None:
        after = tokens.after_repeats(positions, key_mask)
        found["induction"] = (_masked_sum(weights, after), used & after.any(axis=1))
    return found


def _later(positions: Positions, keys: int) -> Mask:
    later: Mask = np.arange(keys) > positions[:, None]
    return later


def _entropy(weights: Floats) -> Floats:
    logs = np.zeros_like(weights)
    np.log2(weights, out=logs, where=weights > 0)
    entropy: Floats = -np.einsum("hqk,hqk->hq", weights, logs)
    return entropy


def _masked_sum(weights: Floats, factor: npt.NDArray[np.generic]) -> Floats:
    sums: Floats = np.einsum("hqk,qk->hq", weights, factor.astype(np.float32, copy=False))
    return sums


def _only(values: Floats | None, used: Mask) -> Floats | None:
    return None if values is None else np.where(used, values, np.float32(np.nan))
