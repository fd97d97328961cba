"""The layers, heads, examples and rows of an attention that are to be kept, one layer at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.buffers import held_copy
from tb_llmdebug.capture.host import to_host
from tb_llmdebug.capture.taps import LayerTaps
from tb_llmdebug.log.layers import check_shapes
from tb_llmdebug.records import InvalidRecordError

DEFAULT_EXAMPLES = 8
"""examples kept of a larger batch when the user chooses none"""

KeptBlock = Callable[[int, slice, slice], npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class LayerInput:
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
    borrowed: bool = False
    """`weights` is the caller's memory, which may change once the call is over"""
    rows: tuple[int, ...] | None = None
    """query positions kept; None = all"""
    all_heads: int = 0
    """heads of the layer, kept or not"""
    key_value_heads: int = 0
    cross: bool = False
    """queries and keys are of different texts"""
    values: npt.NDArray[Any] | None = None
    """[examples, heads, keys, size], the value vectors that the kept heads look at"""

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

    def owned(self) -> LayerInput:
        """Return the same in memory that nobody else changes."""
        if self.weights is None or not self.borrowed:
            return self
        own = held_copy(self.weights)
        return replace(self, weights=own, block=_block_of(own), borrowed=False)

    def with_values(self, values: Any, examples: tuple[int, ...]) -> LayerInput:
        """Return the same with value vectors [batch, key-value heads, keys, size] of the layer.

        Raises:
            InvalidRecordError: they do not fit the weights.
        """
        host = to_host(values, f"values of layer {self.layer}")
        array, keys = host.array, self.shape[3]
        fits = array.ndim == 4 and array.shape[2] == keys and array.shape[0] > max(examples)
        if not fits or array.shape[1] == 0 or self.all_heads % array.shape[1]:
            raise InvalidRecordError(
                f"values of layer {self.layer} have shape {list(array.shape)}: expected [batch, head, key, "
                f"size] with {keys} keys and a number of heads that divides {self.all_heads}."
            )
        group = self.all_heads // array.shape[1]
        kept = _select(array, examples, tuple(head // group for head in self.heads))
        if host.mutable and np.shares_memory(kept, array):
            kept = held_copy(kept)
        return replace(self, values=kept, key_value_heads=self.key_value_heads or array.shape[1])


class LayerReader:
    """Reads what is to be kept of layers that come one after the other.

    `batch` and `examples` are known from the first layer on.
    """

    def __init__(
        self,
        layers: Iterable[int] | None = None,
        heads: Iterable[int] | None = None,
        examples: Iterable[int] | None = None,
        rows: Iterable[int] | None = None,
    ) -> None:
        self._layers = None if layers is None else set(layers)
        self._heads = None if heads is None else tuple(sorted(set(heads)))
        self._wanted_examples = examples
        self._rows = None if rows is None else tuple(sorted(set(rows)))
        self._first: list[tuple[str, tuple[int, ...]]] = []
        self._numbers: set[int] = set()
        self.batch = 0
        self.examples: tuple[int, ...] = ()

    def read(self, number: int, label: str, value: Any, *, own: bool = False) -> LayerInput | None:
        """Return what is kept of layer `number`; None if it was not asked for.

        Args:
            number: of the layer.
            label: its name, may be empty.
            value: `LayerTaps`, or an array or tensor [batch, heads, query, key].
            own: copy what the caller may change before it is used.

        Raises:
            InvalidRecordError: the layer is mistaken, with the reason in one sentence.
        """
        host = None if isinstance(value, LayerTaps) else to_host(value, f"layer {number}")
        shape = _known_shape(value) if host is None else host.array.shape
        if not self._first:
            self._first.append((f"layer {number}", shape))
        check_shapes([*self._first, (f"layer {number}", shape)])
        if not self._numbers:
            self.batch = shape[0]
            self.examples = _kept_examples(self.batch, self._wanted_examples)
        self._numbers.add(number)
        if self._layers is not None and number not in self._layers:
            return None
        heads, rows = self._kept_heads(number, shape[1]), self._kept_rows(number, shape)
        if host is None:
            return _from_taps(value, self.examples, heads, rows)
        return _from_array(number, label, host, self.examples, heads, rows, own)

    def end(self) -> None:
        """Say that no more layers come.

        Raises:
            InvalidRecordError: there were none, or not all that were asked for.
        """
        check_shapes(self._first)
        if self._layers is not None and not self._layers <= self._numbers:
            missing = sorted(self._layers - self._numbers)
            raise InvalidRecordError(
                f"layers={missing} were asked for and are not there: there are {sorted(self._numbers)}."
            )

    def _kept_heads(self, number: int, available: int) -> tuple[int, ...]:
        heads = tuple(range(available)) if self._heads is None else self._heads
        if not heads or any(not 0 <= head < available for head in heads):
            raise InvalidRecordError(
                f"heads={list(heads)} was asked of layer {number}, which has {available} heads."
            )
        return heads

    def _kept_rows(self, number: int, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the rows to keep; None for all.

        An array of exactly as many query rows as there are `rows=`, too short to be chosen from, holds
        those rows already: a long context is often computed for a few queries only.
        """
        rows, queries, keys = self._rows, shape[2], shape[3]
        if rows is None or (rows == tuple(range(queries)) and queries >= keys):
            return None
        chosen = rows[0] >= 0 and rows[-1] < queries if rows else False
        given = bool(rows) and len(rows) == queries and rows[0] >= 0 and rows[-1] < keys
        if not chosen and not given:
            raise InvalidRecordError(
                f"rows={_short(rows)} was asked of layer {number}, which has {queries} query rows: name "
                "positions from 0 on, each once."
            )
        return rows


def _from_array(
    number: int,
    label: str,
    host: Any,
    examples: tuple[int, ...],
    heads: tuple[int, ...],
    rows: tuple[int, ...] | None,
    own: bool,
) -> LayerInput:
    if host.array.dtype.kind == "c":
        raise InvalidRecordError(f"layer {number} holds complex numbers: pass attention weights.")
    queries, keys = host.array.shape[2:]
    if rows is not None and (rows[-1] >= queries or (len(rows) == queries < keys)):
        queries, whole = keys, host.array  # these rows are all that there is
    else:
        whole = host.array if rows is None else host.array[:, :, list(rows)]
    array = _select(whole, examples, heads)
    borrowed = host.mutable and np.shares_memory(array, host.array)
    if borrowed and own:
        array, borrowed = held_copy(array), False
    shape = (len(examples), len(heads), array.shape[2], keys)
    return LayerInput(
        layer=number,
        label=label,
        heads=heads,
        shape=shape,
        queries=queries,
        block=_block_of(array),
        weights=array,
        borrowed=borrowed,
        rows=rows,
        all_heads=host.array.shape[1],
    )


def _block_of(array: npt.NDArray[Any]) -> KeptBlock:
    def block(example: int, heads: slice, rows: slice) -> npt.NDArray[Any]:
        return array[example, heads, rows]

    return block


def _from_taps(
    taps: LayerTaps, examples: tuple[int, ...], heads: tuple[int, ...], rows: tuple[int, ...] | None
) -> LayerInput:
    computed = taps.block
    assert computed is not None, "_known_shape() has checked it"
    _, all_heads, queries, keys = _known_shape(taps)
    positions = np.arange(queries) if rows is None else np.array(rows, np.intp)

    def block(example: int, places: slice, rows: slice) -> npt.NDArray[Any]:
        wanted = heads[places]
        if wanted == tuple(range(wanted[0], wanted[0] + len(wanted))):
            return computed(examples[example], slice(wanted[0], wanted[-1] + 1), positions[rows])
        pieces = [computed(examples[example], slice(head, head + 1), positions[rows]) for head in wanted]
        return np.concatenate(pieces)

    shape = (len(examples), len(heads), len(positions), keys)
    layer = LayerInput(
        layer=taps.layer,
        label=taps.label,
        heads=heads,
        shape=shape,
        queries=queries,
        block=block,
        rows=rows,
        all_heads=all_heads,
        key_value_heads=taps.key_value_heads,
    )
    return layer if taps.v is None else layer.with_values(taps.v, examples)


def _known_shape(taps: LayerTaps) -> tuple[int, ...]:
    known = tuple(size for size in taps.shape if size is not None)
    if taps.block is None or len(known) != 4:
        raise InvalidRecordError(
            "taps of a graph hold no values: return their weights() from the graph and log these outside."
        )
    return known


def _kept_examples(batch: int, examples: Iterable[int] | None) -> tuple[int, ...]:
    if examples is None:
        return tuple(range(min(batch, DEFAULT_EXAMPLES)))
    kept = tuple(dict.fromkeys(int(example) for example in examples))
    if not kept or any(not 0 <= example < batch for example in kept):
        raise InvalidRecordError(f"examples={list(kept)} was asked of a batch of {batch} examples.")
    return kept


def _select(array: npt.NDArray[Any], examples: tuple[int, ...], heads: tuple[int, ...]) -> npt.NDArray[Any]:
    """Select without a copy where the selection is a prefix of the batch."""
    prefix = tuple(range(len(examples)))
    array = array[: len(examples)] if examples == prefix else array[list(examples)]
    return array if heads == tuple(range(array.shape[1])) else array[:, list(heads)]


def _short(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return f"[{shown}, ...]" if len(numbers) > 4 else f"[{shown}]"
