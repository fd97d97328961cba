"""How far apart two attention maps of the same input are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
AT_ONCE = 1 << 19
"""weights of a map that are worked on at once"""
TILE_ROWS = 256
"""that are stored as one, and so are decoded together"""


def jensen_shannon_distance(a: Floats, b: Floats, query_mask: npt.NDArray[np.bool_] | None = None) -> float:
    """Return the Jensen-Shannon distance of two maps, mean over real query rows.

    Per row the square root of the Jensen-Shannon divergence with logarithms to base 2 (Lin 1991; Endres
    and Schindelin 2003 for the root being a metric), so 0 = equal and 1 = disjoint. Rows are normalised
    first; a row without finite positive weight in both maps is left out, and NaN is returned if none is
    left.

    Args:
        a, b: float [queries, keys].
        query_mask: bool [queries], True = real; None = all real.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> import numpy as np
        >>> jensen_shannon_distance(np.eye(2, dtype=np.float32), 1 - np.eye(2, dtype=np.float32))
        1.0
    """
    if a.shape != b.shape:
        raise ValueError(f"maps of shape {a.shape} and {b.shape} cannot be compared: log equal inputs.")
    with np.errstate(invalid="ignore", over="ignore"):
        p, q = a.astype(np.float64), b.astype(np.float64)
        sums = p.sum(axis=-1), q.sum(axis=-1)
        used = np.isfinite(sums[0]) & np.isfinite(sums[1]) & (sums[0] > 0) & (sums[1] > 0)
    if query_mask is not None:
        used &= query_mask
    if not used.any():
        return float("nan")
    p, q = p[used] / sums[0][used, None], q[used] / sums[1][used, None]
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(np.clip(divergence, 0, 1)).mean())


def jensen_shannon_distances(
    a: Sequence[Floats], b: Sequence[Floats], query_mask: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """Return the distance of each map of `a` to each of `b`, float64 [maps of a, maps of b].

    The same as `jensen_shannon_distance` of every pair up to rounding (about 1e-8 near 0), much faster: the
    divergence is taken as the entropy of the mean less the mean of the entropies, so that each pair costs
    one logarithm per weight.

    Args:
        a, b: float [queries, keys] each.
        query_mask: as there.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> import numpy as np
        >>> one, other = np.eye(2, dtype=np.float32), 1 - np.eye(2, dtype=np.float32)
        >>> jensen_shannon_distances([one, other], [one]).tolist()
        [[0.0], [1.0]]
    """
    if len({weights.shape for weights in (*a, *b)}) > 1:
        raise ValueError("maps of different shapes cannot be compared: log equal inputs.")
    prepared = [_of_array(weights, query_mask) for weights in b]
    distances = np.full((len(a), len(b)), np.nan)
    for row, weights in enumerate(a):
        distances[row] = distances_from(_of_array(weights, query_mask), prepared)
    return distances


def distances_from(one: PreparedMap, others: Sequence[PreparedMap]) -> npt.NDArray[np.float64]:
    """Return the distance of one map to each of the others, float64 [others], as the functions above do."""
    shared = [one.used & other.used for other in others]
    entropies = np.zeros((len(others), one.shape[0]))
    for rows in row_ranges(one.shape):
        here = slice(rows.start, rows.stop)
        p = one.normalised(rows)
        for place, other in enumerate(others):
            if shared[place][here].any():
                middle = other.normalised(rows)
                middle += p
                middle /= 2
                entropies[place, here] = _entropy(middle)
    distances = np.full(len(others), np.nan)
    for place, (other, used) in enumerate(zip(others, shared, strict=True)):
        if used.any():
            divergence = entropies[place] - (one.entropy + other.entropy) / 2
            # Rounding may leave the difference of equal maps a little off 0.
            divergence = np.where(divergence < _ROUNDING, 0, divergence.clip(0, 1))
            distances[place] = np.sqrt(divergence[used]).mean()
    return distances


_ROUNDING = 1e-14
"""that a difference of entropies in float64 cannot tell from 0"""


class PreparedMap:
    """A map and what its pairs share; its weights are asked for each time, for there may be many.

    Args:
        weights_of: returns float [rows, keys] of consecutive rows.
        shape: queries and keys of the whole.
        query_mask: bool [queries], True = real; None = all real.
    """

    def __init__(
        self,
        weights_of: Callable[[range], Floats],
        shape: tuple[int, int],
        query_mask: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._weights_of = weights_of
        self.shape = shape
        self.used = np.ones(shape[0], bool) if query_mask is None else query_mask.copy()
        """bool [queries], rows with finite positive weight"""
        self.odd = np.zeros(shape[0], bool)
        """bool [queries], rows with some negative weight, which are no distributions"""
        self._sums = np.ones((shape[0], 1))
        self.entropy = np.zeros(shape[0])
        for rows in row_ranges(shape):
            here = slice(rows.start, rows.stop)
            weights = weights_of(rows)
            with np.errstate(invalid="ignore", over="ignore"):
                sums = weights.sum(axis=-1, dtype=np.float64)
                self.used[here] &= np.isfinite(sums) & (sums > 0)
                self.odd[here] = (weights < 0).any(axis=-1)
            self._sums[here, 0] = np.where(self.used[here], sums, 1)
            self.entropy[here] = _entropy(self._divided(weights, here))

    def normalised(self, rows: range) -> npt.NDArray[np.float64]:
        """Return float64 [rows, keys]; rows that are not used are 0."""
        return self._divided(self._weights_of(rows), slice(rows.start, rows.stop))

    def _divided(self, weights: Floats, here: slice) -> npt.NDArray[np.float64]:
        rows = np.zeros(weights.shape)
        np.divide(weights, self._sums[here], out=rows, where=self.used[here, None])
        return rows


def row_ranges(shape: tuple[int, int]) -> Iterator[range]:
    """Yield all rows of a map of `shape`, so many at once that few weights are worked on."""
    rows, keys = shape
    at_once = max(1, AT_ONCE // max(1, keys))
    at_once -= at_once % TILE_ROWS if at_once > TILE_ROWS else 0
    for first in range(0, rows, at_once):
        yield range(first, min(first + at_once, rows))


def _of_array(weights: Floats, query_mask: npt.NDArray[np.bool_] | None) -> PreparedMap:
    return PreparedMap(lambda rows: weights[rows.start : rows.stop], weights.shape, query_mask)


def _entropy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return float64 [queries], in bits; weights of 0 or less count as none."""
    logarithms = np.maximum(p, _TINY)
    np.log(logarithms, out=logarithms)
    entropy: npt.NDArray[np.float64] = -np.einsum("ij,ij->i", np.maximum(p, 0), logarithms) / np.log(2)
    return entropy


_TINY = np.finfo(np.float64).tiny


def _relative_entropy(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ratio = np.ones_like(p)
    np.divide(p, q, out=ratio, where=p > 0)
    entropy: npt.NDArray[np.float64] = (p * np.log2(ratio)).sum(axis=-1)
    return entropy
