"""Logging from inside `tf.function`: what is symbolic is logged when it has a value.

TensorFlow must already be imported: this module is loaded only then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from tb_llmdebug.log.sinks import Sink, recording, step_number
from tb_llmdebug.log.tokens import TokenIds
from tb_llmdebug.records import Anomaly, AnomalyRecord, InvalidRecordError, Severity

_executing_eagerly = tf.executing_eagerly  # every call asks, and tf's attributes are slow to find


def is_tracing() -> bool:
    """Return whether the caller is being traced into a graph."""
    return not _executing_eagerly()


def call_at_run_time(sink: Sink, name: str, log: Callable[..., bool], arrays: dict[str, Any]) -> tf.Tensor:
    """Call `log(sink, **arrays)` whenever the graph runs, with values for the symbolic tensors.

    `tf.summary.record_if` is honoured. A mistake that shows only then is logged as an anomaly: an exception
    would end training with a graph error.

    Raises:
        InvalidRecordError: the graph is compiled by XLA, which calls nothing on the host.
    """
    leaves, structure = _flatten(arrays)
    symbolic = [place for place, leaf in enumerate(leaves) if tf.is_tensor(leaf)]

    def run(*values: tf.Tensor) -> bool:
        known = list(leaves)
        for place, value in zip(symbolic, values, strict=True):
            known[place] = value
        return _log_or_tell(sink, name, log, _rebuild(known, structure))

    def call() -> tf.Tensor:
        accepted = tf.py_function(run, [leaves[place] for place in symbolic], tf.bool)
        accepted.set_shape(())
        return accepted

    wanted = recording()
    if wanted is False:
        return tf.constant(False)
    if control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        raise InvalidRecordError(
            f"{name!r} cannot be logged inside a function that XLA compiles (jit_compile=True): return the "
            "tensors from that function and log them outside it."
        )
    if wanted is True:
        return call()
    return tf.cond(wanted, call, lambda: tf.constant(False))


def _log_or_tell(sink: Sink, name: str, log: Callable[..., bool], arrays: dict[str, Any]) -> bool:
    """Log; whatever goes wrong becomes an anomaly, because an exception here would end training."""
    try:
        return log(sink, **arrays)
    except Exception as error:  # noqa: BLE001 - tokenizers and arrays of the user's may raise anything
        sink.once.warn(f"graph/{name}", f"a call in a graph could not be logged as {name!r}: {error}")
        anomaly = Anomaly(
            rule="log.invalid_call",
            severity=Severity.WARNING,
            message=f"A call in a graph could not be logged: {error}",
            why="Nothing of this step was recorded under this name.",
            advice="Mend the call as the sentence says.",
        )
        record = AnomalyRecord(name, _step_or_zero(arrays["step"]), time.time(), anomaly)
        sink.submit(lambda: [record], 0)
        return False


def _step_or_zero(step: Any) -> int:
    try:
        return step_number(step)
    except InvalidRecordError:
        return 0


def _flatten(arrays: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Flatten to leaves; `TokenIds` opens up to its ids, which may be symbolic."""
    plain = {key: value.ids if isinstance(value, TokenIds) else value for key, value in arrays.items()}
    tokenizers = {key: value.tokenizer for key, value in arrays.items() if isinstance(value, TokenIds)}
    return tf.nest.flatten(plain), {"arrays": plain, "tokenizers": tokenizers}


def _rebuild(leaves: list[Any], structure: dict[str, Any]) -> dict[str, Any]:
    arrays: dict[str, Any] = tf.nest.pack_sequence_as(structure["arrays"], leaves)
    for key, tokenizer in structure["tokenizers"].items():
        arrays[key] = TokenIds(arrays[key], tokenizer)
    return arrays
