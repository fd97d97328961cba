"""`log_attention`: attention maps of one forward pass."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.host import to_host
from tb_llmdebug.detection import AttentionChecks
from tb_llmdebug.log.autograph import not_converted
from tb_llmdebug.log.dispatch import dispatch
from tb_llmdebug.log.layers import LayerInput, LayerInputs, check_known_shapes, read_layers
from tb_llmdebug.log.sinks import Sink, step_number
from tb_llmdebug.log.tokens import read_tokens
from tb_llmdebug.records import (
    Anomaly,
    AttentionRecord,
    Example,
    InvalidRecordError,
    LayerAttention,
    MapState,
    Tokens,
)
from tb_llmdebug.stats import STATISTICS, layer_statistics
from tb_llmdebug.wire.tiles import PRECISIONS

BUDGET_BYTES = 64 << 20
"""a step whose stored tiles would take more before compression keeps its statistics only"""


@not_converted
def log_attention(
    name: str,
    attention: Any,
    *,
    tokens: Any = None,
    query_tokens: Any = None,
    key_tokens: Any = None,
    mask: Any = None,
    causal: bool | None = None,
    document_ids: Any = None,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    examples: Iterable[int] | None = None,
    precision: str = "auto",
    step: Any = None,
    writer: Any = None,
) -> Any:
    """Log the attention weights of one forward pass.

    Works eagerly and inside `tf.function`; there the active writer binds when the function is traced.
    Faults in the data (NaN, rows that do not sum to 1, weight on padding or above the causal diagonal) are
    recorded as anomalies, never raised. A check whose input was not given is reported as not checked.

    Args:
        name: what is looked at, e.g. "decoder".
        attention: the tuple of [batch, heads, query, key] that Hugging Face returns, a dict of such by
            layer name, or one [layers, heads, query, key] array. NumPy, TensorFlow, PyTorch or JAX.
        tokens: per example a list of strings, or `TokenIds(ids, tokenizer)`; for self-attention.
        query_tokens, key_tokens: the same for each side of cross-attention.
        mask: [batch, key] or [key], 1 = real, 0 = padding.
        causal: True if no position may look at later ones.
        document_ids: int [batch, key] or [key]: which document of a packed sequence a position is of.
        layers, heads, examples: numbers of those to keep; all layers and heads and the first 8 examples
            if not given.
        precision: "f16", "u8" (square-root companded, renormalised), "f32", or "auto": f16 while the maps
            of a step stay under 4 MiB, u8 above.
        step: the training step; falls back to `tf.summary.experimental.get_step()`.
        writer: an `llmdebug.Writer` or a `tf.summary` writer; the active one if not given.

    Returns:
        Whether the record was accepted: a bool, or a bool tensor inside a graph.

    Raises:
        InvalidRecordError: the call is mistaken; the message says in one sentence how to mend it.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> attention = tuple(np.full((1, 4, 3, 3), 1 / 3, np.float32) for _ in range(2))
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         accepted = llmdebug.log_attention(
        ...             "encoder", attention, tokens=["a", "b", "c"], step=10
        ...         )
        ...     record = llmdebug.open_logdir(logdir).attention(".", "encoder", step=10)
        >>> accepted, record.weights(layer=1, head=3).shape
        (True, (3, 3))
    """
    if precision not in PRECISIONS:
        raise InvalidRecordError(f"precision is {precision!r}: use one of {', '.join(PRECISIONS)}.")
    call = AttentionCall(
        name=name,
        causal=causal,
        layers=None if layers is None else tuple(layers),
        heads=None if heads is None else tuple(heads),
        examples=None if examples is None else tuple(examples),
        precision=precision,
    )
    arrays = {
        "attention": attention,
        "tokens": tokens,
        "query_tokens": query_tokens,
        "key_tokens": key_tokens,
        "mask": mask,
        "document_ids": document_ids,
    }
    return dispatch(
        name,
        call.log,
        arrays,
        step=step,
        writer=writer,
        while_tracing=lambda known: check_known_shapes(known["attention"]),
    )


@dataclass(frozen=True)
class AttentionCall:
    """The settings of one `log_attention` call, which hold no tensors."""

    name: str
    causal: bool | None
    layers: tuple[int, ...] | None
    heads: tuple[int, ...] | None
    examples: tuple[int, ...] | None
    precision: str

    def log(
        self,
        sink: Sink,
        *,
        attention: Any,
        tokens: Any,
        query_tokens: Any,
        key_tokens: Any,
        mask: Any,
        document_ids: Any,
        step: Any,
    ) -> bool:
        """Read the arrays and hand them over.

        Raises:
            InvalidRecordError: the arrays do not fit together.
        """
        inputs = read_layers(attention, self.layers, self.heads, self.examples)
        job = AttentionJob(
            call=self,
            step=step_number(step),
            wall_time=time.time(),
            inputs=inputs,
            query_tokens=_tokens_for(inputs, tokens, query_tokens, "query", axis=2),
            key_tokens=_tokens_for(inputs, tokens, key_tokens, "key", axis=3),
            key_mask=_per_key(mask, inputs, "mask", boolean=True),
            document_ids=_per_key(document_ids, inputs, "document_ids", boolean=False),
            first_after_dropout=lambda: sink.tell(f"after_dropout/{self.name}", ""),
        )
        nbytes = inputs.nbytes()
        return sink.submit(lambda: [job.record()], nbytes, lambda: [job.record(keep_map=False)])


@dataclass(frozen=True, eq=False)
class AttentionJob:
    """Everything that the background thread needs to make the record."""

    call: AttentionCall
    step: int
    wall_time: float
    inputs: LayerInputs
    query_tokens: tuple[Tokens, ...] | None
    key_tokens: tuple[Tokens, ...] | None
    key_mask: npt.NDArray[Any] | None
    document_ids: npt.NDArray[Any] | None
    first_after_dropout: Any

    def record(self, keep_map: bool = True) -> AttentionRecord:
        """Compute statistics and checks, and return the record."""
        checks = AttentionChecks(
            causal=self.call.causal,
            masked=self.key_mask is not None,
            documents=self.document_ids is not None,
        )
        layers = [self._layer(layer, checks) for layer in self.inputs.layers]
        state, reduction = self._reduction(keep_map)
        if state is not MapState.FULL:
            layers = [replace(layer, weights=None) for layer in layers]
        return AttentionRecord(
            name=self.call.name,
            step=self.step,
            wall_time=self.wall_time,
            layers=tuple(layers),
            examples=tuple(self._example(place) for place in range(len(self.inputs.examples))),
            statistic_names=STATISTICS,
            map_state=state,
            anomalies=self._once(checks.anomalies()),
            checks=checks.checks(),
            causal=self.call.causal,
            batch=self.inputs.batch,
            precision=self.call.precision,
            reduction=reduction,
        )

    def _layer(self, layer: LayerInput, checks: AttentionChecks) -> LayerAttention:
        weights = layer.weights.astype(np.float32, copy=False)
        examples, heads, queries, keys = weights.shape
        statistics = np.empty((examples, heads, len(STATISTICS)), np.float32)
        for place in range(examples):
            key_mask = None if self.key_mask is None else self.key_mask[place]
            query_mask = key_mask if queries == keys else None
            statistics[place], rows = layer_statistics(weights[place], query_mask, key_mask)
            checks.look(
                weights[place],
                rows,
                (place, layer.layer, layer.heads),
                query_mask=query_mask,
                key_mask=key_mask,
                document_ids=None if self.document_ids is None else self.document_ids[place],
            )
        return LayerAttention(
            layer=layer.layer,
            heads=layer.heads,
            queries=queries,
            keys=keys,
            statistics=statistics,
            weights=weights,
            label=layer.label,
        )

    def _example(self, place: int) -> Example:
        mask = None if self.key_mask is None else self.key_mask[place]
        square = all(layer.weights.shape[2] == layer.weights.shape[3] for layer in self.inputs.layers)
        return Example(
            index=self.inputs.examples[place],
            query_tokens=None if self.query_tokens is None else self.query_tokens[place],
            key_tokens=None if self.key_tokens is None else self.key_tokens[place],
            query_mask=mask if square else None,
            key_mask=mask,
        )

    def _reduction(self, keep_map: bool) -> tuple[MapState, str]:
        if not keep_map:
            return MapState.DROPPED, "The writer's queue was full: the map was dropped."
        weights = sum(layer.weights.size for layer in self.inputs.layers)
        size = weights * {"f32": 4, "f16": 2}.get(self.call.precision, 1)
        if size > BUDGET_BYTES:
            return MapState.STATISTICS_ONLY, (
                f"The maps take {size >> 20} MiB, over the budget of {BUDGET_BYTES >> 20} MiB per step: "
                "statistics only. Choose layers=, heads= or examples= to keep maps."
            )
        return MapState.FULL, ""

    def _once(self, anomalies: tuple[Anomaly, ...]) -> tuple[Anomaly, ...]:
        """Weights after dropout are worth one flag per run and name, not one per step."""
        if any(anomaly.rule == "attention.after_dropout" for anomaly in anomalies):
            if self.first_after_dropout():
                return anomalies
            return tuple(a for a in anomalies if a.rule != "attention.after_dropout")
        return anomalies


def _tokens_for(
    inputs: LayerInputs, both: Any, one_side: Any, side: str, axis: int
) -> tuple[Tokens, ...] | None:
    """Return the tokens of one side for the kept examples.

    `tokens=` names both sides of self-attention; for a rectangular map it names those it fits.
    """
    given = both if one_side is None else one_side
    if given is None:
        return None
    what = "tokens" if one_side is None else f"{side}_tokens"
    rows = read_tokens(given, what)
    if len(rows) == 1 and inputs.batch > 1:
        raise InvalidRecordError(
            f"{what} holds 1 example and attention {inputs.batch}: give tokens for each example."
        )
    if len(rows) != inputs.batch:
        raise InvalidRecordError(
            f"{what} holds {len(rows)} examples and attention {inputs.batch}: give tokens for each example."
        )
    rows = tuple(rows[example] for example in inputs.examples)
    if one_side is None and _fits_only_the_other_side(inputs, rows, axis):
        return None
    for layer in inputs.layers:
        size = layer.weights.shape[axis]
        for example, row in zip(inputs.examples, rows, strict=True):
            if len(row) != size:
                raise InvalidRecordError(
                    f"{what} of example {example} has {len(row)} tokens but layer {layer.layer} has "
                    f"{size} {'queries' if side == 'query' else 'keys'}: give the tokens that the model "
                    "saw, padding and special tokens included."
                )
    return rows


def _fits_only_the_other_side(inputs: LayerInputs, rows: tuple[Tokens, ...], axis: int) -> bool:
    """Return whether tokens= names the other side of a rectangular map, as in decoding with a cache."""
    shapes = [layer.weights.shape for layer in inputs.layers]
    lengths = {len(row) for row in rows}
    other = 5 - axis
    return lengths == {shape[other] for shape in shapes} and lengths != {shape[axis] for shape in shapes}


def _per_key(value: Any, inputs: LayerInputs, what: str, boolean: bool) -> npt.NDArray[Any] | None:
    """Return [examples, keys] of the kept examples from a [batch, keys] or [keys] input."""
    if value is None:
        return None
    array = to_host(value, what).array
    keys: Sequence[int] = sorted({layer.weights.shape[3] for layer in inputs.layers})
    if array.ndim == 1:
        array = np.broadcast_to(array, (inputs.batch, *array.shape))
    if array.ndim != 2 or array.shape[0] != inputs.batch or list(keys) != [array.shape[1]]:
        raise InvalidRecordError(
            f"{what} has shape {list(array.shape)}: expected [batch, key], here "
            f"[{inputs.batch}, {' or '.join(map(str, keys))}]."
        )
    if boolean and not np.isin(array, (0, 1)).all():
        raise InvalidRecordError(
            f"{what} holds other values than 0 and 1: pass 1 for real tokens and 0 for padding."
        )
    kept = array[list(inputs.examples)]
    return kept.astype(bool) if boolean else kept
