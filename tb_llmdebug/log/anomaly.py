"""`log_anomaly`: something that the user's own code found."""

from __future__ import annotations

import time
from typing import Any

from tb_llmdebug.log.autograph import not_converted
from tb_llmdebug.log.dispatch import dispatch
from tb_llmdebug.log.sinks import Sink, check_name, step_number
from tb_llmdebug.records import Anomaly, AnomalyRecord, Severity


@not_converted
def log_anomaly(
    name: str,
    message: str,
    *,
    rule: str = "",
    severity: Severity | str = "warning",
    why: str = "",
    advice: str = "",
    observed: Any = None,
    threshold: Any = None,
    example: Any = None,
    layer: Any = None,
    head: Any = None,
    query: Any = None,
    key: Any = None,
    step: Any = None,
    writer: Any = None,
) -> Any:
    """Log an anomaly that your own code found; it stands in the list beside those of the built-in checks.

    Args:
        name: what it was seen in; the name of a logged attention makes a click lead to its map.
        message: what was seen, one sentence.
        rule: a dotted id, which has to be given; equal rules of one run are one flag.
        severity: "info", "warning" or "error".
        why, advice: why it matters and what to try, one sentence each.
        observed, threshold: the value and what it was held against, numbers or scalar tensors.
        example, layer, head, query, key: where, numbers from 0 on.
        step: the training step; falls back to `tf.summary.experimental.get_step()`.
        writer: an `llmdebug.Writer` or a `tf.summary` writer; the active one if not given.

    Returns:
        Whether the record was accepted: a bool, or a bool tensor inside a graph.

    Raises:
        InvalidRecordError: the call is mistaken; the message says in one sentence how to mend it.

    Example:
        >>> import tempfile
        >>> import tb_llmdebug as llmdebug
        >>> with tempfile.TemporaryDirectory() as logdir, llmdebug.Writer(logdir):
        ...     llmdebug.log_anomaly("loss", "The loss is 9 times its mean.", rule="loss.spike", step=7)
        True
    """
    rule, severity = check_name(rule, "rule", "loss.spike"), Severity.parse(severity)

    def log(sink: Sink, *, step: Any, **places: Any) -> bool:
        found: dict[str, Any] = {
            place: None if value is None else _number(place, value) for place, value in places.items()
        }
        anomaly = Anomaly(rule, severity, message, why, advice, **found)
        record = AnomalyRecord(name, step_number(step), time.time(), anomaly)
        return sink.submit(lambda: [record], 0)

    arrays = {
        "observed": observed,
        "threshold": threshold,
        "example": example,
        "layer": layer,
        "head": head,
        "query": query,
        "key": key,
    }
    return dispatch(name, log, arrays, step=step, writer=writer)


def _number(place: str, value: Any) -> Any:
    return float(value) if place in ("observed", "threshold") else step_number(value)
