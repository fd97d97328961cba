"""The layers, heads, examples and rows of an attention that are to be kept, one layer at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.host import HostArray
from tb_llmdebug.capture.landing import Landing, array_of, index_for
from tb_llmdebug.capture.taps import LayerTaps
from tb_llmdebug.log.layer_input import Alike, LayerInput, block_of, known_shape, places, select
from tb_llmdebug.log.layers import check_shapes
from tb_llmdebug.records import InvalidRecordError, LayerWithoutMap

DEFAULT_EXAMPLES = 8
"""examples kept of a larger batch when the user chooses none"""


class LayerReader:
    """Reads what is to be kept of layers that come one after the other.

    `batch` and `examples` are known from the first layer on; what stays in memory of the GPU's is copied
    while the caller goes on: call `landing.wait()` before weights are looked at.

    Args:
        layers, heads, examples, rows: numbers of those to keep.
        cached: where there are fewer queries than keys, the queries are the last positions, as in decoding
            with a cache; the record then continues the one before it.
    """

    def __init__(
        self,
        layers: Iterable[int] | None = None,
        heads: Iterable[int] | None = None,
        examples: Iterable[int] | None = None,
        rows: Iterable[int] | None = None,
        cached: bool = False,
    ) -> None:
        self._layers = None if layers is None else set(layers)
        self._heads = None if heads is None else tuple(sorted(set(heads)))
        self._wanted_examples = examples
        self._rows = None if rows is None else tuple(sorted(set(rows)))
        self._first: tuple[tuple[str, tuple[int, ...]], ...] = ()
        self._numbers: set[int] = set()
        self._cached = cached
        self._last: tuple[Any, ...] | None = None
        self._places: tuple[Any, Any] = (slice(0), slice(0))
        self.landing = Landing()
        self.batch = 0
        self.examples: tuple[int, ...] = ()
        self.without_map: tuple[LayerWithoutMap, ...] = ()
        self.continues = False

    def read(self, number: int, label: str, value: Any, later: bool = False) -> LayerInput | Alike | None:
        """Return what is kept of layer `number`; None if it was not asked for.

        Args:
            number: of the layer.
            label: its name, may be empty.
            value: `LayerTaps`, or an array or tensor [batch, heads, query, key].
            later: give a layer of the last one's shape and type, which is as right as that was, as `Alike`,
                to be read in full when the caller does not wait.

        Raises:
            InvalidRecordError: the layer is mistaken, with the reason in one sentence.
        """
        host = None if isinstance(value, LayerTaps) else array_of(value, f"layer {number}")
        if later and host is not None and self._is_alike(number, host):
            self._numbers.add(number)
            examples, heads = self._places
            array = self.landing.of(host.array[examples][:, heads])
            return Alike(number, label, array, _borrowed(array, host))
        shape = known_shape(value) if host is None else host.array.shape
        named = (f"layer {number}", shape)
        check_shapes((*self._first, named))
        if not self._first:
            self._first = (named,)
            self.batch = shape[0]
            self.examples = _kept_examples(self.batch, self._wanted_examples)
        self._numbers.add(number)
        if isinstance(value, LayerTaps):
            self.without_map = value.without_map
        if self._layers is not None and number not in self._layers:
            return None
        heads, rows = self._kept_heads(number, shape[1]), self._kept_rows(number, shape)
        if host is None:
            layer = _from_taps(value, self.examples, heads, rows, self.landing)
        else:
            layer = self._from_array(number, label, host, heads, rows)
        queries, keys = shape[2:]
        if self._cached and self._rows is None and queries < keys:
            self.continues = True
            layer = layer._replace(queries=keys, rows=tuple(range(keys - queries, keys)))
        self._last = None
        if host is not None and rows is None:
            self._last = _kind(host)
            self._places = places(host.array, self.examples, heads)
        return layer

    def _from_array(
        self, number: int, label: str, host: HostArray, heads: tuple[int, ...], rows: tuple[int, ...] | None
    ) -> LayerInput:
        if "complex" in str(host.array.dtype):
            raise InvalidRecordError(f"layer {number} holds complex numbers: pass attention weights.")
        queries, keys = host.array.shape[2:]
        if rows is not None and (rows[-1] >= queries or (len(rows) == queries < keys)):
            queries, whole = keys, host.array  # these rows are all that there is
        else:
            whole = host.array if rows is None else host.array[:, :, index_for(host.array, rows)]
        array = self.landing.of(select(whole, self.examples, heads))
        return LayerInput(
            layer=number,
            label=label,
            heads=heads,
            shape=(len(self.examples), len(heads), array.shape[2], keys),
            queries=queries,
            block=block_of(array),
            weights=array,
            borrowed=_borrowed(array, host),
            rows=rows,
            all_heads=host.array.shape[1],
        )

    def _is_alike(self, number: int, host: HostArray) -> bool:
        wanted = self._layers is None or number in self._layers
        return wanted and self._last == _kind(host)

    def end(self) -> None:
        """Say that no more layers come.

        Raises:
            InvalidRecordError: there were none, or not all that were asked for.
        """
        check_shapes(self._first)
        known = self._numbers | {layer.layer for layer in self.without_map}
        if self._layers is not None and not self._layers <= known:
            missing = sorted(self._layers - known)
            raise InvalidRecordError(
                f"layers={missing} were asked for and are not there: there are {sorted(self._numbers)}."
            )

    def _kept_heads(self, number: int, available: int) -> tuple[int, ...]:
        heads = tuple(range(available)) if self._heads is None else self._heads
        if any(not 0 <= head < available for head in heads):
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
        most = keys if len(rows) == queries else queries
        if rows[0] < 0 or rows[-1] >= max(most, queries):
            raise InvalidRecordError(
                f"rows={_short(rows)} was asked of layer {number}, which has {queries} query rows: name "
                "positions from 0 on, each once."
            )
        return rows


def _kind(host: HostArray) -> tuple[Any, ...]:
    """Return what layers that are read alike have in common; a model may be spread over several GPUs."""
    array = host.array
    return array.shape, array.dtype, getattr(array, "device", None)


def _borrowed(array: npt.NDArray[Any], host: HostArray) -> bool:
    return host.mutable and np.may_share_memory(array, host.array)


def _from_taps(
    taps: LayerTaps,
    examples: tuple[int, ...],
    heads: tuple[int, ...],
    rows: tuple[int, ...] | None,
    landing: Landing,
) -> LayerInput:
    computed = taps.block
    assert computed is not None, "known_shape() has checked it"
    _, all_heads, queries, keys = known_shape(taps)
    positions = np.arange(queries) if rows is None else np.array(rows, np.intp)

    def block(example: int, places: slice, rows: slice) -> npt.NDArray[Any]:
        wanted = heads[places]
        if wanted == tuple(range(wanted[0], wanted[0] + len(wanted))):
            return computed(examples[example], slice(wanted[0], wanted[-1] + 1), positions[rows])
        pieces = [computed(examples[example], slice(head, head + 1), positions[rows]) for head in wanted]
        return np.concatenate(pieces)

    def land() -> npt.NDArray[Any]:
        assert taps.on_gpu is not None
        return landing.of(taps.on_gpu(examples, heads, range(queries) if rows is None else rows))

    shape = (len(examples), len(heads), len(positions), keys)
    layer = LayerInput(
        layer=taps.layer,
        label=taps.label,
        heads=heads,
        shape=shape,
        queries=queries,
        block=block,
        land=None if taps.on_gpu is None else land,
        rows=rows,
        all_heads=all_heads,
        key_value_heads=taps.key_value_heads,
        window=taps.window,
    )
    return layer if taps.v is None else layer.with_values(taps.v, examples, landing)


def _kept_examples(batch: int, examples: Iterable[int] | None) -> tuple[int, ...]:
    if examples is None:
        return tuple(range(min(batch, DEFAULT_EXAMPLES)))
    kept = tuple(dict.fromkeys(examples))
    if any(not 0 <= example < batch for example in kept):
        raise InvalidRecordError(f"examples={list(kept)} was asked of a batch of {batch} examples.")
    return kept


def _short(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return f"[{shown}, ...]" if len(numbers) > 4 else f"[{shown}]"
