"""Two logged attentions held against each other, head by head and over all examples they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.distance import jensen_shannon_distance, jensen_shannon_distances
from tb_llmdebug.stats.rounding import rounding_floor
from tb_llmdebug.stats.stored import check_stored
from tb_llmdebug.wire import record_pb2


class HeadChange(NamedTuple):
    """How far one head is from itself elsewhere."""

    layer: int
    head: int
    mean: float
    """Jensen-Shannon distance, mean over the examples"""
    spread: float
    """its standard deviation over the examples"""


class HeadMatch(NamedTuple):
    """A head of one attention and the head of the other that looks most like it."""

    layer: int
    head: int
    other: int
    distance: float
    """Jensen-Shannon distance of the two, mean over the examples"""


@dataclass(frozen=True, eq=False)
class LayerComparison:
    """One layer that both have."""

    layer: int
    heads: tuple[int, ...]
    distances: npt.NDArray[np.float64]
    """float64 [examples, heads], Jensen-Shannon distances, mean over real query rows; NaN if none counts"""
    floor: float
    """what rounding alone can make (`stats.rounding`); a smaller distance cannot be told from 0"""


@dataclass(frozen=True, eq=False)
class AttentionComparison:
    """All layers and examples that two attentions share."""

    layers: tuple[LayerComparison, ...]
    examples: tuple[tuple[int, int], ...]
    """places of equal inputs in the one and in the other"""

    def most_changed(self, count: int | None = None) -> list[HeadChange]:
        """Return the heads by their mean distance, the largest first; heads without one come last."""
        changes = [
            HeadChange(layer.layer, head, *_mean_and_spread(layer.distances[:, place]))
            for layer in self.layers
            for place, head in enumerate(layer.heads)
        ]
        changes.sort(key=lambda change: -change.mean if change.mean == change.mean else np.inf)
        return changes[:count]


def compare(
    a: StoredAttention, b: StoredAttention, examples: Iterable[tuple[int, int]] | None = None
) -> AttentionComparison:
    """Compare two logged attentions, such as a checkpoint and its base.

    Only examples of equal tokens are compared: else a difference between inputs would be taken for
    learning. Where no tokens were logged, the first example is held against the first and so on.

    Args:
        a, b: from `open_logdir(...).attention(...)`.
        examples: pairs of places; all that have equal tokens if not given.

    Raises:
        InvalidRecordError: the two cannot be compared; the sentence says why.
        DamagedRecordError: one of them cannot be read.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> same = np.full((1, 2, 2, 2), 0.5, np.float32)
        >>> moved = same.copy()
        >>> moved[0, 1] = [[1, 0], [0, 1]]
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("encoder", (same,), step=0)
        ...         _ = llmdebug.log_attention("encoder", (moved,), step=1)
        ...     opened = llmdebug.open_logdir(logdir)
        ...     before, after = (opened.attention(".", "encoder", step=step) for step in (0, 1))
        ...     change = llmdebug.compare(before, after).most_changed(1)[0]
        >>> change.head, round(change.mean, 3)
        (1, 0.558)
    """
    check_stored(a, b)
    pairs = tuple(equal_inputs(a, b) if examples is None else examples)
    shared = list(shared_layers(a, b))
    layers = []
    for mine, other in shared:
        heads = tuple(head for head in mine.heads if head in set(other.heads))
        distances = np.array(
            [
                [
                    jensen_shannon_distance(
                        a.weights(mine.layer, head, first),
                        b.weights(mine.layer, head, second),
                        _real_rows(a, b, mine.layer, (first, second)),
                    )
                    for head in heads
                ]
                for first, second in pairs
            ]
        ).reshape(len(pairs), len(heads))
        floor = rounding_floor(a, mine.layer, b, other.layer)
        layers.append(LayerComparison(mine.layer, heads, distances, floor))
    return AttentionComparison(tuple(layers), pairs)


def match_heads(
    a: StoredAttention, b: StoredAttention, examples: Iterable[tuple[int, int]] | None = None
) -> list[HeadMatch]:
    """Pair the heads of each layer so that they are as alike as can be: heads have no order of their own.

    The sum of the Jensen-Shannon distances over the pairs of a layer is the least that any assignment has
    (Kuhn 1955; `scipy.optimize.linear_sum_assignment`). Heads without a finite row in common with any that
    is left for them are left out. Needs SciPy: install tb-llmdebug[ml].

    Args:
        a, b, examples: as for `compare`.

    Raises:
        InvalidRecordError: the two cannot be compared, or SciPy is missing; the sentence says so.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> maps = np.stack([np.eye(3), np.ones((3, 3)) / 3])[None].astype(np.float32)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("encoder", (maps,), step=0)
        ...         _ = llmdebug.log_attention("encoder", (maps[:, ::-1],), step=1)
        ...     opened = llmdebug.open_logdir(logdir)
        ...     matches = llmdebug.match_heads(*(opened.attention(".", "encoder", step=s) for s in (0, 1)))
        >>> [(match.head, match.other) for match in matches]
        [(0, 1), (1, 0)]
    """
    check_stored(a, b)
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise InvalidRecordError(
            "heads are matched with SciPy, which is not installed: pip install tb-llmdebug[ml]."
        ) from error
    pairs = tuple(equal_inputs(a, b) if examples is None else examples)
    matches = []
    for mine, other in shared_layers(a, b):
        costs = _mean_of_known(np.array([_costs(a, b, mine, other, pair) for pair in pairs]))
        rows, columns = linear_sum_assignment(np.nan_to_num(costs, nan=1.0))
        matches += [
            HeadMatch(mine.layer, mine.heads[row], other.heads[column], float(costs[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if not np.isnan(costs[row, column])
        ]
    return matches


def equal_inputs(a: StoredAttention, b: StoredAttention) -> list[tuple[int, int]]:
    """Return the places of examples that have equal tokens, each once.

    Raises:
        InvalidRecordError: there are none.
    """
    left = [input_of(b, place) for place in range(len(b.message.examples))]
    pairs = []
    for place in range(len(a.message.examples)):
        tokens = input_of(a, place)
        if tokens in left:
            other = left.index(tokens)
            pairs.append((place, other))
            left[other] = None
    if not pairs:
        raise InvalidRecordError(
            "the two are of different inputs, so a difference would not be learning: log the same probe."
        )
    return pairs


def shared_layers(
    a: StoredAttention, b: StoredAttention
) -> Iterator[tuple[record_pb2.Layer, record_pb2.Layer]]:
    """Yield the layers of equal number, size and rows of which both hold the weights.

    Raises:
        InvalidRecordError: there are none.
    """
    others = {layer.layer: layer for layer in b.message.layers}
    alike = [
        (layer, others[layer.layer])
        for layer in a.message.layers
        if layer.layer in others and _shape(layer) == _shape(others[layer.layer])
    ]
    found = [pair for pair in alike if a.has_weights(pair[0].layer) and b.has_weights(pair[0].layer)]
    if not (a.has_map and b.has_map):
        raise InvalidRecordError("one of the two steps holds no map, only statistics.")
    if alike and not found:
        raise InvalidRecordError(
            "only pooled maps of these steps were kept, which hold no distance of weights."
        )
    if not found:
        raise InvalidRecordError("the two have no layer of the same number and shape.")
    yield from found


def _costs(
    a: StoredAttention,
    b: StoredAttention,
    mine: record_pb2.Layer,
    other: record_pb2.Layer,
    pair: tuple[int, int],
) -> npt.NDArray[np.float64]:
    """Return float64 [heads of a, heads of b], the distances in one example."""
    first, second = pair
    return jensen_shannon_distances(
        [a.weights(mine.layer, head, first) for head in mine.heads],
        [b.weights(other.layer, head, second) for head in other.heads],
        _real_rows(a, b, mine.layer, pair),
    )


def _real_rows(
    a: StoredAttention, b: StoredAttention, layer: int, pair: tuple[int, int]
) -> npt.NDArray[np.bool_] | None:
    """Return bool [rows], True where neither of the two has padding; None = all real."""
    first, second = a.real_rows(layer, pair[0]), b.real_rows(layer, pair[1])
    if first is None or second is None:
        return second if first is None else first
    return first & second


def input_of(stored: StoredAttention, place: int) -> object:
    """Return what is equal for equal inputs: the hashes, which are known even where tokens are lost.

    Raises:
        KeyError: there is no such example.
    """
    stored.check_example(place)
    entry = stored.message.examples[place]
    known = entry.query_tokens, entry.key_tokens
    return known if any(known) else place


def _mean_of_known(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean over the first axis of what is not NaN; NaN where nothing else is."""
    counts = (~np.isnan(distances)).sum(axis=0)
    means = np.full(counts.shape, np.nan)
    np.divide(np.nansum(distances, axis=0), counts, out=means, where=counts > 0)
    return means


def _shape(layer: record_pb2.Layer) -> tuple[int, int, list[int]]:
    return layer.queries, layer.keys, list(layer.rows)


def _mean_and_spread(distances: npt.NDArray[np.float64]) -> tuple[float, float]:
    known = distances[~np.isnan(distances)]
    return (float(known.mean()), float(known.std())) if known.size else (float("nan"), float("nan"))
