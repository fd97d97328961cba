"""`log_attention`: attention maps of one forward pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tb_llmdebug.capture.taps import Captured, LayerTaps
from tb_llmdebug.log.autograph import not_converted
from tb_llmdebug.log.dispatch import dispatch
from tb_llmdebug.log.layers import named_layers, one_layer_hint
from tb_llmdebug.log.recorder import AttentionRecorder, Choices
from tb_llmdebug.log.sides import Given
from tb_llmdebug.log.sinks import Sink, step_number
from tb_llmdebug.log.tracing import check_while_tracing
from tb_llmdebug.records import InvalidRecordError


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
    window: int | Mapping[int, int] | None = None,
    step: Any = None,
    writer: Any = None,
) -> Any:
    """Log the attention weights of one forward pass.

    Works eagerly and inside `tf.function`; there the active writer binds when the function is traced.
    Of several replicas the first logs, as with `tf.summary`; what runs again only for its gradient (as under
    `tf.recompute_grad`) is logged once; inside a function that XLA compiles the call raises while tracing.
    Faults in the data (NaN, rows that do not sum to 1, weight on padding or above the causal diagonal) are
    recorded as anomalies, never raised. A check whose input was not given is reported as not checked.

    Args:
        name: what is looked at, e.g. "decoder".
        attention: the tuple of [batch, heads, query, key] that Hugging Face returns, a dict of such by
            layer name, one [layers, heads, query, key] array, or what `llmdebug.tap` captured. NumPy,
            TensorFlow, PyTorch or JAX. TensorFlow's tensors are held, not copied: memory that they share
            with another library (DLPack) must not change while it is queued. An iterator of layers is
            read, and reduced, one layer at a time.
        tokens: per example a list of strings, or `TokenIds(ids, tokenizer)`; for self-attention.
        query_tokens, key_tokens: the same for each side of cross-attention.
        mask: [batch, key] or [key], 1 = real, 0 = padding.
        causal: True if no position may look at later ones. Fewer queries than keys are then the last
            positions, as in decoding with a cache: logged at each decoding step, with the tokens so far, the
            rows add up to one map, whose place in the generation is the step.
        document_ids: int [batch, key] or [key]: which document of a packed sequence a position is of.
        values: value vectors [batch, key-value heads, key, size] of each layer, in the form of
            `attention`; their norms are stored, for weights times the norm of the value.
        layers, heads, examples: numbers of those to keep; all layers and heads and the first 8 examples
            if not given.
        rows: query positions to keep; all if not given. Layers may hold all rows, or just these. Maps of
            a step that take more than 64 MiB before compression are max- and mean-pooled, and said to be.
        precision: "f16", "u8" (square-root companded, renormalised), "f32", or "auto": f16 while the maps
            of a step stay under 4 MiB or `rows` or `heads` are chosen, u8 otherwise.
        window: sliding window: how many keys a query sees, itself included; one number, or a dict by layer
            number. Models that are tapped say it themselves.
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
    choices = Choices.of(causal, layers, heads, examples, rows, precision, window)
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
        partial(record_attention, name, choices),
        arrays,
        step=step,
        writer=writer,
        while_tracing=check_while_tracing,
    )


def record_attention(
    name: str, choices: Choices, sink: Sink, *, attention: Any, step: Any, **given: Any
) -> bool:
    """Read the arrays and hand them over; several kinds of attention get a record each.

    Raises:
        InvalidRecordError: the arrays do not fit together.
    """
    beside = Given(**given, hint=one_layer_hint(attention))
    if isinstance(attention, Captured):
        layers = LayersByKind(name, step_number(step), choices, beside, sink)
        for taps in attention:
            layers.take(taps)
        return layers.submit()
    recorder = AttentionRecorder(name, step_number(step), choices, beside, sink)
    if not isinstance(attention, Iterator):
        return recorder.submit(named_layers(attention))
    for layer in named_layers(attention):  # the whole may not fit into memory
        recorder.take(*layer)
    recorder.end()
    return recorder.submit_taken()


class LayersByKind:
    """Reduces tapped layers as they come; a record for each kind of attention, named `name/kind`.

    A kind of layers that forbids looking ahead is held to that unless `causal` says else.
    """

    def __init__(self, name: str, step: int, choices: Choices, given: Given, sink: Sink) -> None:
        self._name, self._step, self._choices = name, step, choices
        self._given, self._sink = given, sink
        self._recorders: dict[str, AttentionRecorder] = {}
        self._numbers: set[int] = set()
        self._without_map: set[int] = set()

    def take(self, taps: LayerTaps) -> None:
        """Reduce one layer.

        Raises:
            InvalidRecordError: what was given does not fit it.
        """
        if taps.replica:
            return  # the first replica logs, as for `log_attention` itself
        recorder = self._recorders.get(taps.group)
        if recorder is None:
            choices, given, name = self._choices, self._given, self._name
            if choices.causal is None and taps.causal:
                choices = replace(choices, causal=True)
            if taps.group:
                name, given = f"{name}/{taps.group}", given.of_group(taps.group)
            recorder = AttentionRecorder(name, self._step, choices, given, self._sink)
            self._recorders[taps.group] = recorder
        self._numbers.add(taps.layer)
        self._without_map.update(other.layer for other in taps.without_map)
        recorder.take(taps.layer, taps.label, taps)

    def submit(self, ran: Collection[int] = ()) -> bool:
        """Hand the records over; returns whether all were accepted.

        Args:
            ran: numbers of all layers of the model, where more may have run than were to be taken.

        Raises:
            InvalidRecordError: there is none, or a layer that was asked for is missing.
        """
        strange = set(self._choices.layers or ()).difference(ran, self._without_map)
        if ran and strange:
            raise InvalidRecordError(
                f"layers={sorted(strange)} were asked for and are not there: the model has attention layers "
                f"{_listed(ran)}."
            )
        if not self._recorders:
            raise InvalidRecordError(
                "no attention layer ran that was looked into: call the model while it is tapped, and name "
                "layers that it has with layers=."
            )
        for recorder in self._recorders.values():
            recorder.end()
        vectors = self._choices.vectors
        missing = [] if isinstance(vectors, bool) else sorted(set(vectors) - self._numbers)
        if missing:
            raise InvalidRecordError(
                f"vectors={missing} were asked for and are not logged: there are {sorted(self._numbers)}."
            )
        accepted = [recorder.submit_taken() for recorder in self._recorders.values()]
        return all(accepted)


def _listed(numbers: Collection[int]) -> str:
    first, last = min(numbers), max(numbers)
    if len(numbers) > 1 and len(numbers) == last - first + 1:
        return f"{first} to {last}"
    return ", ".join(map(str, sorted(numbers)))
