"""Which heads of one record look alike: the most similar head of each.

Comparing every pair exactly takes a logarithm per weight and pair: minutes for 32 layers of 32 heads. Here
most pairs are ruled out by a lower bound of their distance, which costs a matrix product, and only the rest
are compared exactly: the answer is that of comparing all.

The bound. Per weight, with u = log(p / q), the Jensen-Shannon divergence of p and q in bits is the sum of
sqrt(pq) (cosh(u/2) - k(u)), k(u) = cosh(u/2) h(1 / (1 + exp u)), h the binary entropy in bits. k is 1 at 0
and falls to 0, and for every u

    1 - k(u) >= sum over j of SHARES[j] (1 - cos(FREQUENCIES[j] u)),

so that the divergence is at least half the squared Euclidean distance of two vectors, those with the parts
sqrt(p) sqrt(1 - sum of SHARES), sqrt(p) sqrt(SHARES[j]) cos(FREQUENCIES[j] log p), and the same with sin.
Without any frequency this is the squared Hellinger distance; with these two the root of the bound is nowhere
less than 99.7 % of the distance. (That the divergence is the squared distance of infinitely many such parts:
Fuglede and Topsoe 2004; that few come close: Vedaldi and Zisserman 2012.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.strips import all_strips
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.distance import Floats, PreparedMap, distances_from
from tb_llmdebug.stats.stored import check_stored

FREQUENCIES = np.array([0.4, 0.98], np.float32)
SHARES = np.array([0.4088, 0.0451], np.float32)
"""almost the largest for which the inequality holds"""
ROUNDING = 1e-5
"""of a squared distance of two vectors in float32, over the larger of their squared lengths"""
NOISE = 1e-6
"""of a distance, from the rounding of the vectors themselves: their lengths are at most 1"""

Head = tuple[int, int]
"""layer and head"""


class SimilarHead(NamedTuple):
    """A head and the one of the same record that looks most like it."""

    layer: int
    head: int
    other: Head | None
    """layer and head of the most similar one; None if there is none to compare with"""
    distance: float
    """Jensen-Shannon distance of the two; NaN if there is none to compare with"""


def most_similar_heads(
    attention: StoredAttention, example: int | None = 0, *, most_pairs: int | None = None
) -> list[SimilarHead]:
    """Return for every head the head of any layer whose map is most similar: which heads are redundant.

    The distance is that of `compare` and `match_heads`: Jensen-Shannon, per row, mean over real query rows,
    of the weights as they were stored, sinks included. Only maps of equal rows and keys are compared; of
    equally similar heads one is named.

    Args:
        attention: from `open_logdir(...).attention(...)`.
        example: its place in the record; None = the mean distance over all examples.
        most_pairs: of heads that are compared exactly before giving up; as many as it takes if not given.

    Returns:
        one entry per head whose weights were stored, by layer and head as in the record.

    Raises:
        InvalidRecordError: no weights were stored, or more than `most_pairs` would have to be compared.
        KeyError: there is no such example.
        DamagedRecordError: the record cannot be read.

    Example:
        >>> import tempfile
        >>> import tb_llmdebug as llmdebug
        >>> maps = np.array([[[[1, 0], [0, 1]], [[1, 0], [1, 0]], [[1, 0], [0.125, 0.875]]]], np.float32)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("decoder", (maps,), step=0)
        ...     stored = llmdebug.open_logdir(logdir).attention(".", "decoder", step=0)
        ...     similar = llmdebug.most_similar_heads(stored)
        >>> [(one.head, one.other, round(one.distance, 2)) for one in similar]
        [(0, (0, 2), 0.13), (1, (0, 2), 0.42), (2, (0, 0), 0.13)]
    """
    check_stored(attention)
    examples = range(len(attention.message.examples)) if example is None else [example]
    for place in examples:
        attention.check_example(place)
    found: dict[Head, SimilarHead] = {}
    left = most_pairs
    for heads in comparable_heads(attention):
        group = _Group([_maps(attention, heads, place) for place in examples])
        nearest = group.nearest(left)
        if left is not None:
            left -= group.compared
        for head, (other, distance) in zip(heads, nearest, strict=True):
            found[head] = SimilarHead(*head, None if other is None else heads[other], distance)
    order = [(layer.layer, head) for layer in attention.message.layers for head in layer.heads]
    return [found[head] for head in order if head in found]


def comparable_heads(attention: StoredAttention) -> list[list[Head]]:
    """Return the heads whose weights were stored, those of equal rows and keys together.

    Raises:
        InvalidRecordError: there are none.
    """
    if not attention.has_map:
        raise InvalidRecordError("this step holds no map, only statistics.")
    groups: dict[object, list[Head]] = {}
    for layer in attention.message.layers:
        if attention.has_weights(layer.layer):
            shape = layer.queries, layer.keys, tuple(layer.rows)
            for head in layer.heads:
                groups.setdefault(shape, []).append((layer.layer, head))
    if not groups:
        raise InvalidRecordError(
            "only pooled maps of this step were kept, which hold no distance of weights."
        )
    return list(groups.values())


def _maps(attention: StoredAttention, heads: list[Head], example: int) -> Floats:
    """Return float32 [heads, real rows, keys]."""
    real = attention.real_rows(heads[0][0], example)
    first = attention.weights(*heads[0], example)
    rows = slice(None) if real is None else real
    maps = np.empty((len(heads), *first[rows].shape), np.float32)
    slots: dict[int, list[int]] = {}
    for place, (layer, _) in enumerate(heads):
        slots.setdefault(layer, []).append(place)
    for layer, places in slots.items():
        for place, strips in zip(places, all_strips(attention, layer, example), strict=True):
            whole = np.zeros_like(first)
            for start, strip in strips:
                whole[start : start + len(strip)] = strip
            maps[place] = whole[rows]
    return maps


class _Group:
    """Maps of equal shape, and what is known of their distances."""

    def __init__(self, examples: list[Floats]) -> None:
        self._prepared = [[PreparedMap(one) for one in maps] for maps in examples]
        self._size = len(examples[0])
        # A pair may share rows in some of the examples only; as in `compare`, the others say nothing.
        with np.errstate(invalid="ignore"):
            bounds = [
                lower_bounds(maps, np.array([one.used for one in prepared]))
                for maps, prepared in zip(examples, self._prepared, strict=True)
            ]
        self._least = _mean_of_known(bounds)
        np.fill_diagonal(self._least, np.nan)
        self._known: dict[tuple[int, int], float] = {}

    @property
    def compared(self) -> int:
        """How many pairs were compared exactly."""
        return len(self._known)

    def nearest(self, most: int | None) -> list[tuple[int | None, float]]:
        """Return for each map the place of the nearest other one, and its distance."""
        best: list[tuple[int | None, float]] = [(None, float("nan"))] * self._size
        for one in range(self._size):
            for other in map(int, self._order(one)):
                # Nothing that follows can be nearer.
                if best[one][0] is not None and self._least[one, other] >= best[one][1]:
                    break
                distance = self._distance(one, other)
                if most is not None and self.compared > most:
                    raise InvalidRecordError(
                        f"more than {most:,} pairs of heads are about as alike as the most similar ones: "
                        "look at fewer layers or a later step."
                    )
                for a, b in ((one, other), (other, one)):
                    if best[a][0] is None or distance < best[a][1]:
                        best[a] = b, distance
        return best

    def _order(self, one: int) -> npt.NDArray[np.intp]:
        """Return the places of the maps that have a distance from one, the least bound first."""
        bounds = self._least[one]
        return np.argsort(bounds, kind="stable")[: np.count_nonzero(~np.isnan(bounds))]

    def _distance(self, one: int, other: int) -> float:
        pair = min(one, other), max(one, other)
        if pair not in self._known:
            a, b = pair
            each = [distances_from(maps[a], [maps[b]])[0] for maps in self._prepared]
            self._known[pair] = float(np.nanmean(each))
        return self._known[pair]


def lower_bounds(maps: Floats, used: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return what the distance of each pair of maps is at least, float64 [maps, maps]; NaN if no row counts.

    Args:
        maps: float32 [maps, rows, keys].
        used: bool [maps, rows], rows with finite positive weight.
    """
    count, rows, _ = maps.shape
    total = np.zeros((count, count))
    for row in range(rows):
        here = used[:, row]
        weights = maps[:, row]
        with np.errstate(invalid="ignore"):
            odd = here & (weights < 0).any(axis=-1)
        least = _row_bounds(np.where((here & ~odd)[:, None], weights, 0))
        # Nothing is known of what is no distribution.
        unknown = ~here | odd
        least[unknown] = least[:, unknown] = 0
        total += least
    shared = used.astype(np.float64) @ used.T.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(shared > 0, total / shared, np.nan)


