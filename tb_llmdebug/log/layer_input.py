"""What is kept of one layer, and memory of its own for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.buffers import held_copies, held_copy
from tb_llmdebug.capture.landing import Landing, array_of, index_for
from tb_llmdebug.capture.taps import LayerTaps
from tb_llmdebug.log.vectors import VectorSource
from tb_llmdebug.records import InvalidRecordError

BLOCK_WEIGHTS = 1 << 21
"""weights that are worked on at once; a map beyond this is never whole in memory because of us"""

KeptBlock = Callable[[int, slice, slice], npt.NDArray[Any]]


class LayerInput(NamedTuple):
    """The kept part of one layer."""

    layer: int
    label: str
    heads: tuple[int, ...]
    shape: tuple[int, int, int, int]
    """[examples, heads, rows, keys] of what is kept"""
    queries: int
    """rows of the whole map"""
    block: KeptBlock
    """gives [heads, rows, keys] of one example; all three are places in `shape`"""
    weights: npt.NDArray[Any] | None = None
    """all that is kept; None if only `block` can give it"""
    land: Callable[[], npt.NDArray[Any]] | None = None
    """starts a copy of all that is kept from a GPU; None if it lies on none"""
    borrowed: bool = False
    """`weights` is the caller's memory, which may change once the call is over"""
    rows: tuple[int, ...] | None = None
    """query positions kept; None = all"""
    all_heads: int = 0
    """heads of the layer, kept or not"""
    key_value_heads: int = 0
    cross: bool = False
    """queries and keys are of different texts"""
    window: int = 0
    """keys that a query sees, itself included; 0 = none is known"""
    values: npt.NDArray[Any] | None = None
    """[examples, heads, keys, size], the value vectors that the kept heads look at"""
    vectors: VectorSource | None = None
    """where query, key and value vectors are to be had; None = they are not wanted"""

    @property
    def square(self) -> bool:
        """Whether queries and keys are the same positions, so that a diagonal means something."""
        return not self.cross and self.queries == self.shape[3]

    def positions(self) -> npt.NDArray[np.intp]:
        """Return the query position of each kept row."""
        return np.arange(self.queries) if self.rows is None else np.array(self.rows, np.intp)

    def size(self) -> int:
        """Return how many weights are kept."""
        return math.prod(self.shape)

    def nbytes(self) -> int:
        """Return how much memory this holds."""
        return sum(array.nbytes for array in (self.weights, self.values) if array is not None)

    def holding(self, weights: npt.NDArray[Any]) -> LayerInput:
        """Return the same with its weights in other memory."""
        return self._replace(weights=weights, block=block_of(weights), borrowed=False)

    def owned(self) -> LayerInput:
        """Return the same in memory that nobody else changes."""
        if self.weights is None or not self.borrowed:
            return self
        return self.holding(held_copy(self.weights))

    def landing(self) -> LayerInput:
        """Return the same with all of its weights in memory of its own, or on their way there from a GPU."""
        return self.computed() if self.land is None else self.holding(self.land())

    def computed(self) -> LayerInput:
        """Return the same with all of its weights in memory of its own."""
        if self.weights is not None:
            return self.owned()
        weights = np.empty(self.shape, np.float32)
        for example in range(len(weights)):
            for heads, rows in blocks(*self.shape[1:]):
                weights[example, heads, rows] = self.block(example, heads, rows)
        return self.holding(weights)

    def with_values(self, values: Any, examples: tuple[int, ...], landing: Landing) -> LayerInput:
        """Return the same with value vectors [batch, key-value heads, keys, size] of the layer.

        Raises:
            InvalidRecordError: they do not fit the weights.
        """
        host = array_of(values, f"values of layer {self.layer}")
        array, keys = host.array, self.shape[3]
        fits = array.ndim == 4 and array.shape[2] == keys and array.shape[0] > max(examples)
        if not fits or array.shape[1] == 0 or self.all_heads % array.shape[1]:
            raise InvalidRecordError(
                f"values of layer {self.layer} have shape {list(array.shape)}: expected [batch, head, key, "
                f"size] with {keys} keys and a number of heads that divides {self.all_heads}."
            )
        group = self.all_heads // array.shape[1]
        kept = landing.of(select(array, examples, tuple(head // group for head in self.heads)))
        if host.mutable and np.shares_memory(kept, array):
            kept = held_copy(kept)
        return self._replace(values=kept, key_value_heads=self.key_value_heads or array.shape[1])

    def with_vectors(self, taps: LayerTaps, examples: tuple[int, ...]) -> LayerInput:
        """Return the same with the vectors that `taps` show, to be read when there is room for them."""
        # While a model decodes with a cache, positions count from the beginning of the text.
        places = self.positions() - (self.queries - known_shape(taps)[2])
        source = VectorSource(taps, examples, self.heads, self.all_heads, places)
        return self._replace(vectors=source)


@dataclass
class Alike:
    """A layer of the shape and type of the one before it."""

    layer: int
    label: str
    weights: npt.NDArray[Any]
    """of the kept examples and heads"""
    borrowed: bool

    def holding(self, weights: npt.NDArray[Any]) -> Alike:
        """Return the same with its weights in other memory."""
        return Alike(self.layer, self.label, weights, False)

    def after(self, last: LayerInput) -> LayerInput:
        """Return the whole of it, which but for this is what `last` is, the layer before it."""
        return last._replace(layer=self.layer, label=self.label).holding(self.weights)

    def nbytes(self) -> int:
        """Return how much memory this holds."""
        return self.weights.nbytes


def owned(layers: Sequence[LayerInput | Alike]) -> list[LayerInput | Alike]:
    """Return the same layers in memory that nobody else changes."""
    copies = iter(held_copies([one.weights for one in layers if one.borrowed and one.weights is not None]))
    return [one.holding(next(copies)) if one.borrowed else one for one in layers]


def in_full(layers: Sequence[LayerInput | Alike]) -> Iterator[LayerInput]:
    """Yield what was put off as the whole layers that it stands for; the first is whole."""
    last: LayerInput | None = None
    for layer in layers:
        if isinstance(layer, LayerInput):
            last = layer
        else:
            assert last is not None, "a layer is like the one before it"
            last = layer.after(last)
        yield last


def blocks(heads: int, rows: int, keys: int) -> Iterator[tuple[slice, slice]]:
    """Yield heads and rows of blocks of about BLOCK_WEIGHTS weights: all heads at once if that fits."""
    rows_at_once = max(1, min(rows, BLOCK_WEIGHTS // keys))
    heads_at_once = max(1, BLOCK_WEIGHTS // (rows_at_once * keys))
    for head in range(0, heads, heads_at_once):
        for row in range(0, rows, rows_at_once):
            yield slice(head, min(head + heads_at_once, heads)), slice(row, min(row + rows_at_once, rows))


def block_of(array: npt.NDArray[Any]) -> KeptBlock:
    """Return what gives a part of `array`, which holds all that is kept."""

    def block(example: int, heads: slice, rows: slice) -> npt.NDArray[Any]:
        return array[example, heads, rows]

    return block


def known_shape(taps: LayerTaps) -> tuple[int, ...]:
    """Return the shape of what `taps` show.

    Raises:
        InvalidRecordError: they show no values.
    """
    known = tuple(size for size in taps.shape if size is not None)
    if taps.block is None or len(known) != 4:
        raise InvalidRecordError(
            "taps of a graph hold no values: return their weights() from the graph and log these outside."
        )
    return known


def select(array: npt.NDArray[Any], examples: tuple[int, ...], heads: tuple[int, ...]) -> npt.NDArray[Any]:
    """Select without a copy where the selection is a prefix of the batch."""
    of_batch, of_heads = places(array, examples, heads)
    selected: npt.NDArray[Any] = array[of_batch][:, of_heads]
    return selected


def places(array: Any, examples: tuple[int, ...], heads: tuple[int, ...]) -> tuple[Any, Any]:
    """Return what selects the kept examples of `array`, and then the kept heads."""
    prefix, every = tuple(range(len(examples))), tuple(range(array.shape[1]))
    return (
        slice(len(examples)) if examples == prefix else index_for(array, examples),
        slice(None) if heads == every else index_for(array, heads),
    )
