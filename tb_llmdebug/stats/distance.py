"""How far apart two attention maps of the same input are."""

from __future__ import annotations

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


def _relative_entropy(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ratio = np.ones_like(p)
    np.divide(p, q, out=ratio, where=p > 0)
    entropy: npt.NDArray[np.float64] = (p * np.log2(ratio)).sum(axis=-1)
    return entropy