def _row_bounds(weights: Floats) -> Floats:
    """Return float32 [maps, maps] for one row of each map, float32 [maps, keys]."""
    seen = np.flatnonzero(weights.any(axis=0))
    p = weights[:, : seen[-1] + 1 if len(seen) else 0]
    p = (p / np.maximum(p.sum(axis=-1, keepdims=True, dtype=np.float64), _TINY)).astype(np.float32)
    angles = FREQUENCIES[:, None, None] * np.log(np.maximum(p, _TINY))
    scale = np.sqrt(SHARES)[:, None, None]
    constant = np.full((1, *p.shape), np.sqrt(1 - SHARES.sum()), np.float32)
    parts = np.concatenate([constant, scale * np.cos(angles), scale * np.sin(angles)]) * np.sqrt(p)
    features = np.concatenate(list(parts), axis=1)
    # Rounding is of the size of what is multiplied: the less the better.
    features -= features.mean(axis=0)
    lengths = np.einsum("ij,ij->i", features, features)
    squares = (lengths[:, None] + lengths) / 2 - features @ features.T
    squares -= np.float32(ROUNDING) * np.maximum(lengths[:, None], lengths)
    bounds: Floats = np.maximum(np.sqrt(np.maximum(squares, 0)) - np.float32(NOISE), 0)
    return bounds


_TINY = np.finfo(np.float32).tiny


def _mean_of_known(values: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    known = np.array([~np.isnan(one) for one in values])
    total = np.nansum(values, axis=0)
    with np.errstate(invalid="ignore"):
        mean: npt.NDArray[np.float64] = total / known.sum(axis=0)
    return mean
