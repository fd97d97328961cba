"""One attention record out of layers that come one after the other."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tb_llmdebug.capture.taps import LayerTaps
from tb_llmdebug.detection import AttentionChecks
from tb_llmdebug.log.freed import FreedMemory
from tb_llmdebug.log.layer_input import Alike, LayerInput, in_full, owned
from tb_llmdebug.log.reader import LayerReader
from tb_llmdebug.log.reduction import Reduction, fit_exactly
from tb_llmdebug.log.sides import Given, SideReader, Sides
from tb_llmdebug.log.sinks import Sink
from tb_llmdebug.records import Anomaly, AttentionRecord, Example, InvalidRecordError, LayerWithoutMap
from tb_llmdebug.records.attention import PRECISIONS
from tb_llmdebug.stats import STATISTICS

WEIGHT_BYTES = {"f32": 4, "f16": 2}
"""of a stored weight; 1 for any other precision, as "auto" takes u8 long before the budget is used up"""
HELD_VALUES = 32 << 20
"""bytes of value vectors that wait for the sink's thread; of them only the norms are kept"""
QUEUE_FULL = "The writer's queue was full: the map was dropped."


@dataclass(frozen=True)
class Choices:
    """What the user chose to keep, and how; holds no tensors."""

    causal: bool | None = None
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None
    examples: tuple[int, ...] | None = None
    rows: tuple[int, ...] | None = None
    precision: str = "auto"
    window: int | Mapping[int, int] | None = None
    """of every layer, or by its number; None = what the layers say themselves"""
    vectors: bool | tuple[int, ...] = False
    """of which layers query, key and value vectors are kept: of all, of none, or of these"""

    @staticmethod
    def of(
        causal: bool | None,
        layers: Iterable[int] | None,
        heads: Iterable[int] | None,
        examples: Iterable[int] | None,
        rows: Iterable[int] | None,
        precision: str,
        window: int | Mapping[int, int] | None = None,
        vectors: bool | Iterable[int] = False,
    ) -> Choices:
        """Return the arguments of a call, each iterable read once.

        Raises:
            InvalidRecordError: there is no such precision, or something is no list of whole numbers.
        """
        if causal is not None and not isinstance(causal, (bool, np.bool_)):
            raise InvalidRecordError(f"causal is {causal!r}: pass True, False or nothing.")
        if precision not in PRECISIONS:
            raise InvalidRecordError(f"precision is {precision!r}: use one of {', '.join(PRECISIONS)}.")

        chosen = {"layers": layers, "heads": heads, "examples": examples, "rows": rows}
        numbers = {name: _whole_numbers(name, given) for name, given in chosen.items()}
        if precision == "auto" and (numbers["rows"] or numbers["heads"]):
            # Chosen so as to have them exactly: 256 levels are coarse for a row over thousands of keys.
            precision = "f16"
        wanted = vectors if isinstance(vectors, bool) else _whole_numbers("vectors", vectors) or False
        return Choices(
            None if causal is None else bool(causal),
            **numbers,
            precision=precision,
            window=_checked_window(window),
            vectors=wanted,
        )

    def window_of(self, layer: LayerInput) -> LayerInput:
        """Return `layer` with the sliding window that it was said to have."""
        said = self.window
        if said is None:
            return layer
        window = said.get(layer.layer, layer.window) if isinstance(said, Mapping) else said
        return layer._replace(window=window)

    def wants_vectors(self, layer: int) -> bool:
        """Return whether vectors of layer number `layer` are to be kept."""
        return self.vectors if isinstance(self.vectors, bool) else layer in self.vectors


def _checked_window(window: Any) -> int | Mapping[int, int] | None:
    if window is None:
        return None
    given: int | Mapping[int, int]
    try:
        if isinstance(window, Mapping):
            given = {operator.index(layer): operator.index(size) for layer, size in window.items()}
        else:
            given = operator.index(window)
    except TypeError:
        given = -1
    if any(not 0 <= size < 1 << 32 for size in (given.values() if isinstance(given, Mapping) else [given])):
        raise InvalidRecordError(
            f"window is {window!r}: pass how many keys a query sees, itself included, as one whole number or "
            "a dict of such by layer number; 0 = all."
        )
    return given


def _whole_numbers(name: str, given: Iterable[int] | None) -> tuple[int, ...] | None:
    try:
        numbers = None if given is None else tuple(operator.index(number) for number in given)
    except TypeError:
        numbers = ()
    if numbers == ():
        raise InvalidRecordError(f"{name} is {given!r}: pass a list of whole numbers, at least one.")
    return numbers


