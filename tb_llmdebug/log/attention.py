"""`log_attention`: attention maps of one forward pass."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tb_llmdebug.capture.taps import Captured
from tb_llmdebug.detection import AttentionChecks
from tb_llmdebug.log.autograph import not_converted
from tb_llmdebug.log.dispatch import dispatch
from tb_llmdebug.log.layers import check_known_shapes
from tb_llmdebug.log.reader import LayerInput, LayerReader
from tb_llmdebug.log.reduction import Reduction
from tb_llmdebug.log.sides import Given, Sides, checked_layers
from tb_llmdebug.log.sinks import Sink, step_number
from tb_llmdebug.records import Anomaly, AttentionRecord, Example, InvalidRecordError
from tb_llmdebug.stats import STATISTICS
from tb_llmdebug.wire.tiles import PRECISIONS

WEIGHT_BYTES = {"f32": 4, "f16": 2}
"""of a stored weight; 1 for any other precision, as "auto" takes u8 long before the budget is used up"""
QUEUE_FULL = "The writer's queue was full: the map was dropped."


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
    values: Any = None,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    examples: Iterable[int] | None = None,
    rows: Iterable[int] | None = None,
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
            layer name, one [layers, heads, query, key] array, or what `llmdebug.tap` captured. NumPy,
            TensorFlow, PyTorch or JAX. An iterator of layers is read, and reduced, one layer at a time.
        tokens: per example a list of strings, or `TokenIds(ids, tokenizer)`; for self-attention.
        query_tokens, key_tokens: the same for each side of cross-attention.
        mask: [batch, key] or [key], 1 = real, 0 = padding.
        causal: True if no position may look at later ones.
        document_ids: int [batch, key] or [key]: which document of a packed sequence a position is of.
        values: value vectors [batch, key-value heads, key, size] of each layer, in the form of
            `attention`; their norms are stored, for weights times the norm of the value.
        layers, heads, examples: numbers of those to keep; all layers and heads and the first 8 examples
            if not given.
        rows: query positions to keep; all if not given. Layers may hold all rows, or just these. Maps of
            a step that take more than 64 MiB before compression are max- and mean-pooled, and said to be.
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
        rows=None if rows is None else tuple(rows),
        precision=precision,
    )
    arrays = {
        "attention": attention,
        "tokens": tokens,
        "query_tokens": query_tokens,
        "key_tokens": key_tokens,
        "mask": mask,
        "document_ids": document_ids,
        "values": values,
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
    rows: tuple[int, ...] | None
    precision: str

    def log(self, sink: Sink, *, attention: Any, step: Any, **given: Any) -> bool:
        """Read the arrays and hand them over; several kinds of attention get a record each.

        Raises:
            InvalidRecordError: the arrays do not fit together.
        """
        if isinstance(attention, Captured):
            groups = dict.fromkeys(taps.group for taps in attention)
            if len(groups) > 1:
                calls = [
                    (replace(self, name=f"{self.name}/{group}"), attention.of_group(group))
                    for group in groups
                ]
                accepted = [call.log(sink, attention=taps, step=step, **given) for call, taps in calls]
                return all(accepted)
        return self._log(sink, attention, Given(**given), step)

    def _log(self, sink: Sink, attention: Any, given: Given, step: Any) -> bool:
        reader = LayerReader(attention, self.layers, self.heads, self.examples, self.rows)
        layers = checked_layers(reader, given)
        job = AttentionJob(self, reader, step_number(step), time.time(), sink)
        if reader.one_at_a_time:
            record = job.record(layers)
            return sink.submit(lambda: [record], record.nbytes(), lambda: [record.without_maps(QUEUE_FULL)])
        held = tuple(layers)
        nbytes = sum(layer.nbytes() for layer, _ in held)
        return sink.submit(
            lambda: [job.record(held)], nbytes, lambda: [job.record(held).without_maps(QUEUE_FULL)]
        )


@dataclass(frozen=True, eq=False)
class AttentionJob:
    """Everything besides the layers that is needed to make the record."""

    call: AttentionCall
    reader: LayerReader
    step: int
    wall_time: float
    sink: Sink

    def record(self, layers: Iterable[tuple[LayerInput, Sides]]) -> AttentionRecord:
        """Compute statistics and checks, and return the record."""
        reduction: Reduction | None = None
        for layer, sides in layers:
            if reduction is None:
                bound = sides
                checks = AttentionChecks(
                    causal=self.call.causal,
                    masked=sides.key_mask is not None,
                    documents=sides.document_ids is not None,
                )
                reduction = Reduction(checks, WEIGHT_BYTES.get(self.call.precision, 1))
            reduction.add(layer, sides)
        if reduction is None:
            raise InvalidRecordError("no layer is left to log: name some that the model has with layers=.")
        state, sentence = reduction.state()
        kept = reduction.layers()
        return AttentionRecord(
            name=self.call.name,
            step=self.step,
            wall_time=self.wall_time,
            layers=kept,
            examples=tuple(self._examples(bound, square=all(layer.square for layer in kept))),
            statistic_names=STATISTICS,
            map_state=state,
            anomalies=self._once(checks.anomalies()),
            checks=checks.checks(),
            causal=self.call.causal,
            batch=self.reader.batch,
            precision=self.call.precision,
            reduction=sentence,
        )

    def _examples(self, sides: Sides, square: bool) -> Iterator[Example]:
        for place, index in enumerate(self.reader.examples):
            mask = None if sides.key_mask is None else sides.key_mask[place]
            yield Example(
                index=index,
                query_tokens=None if sides.query_tokens is None else sides.query_tokens[place],
                key_tokens=None if sides.key_tokens is None else sides.key_tokens[place],
                query_mask=mask if square else None,
                key_mask=mask,
            )

    def _once(self, anomalies: tuple[Anomaly, ...]) -> tuple[Anomaly, ...]:
        """Weights after dropout are worth one flag per run and name, not one per step."""
        if any(anomaly.rule == "attention.after_dropout" for anomaly in anomalies):
            if self.sink.tell(f"after_dropout/{self.call.name}", ""):
                return anomalies
            return tuple(a for a in anomalies if a.rule != "attention.after_dropout")
        return anomalies
