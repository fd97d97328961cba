"""Which heads of one record look alike: the most similar head of each.

Comparing every pair exactly takes a logarithm per weight and pair: minutes for 32 layers of 32 heads. Here
most pairs are ruled out by a lower bound of their distance, which costs a matrix product, and only the rest
are compared exactly: the answer is that of comparing all.

The maps are decoded a few rows at a time, again and again: all of them would take four bytes per weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.distance import Floats, PreparedMap, distances_from
from tb_llmdebug.stats.lower_bounds import lower_bounds
from tb_llmdebug.stats.stored import check_stored

PAIRS = 1 << 21
"""bounds that are held at once: 16 MiB"""

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
        group = _Group([[_prepared(attention, *head, place) for head in heads] for place in examples])
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


def _prepared(attention: StoredAttention, layer: int, head: int, example: int) -> PreparedMap:
    shape = len(attention.rows(layer)), attention.message.layers[attention.layer_slot(layer)].keys

    def weights_of(rows: range) -> Floats:
        weights = np.zeros((len(rows), shape[1]), np.float32)
        for first, strip in attention.strips(layer, head, example, rows):
            weights[first - rows.start :][: len(strip)] = strip
        return weights

    return PreparedMap(weights_of, shape, attention.real_rows(layer, example))


class _Group:
    """Maps of equal shape, of each example, and what is known of their distances."""

    def __init__(self, examples: list[list[PreparedMap]]) -> None:
        self._examples = examples
        self._size = len(examples[0])
        self._known: dict[int, float] = {}
        """by the place of the one and of the other, as one number"""

    @property
    def compared(self) -> int:
        """How many pairs were compared exactly."""
        return len(self._known)

    def nearest(self, most: int | None) -> list[tuple[int | None, float]]:
        """Return for each map the place of the nearest other one, and its distance."""
        best: list[tuple[int | None, float]] = [(None, float("nan"))] * self._size
        at_once = max(1, PAIRS // self._size)
        for first in range(0, self._size, at_once):
            some = slice(first, min(first + at_once, self._size))
            for one, bounds in enumerate(self._bounds(some), first):
                self._look_at(one, bounds, best, most)
        return best

    def _look_at(
        self,
        one: int,
        bounds: npt.NDArray[np.float64],
        best: list[tuple[int | None, float]],
        most: int | None,
    ) -> None:
        """Compare one map with the others, the least bound first, while these may be nearer."""
        for other in map(int, np.argsort(bounds, kind="stable")[: np.count_nonzero(~np.isnan(bounds))]):
            # Nothing that follows can be nearer.
            if best[one][0] is not None and bounds[other] >= best[one][1]:
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

    def _bounds(self, some: slice) -> npt.NDArray[np.float64]:
        """Return what the mean distance of some maps to each is at least; NaN where there is none."""
        mean = _mean_of_known(lower_bounds(maps, some) for maps in self._examples)
        places = np.arange(some.start, some.stop)
        mean[places - some.start, places] = np.nan
        return mean

    def _distance(self, one: int, other: int) -> float:
        a, b = min(one, other), max(one, other)
        pair = a * self._size + b
        if pair not in self._known:
            each = [distances_from(maps[a], [maps[b]])[0] for maps in self._examples]
            self._known[pair] = float(np.nanmean(each))
        return self._known[pair]


def _mean_of_known(values: Iterator[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Return the mean of arrays, in the memory of the first; what is NaN in some of them says nothing."""
    total = next(values)
    known = (~np.isnan(total)).astype(np.int32)
    np.nan_to_num(total, copy=False, nan=0.0)
    for one in values:
        # A pair may share rows in some of the examples only, as in `compare`.
        known += ~np.isnan(one)
        total += np.nan_to_num(one, copy=False, nan=0.0)
    with np.errstate(invalid="ignore"):
        total /= known
    return total