class AttentionRecorder:
    """Reads layers on the calling thread; reduces them there, or later on the writer's.

    Args:
        name: of the record.
        step: of the record.
        choices: what to keep.
        given: what belongs to the weights.
        sink: asked whether weights after dropout were flagged before.
    """

    def __init__(self, name: str, step: int, choices: Choices, given: Given, sink: Sink) -> None:
        self._name, self._step, self._wall_time = name, step, time.time()
        self._choices = choices
        self._sink = sink
        one_text = not given.cross and given.query_tokens is None and given.key_tokens is None
        self._reader = LayerReader(
            choices.layers,
            choices.heads,
            choices.examples,
            choices.rows,
            cached=choices.causal is True and one_text,
        )
        self._side_reader = SideReader(given, self._reader)
        self._weight_bytes = WEIGHT_BYTES.get(choices.precision, 1)
        self._held: list[LayerInput | Alike] = []
        self._reduction: Reduction | None = None
        self._freed = FreedMemory()

    def submit(self, layers: Iterable[tuple[int, str, Any]]) -> bool:
        """Read (number, label, weights) of all layers; reduce and write them on the sink's thread.

        Returns:
            Whether the record was accepted.

        Raises:
            InvalidRecordError: a layer is mistaken, or one that was asked for is missing.
        """
        # What differs from layer to layer has to be looked at now.
        later = self._side_reader.alike and not isinstance(self._choices.window, Mapping)
        read: list[LayerInput | Alike] = []
        for layer in layers:
            one = self._reader.read(*layer, later)
            if one is not None:
                read.append(self._whole(one) if isinstance(one, LayerInput) else one)
        self._reader.end()
        self._held = owned(read)
        return self._submit_held()

    def take(self, number: int, label: str, value: Any) -> None:
        """Read one layer now; reduce it now too, if it is too large to be held until the sink's thread does.

        Raises:
            InvalidRecordError: the layer is mistaken.
        """
        read = self._reader.read(number, label, value)
        if not isinstance(read, LayerInput):
            return
        layer = self._whole(read)
        if isinstance(value, LayerTaps) and self._choices.wants_vectors(number):
            layer = layer.with_vectors(value, self._reader.examples)
        held = [*in_full(self._held), layer]
        # While maps are kept exactly they stay in memory anyway; vectors are the model's to change.
        fits = (
            self._reduction is None
            and fit_exactly(sum(one.size() for one in held), self._weight_bytes)
            and sum(one.values.nbytes for one in held if one.values is not None) <= HELD_VALUES
        )
        self._held.append(layer.landing() if fits else layer)
        if not fits or layer.vectors is not None:
            self._reduce_held()
        self._freed.look()

    def end(self) -> None:
        """Say that no more layers are taken.

        Raises:
            InvalidRecordError: there were none, or one that was asked for is missing.
        """
        self._reader.end()

    def submit_taken(self) -> bool:
        """Hand over what the layers that were taken come to, after `end`.

        Returns:
            Whether the record was accepted.
        """
        if self._held:
            return self._submit_held()
        record = self._record()
        return self._submit(lambda: record, record.nbytes())

    def _whole(self, layer: LayerInput) -> LayerInput:
        return self._side_reader.of(self._choices.window_of(layer))

    def _reduce_held(self) -> None:
        self._reader.landing.wait()
        sides = self._side_reader.sides
        if self._reduction is None:
            self._checks = AttentionChecks(
                causal=self._choices.causal,
                masked=sides.key_mask is not None,
                documents=sides.document_ids is not None,
            )
            self._reduction = Reduction(self._checks, self._weight_bytes)
        held, self._held = self._held, []
        for layer in in_full(held):
            self._reduction.add(layer, sides)

    def _submit_held(self) -> bool:
        def record() -> AttentionRecord:
            self._reduce_held()
            return self._record()

        return self._submit(record, sum(layer.nbytes() for layer in self._held))

    def _submit(self, make: Callable[[], AttentionRecord], nbytes: int) -> bool:
        return self._sink.submit(
            lambda: [make()], nbytes, without_map=lambda: [make().without_maps(QUEUE_FULL)]
        )

    def _record(self) -> AttentionRecord:
        reduction = self._reduction
        if reduction is None:
            raise InvalidRecordError("no layer is left to log: name some that the model has with layers=.")
        state, sentence = reduction.state(self._reader.continues)
        vectors_left_out = reduction.vectors_left_out()
        layers = reduction.layers()
        sides = self._side_reader.sides
        return AttentionRecord(
            name=self._name,
            step=self._step,
            wall_time=self._wall_time,
            layers=layers,
            examples=tuple(
                self._examples(sides, square=not sides.cross and all(layer.square for layer in layers))
            ),
            statistic_names=STATISTICS,
            map_state=state,
            anomalies=self._once(self._checks.anomalies()),
            checks=self._checks.checks(),
            causal=self._choices.causal,
            batch=self._reader.batch,
            precision=self._choices.precision,
            reduction=f"{sentence} {vectors_left_out}".strip(),
            vectors_left_out=vectors_left_out,
            without_map=self._without_map(),
            continues=self._reader.continues,
        )

    def _without_map(self) -> tuple[LayerWithoutMap, ...]:
        wanted = self._choices.layers
        return tuple(other for other in self._reader.without_map if wanted is None or other.layer in wanted)

    def _examples(self, sides: Sides, square: bool) -> Iterator[Example]:
        for place, index in enumerate(self._reader.examples):
            mask = None if sides.key_mask is None else sides.key_mask[place]
            of_queries = None if sides.query_mask is None else sides.query_mask[place]
            yield Example(
                index=index,
                query_tokens=None if sides.query_tokens is None else sides.query_tokens[place],
                key_tokens=None if sides.key_tokens is None else sides.key_tokens[place],
                query_mask=mask if square else of_queries,
                key_mask=mask,
            )

    def _once(self, anomalies: tuple[Anomaly, ...]) -> tuple[Anomaly, ...]:
        """Weights after dropout are worth one flag per run and name, not one per step."""
        if any(anomaly.rule == "attention.after_dropout" for anomaly in anomalies):
            if self._sink.once.first(f"after_dropout/{self._name}"):
                return anomalies
            return tuple(a for a in anomalies if a.rule != "attention.after_dropout")
        return anomalies
