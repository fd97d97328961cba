"""`log_probe`: run a model once and log its attention."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tb_llmdebug.capture.adapters import adapter_of
from tb_llmdebug.capture.taps import Request
from tb_llmdebug.log.attention import LayersByKind
from tb_llmdebug.log.autograph import not_converted
from tb_llmdebug.log.recorder import Choices
from tb_llmdebug.log.sides import Given
from tb_llmdebug.log.sinks import (
    check_name,
    default_step,
    find_sink,
    recording,
    step_number,
    tensorflow_is_loaded,
    warn_without_sink,
)
from tb_llmdebug.records import InvalidRecordError


@not_converted
def log_probe(
    name: str,
    model: Any,
    inputs: Any,
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
    rows: Iterable[int] | None = None,
    precision: str = "auto",
    vectors: bool | Iterable[int] = False,
    step: Any = None,
    writer: Any = None,
) -> bool:
    """Run `model` once on `inputs`, as at inference, and log the attention of every layer.

    Works whatever attention kernel the model uses: where it returns no weights, these are computed from
    its queries and keys with its own mask, some rows at a time, and reduced layer by layer, so that a long
    context never has to exist whole. The model is left as it was. Several kinds of attention (encoder,
    decoder, cross) get a record each, named `name/kind`.

    Args:
        name: what is looked at, e.g. "decoder".
        model: a PyTorch module, a Keras 3 layer or model, or a TensorFlow model of Hugging Face.
        inputs: what it is called with: a dict of keywords, a tuple, or one argument.
        tokens, mask: as for `log_attention`; for a model with encoder and decoder also a dict with
            "encoder" and "decoder".
        query_tokens, key_tokens, document_ids, layers, heads, examples, rows, precision, step, writer: as
            for `log_attention`.
        causal: True if no position may look at later ones; if not given, what the layers say of
            themselves.
        vectors: True, or numbers of layers, to keep the query, key and value vectors too, from which the
            page shows step by step how a weight comes about. They are stored as float32 (float16 where
            the model computes in it), once per key-value head; if they do not fit into the 64 MiB of a step
            beside the maps, the vectors are left out first, and the record says so.

    Returns:
        Whether all records were accepted. The model is not run if nothing would be recorded.

    Raises:
        InvalidRecordError: the call is mistaken; the message says in one sentence how to mend it.

    Example:
        >>> import tempfile
        >>> import torch
        >>> import tb_llmdebug as llmdebug
        >>> model = torch.nn.TransformerEncoderLayer(d_model=8, nhead=2, batch_first=True)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         accepted = llmdebug.log_probe(
        ...             "encoder", model, torch.ones(1, 5, 8), vectors=True, step=0
        ...         )
        ...     record = llmdebug.open_logdir(logdir).attention(".", "encoder", step=0)
        ...     head = record.vectors(layer=0, head=1)
        >>> accepted, record.weights(layer=0, head=1).shape, head.q.shape, head.scale
        (True, (5, 5), (5, 4), 0.5)
    """
    check_name(name)
    choices = Choices.of(causal, layers, heads, examples, rows, precision, vectors=vectors)
    adapter = adapter_of(model)
    if isinstance(inputs, (str, bytes)):
        raise InvalidRecordError("inputs is text: tokenize it first, and pass what the model is called with.")
    sink = find_sink(writer)
    if sink is None:
        warn_without_sink()
        return False
    number = step_number(default_step(step))
    if _is_tracing():
        raise InvalidRecordError("log_probe runs the model itself: call it between steps, not in a graph.")
    if not recording():
        return False
    given = Given(tokens, query_tokens, key_tokens, mask, document_ids)
    kinds = LayersByKind(name, number, choices, given, sink)
    wanted = None if choices.layers is None else frozenset(choices.layers)
    request = Request(frozenset("v"), layers=wanted)
    if choices.vectors:
        request = Request(frozenset("qkv"), layers=wanted, logit_pieces=True)
    with adapter.attached(model, request, kinds.take):
        adapter.probe(model, inputs)
    return kinds.submit(request.ran)


def _is_tracing() -> bool:
    if not tensorflow_is_loaded():
        return False
    from tb_llmdebug.log import graph

    return graph.is_tracing()
