"""How far apart two attention maps of the same input are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


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
    prepared = [PreparedMap(weights, query_mask) for weights in b]
    distances = np.full((len(a), len(b)), np.nan)
    for row, weights in enumerate(a):
        one = PreparedMap(weights, query_mask)
        distances[row] = distances_from(one, prepared)
    return distances


def distances_from(one: PreparedMap, others: Sequence[PreparedMap]) -> npt.NDArray[np.float64]:
    """Return the distance of one map to each of the others, float64 [others], as the functions above do."""
    distances = np.full(len(others), np.nan)
    p = one.normalised()
    for place, other in enumerate(others):
        used = one.used & other.used
        if not used.any():
            continue
        middle = other.normalised()
        middle += p
        middle /= 2
        divergence = _entropy(middle) - (one.entropy + other.entropy) / 2
        # Rounding may leave the difference of equal maps a little off 0.
        divergence = np.where(divergence < _ROUNDING, 0, divergence.clip(0, 1))
        distances[place] = np.sqrt(divergence[used]).mean()
    return distances


_ROUNDING = 1e-14
"""that a difference of entropies in float64 cannot tell from 0"""


class PreparedMap:
    """A map and what its pairs share; the weights stay as they were given, for there may be many."""

    def __init__(self, weights: Floats, query_mask: npt.NDArray[np.bool_] | None = None) -> None:
        self._weights = weights
        with np.errstate(invalid="ignore", over="ignore"):
            sums = weights.sum(axis=-1, dtype=np.float64)
            self.used = np.isfinite(sums) & (sums > 0)
        if query_mask is not None:
            self.used &= query_mask
        self._sums = np.where(self.used, sums, 1)[:, None]
        self.entropy = _entropy(self.normalised())

    def normalised(self) -> npt.NDArray[np.float64]:
        """Return float64 [queries, keys]; rows that are not used are 0."""
        rows = np.zeros(self._weights.shape)
        np.divide(self._weights, self._sums, out=rows, where=self.used[:, None])
        return rows


def _entropy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return float64 [queries], in bits; weights of 0 or less count as none."""
    logarithms = np.log(np.maximum(p, _TINY))
    entropy: npt.NDArray[np.float64] = -np.einsum("ij,ij->i", np.maximum(p, 0), logarithms) / np.log(2)
    return entropy


_TINY = np.finfo(np.float64).tiny


def _relative_entropy(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ratio = np.ones_like(p)
    np.divide(p, q, out=ratio, where=p > 0)
    entropy: npt.NDArray[np.float64] = (p * np.log2(ratio)).sum(axis=-1)
    return entropy
