"""`log_attribution`: scores per token."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tb_llmdebug.capture.host import to_host
from tb_llmdebug.log.autograph import not_converted
from tb_llmdebug.log.dispatch import dispatch
from tb_llmdebug.log.sinks import Sink, check_name, step_number
from tb_llmdebug.log.tokens import read_tokens
from tb_llmdebug.records import Attribution, AttributionRecord, InvalidRecordError, Tokens


@not_converted
def log_attribution(
    name: str,
    scores: Any,
    *,
    method: str = "",
    tokens: Any = None,
    target: str | Sequence[str] = "",
    rule: str = "",
    steps: int = 0,
    baseline: str = "",
    output: Any = None,
    baseline_output: Any = None,
    delta: Any = None,
    step: Any = None,
    writer: Any = None,
) -> Any:
    """Log how much each token contributed to a target, one signed score per token.

    Args:
        name: what is explained, e.g. "next token".
        scores: float [batch, tokens] or [tokens], summed over the embedding, raw: normalising is the
            browser's.
        method: how they were computed, e.g. "gradient x input", "integrated gradients"; has to be given.
        tokens: per example a list of strings, or `TokenIds(ids, tokenizer)`.
        target: what was explained, as text; one for all examples or one each.
        rule, steps, baseline: quadrature rule, its steps and the baseline as text, where the method has
            them.
        output, baseline_output: F(x) and F(b), float [batch] or one number.
        delta: sum(scores) - (F(x) - F(b)), float [batch] or one number.
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
        ...     llmdebug.log_attribution(
        ...         "next token", [0.5, -0.25], tokens=["a", "b"], method="gradient x input", step=0
        ...     )
        True
    """
    check_name(method, "method", "gradient x input")
    call = AttributionCall(name, method, rule, int(steps), baseline)
    arrays = {
        "scores": scores,
        "tokens": tokens,
        "target": target,
        "output": output,
        "baseline_output": baseline_output,
        "delta": delta,
    }
    return dispatch(name, call.log, arrays, step=step, writer=writer)


@dataclass(frozen=True)
class AttributionCall:
    """The settings of one `log_attribution` call, which hold no tensors."""

    name: str
    method: str
    rule: str
    steps: int
    baseline: str

    def log(
        self,
        sink: Sink,
        *,
        scores: Any,
        tokens: Any,
        target: Any,
        output: Any,
        baseline_output: Any,
        delta: Any,
        step: Any,
    ) -> bool:
        """Read the arrays and hand them over.

        Raises:
            InvalidRecordError: the arrays do not fit together.
        """
        values = np.atleast_2d(to_host(scores, "scores").array)
        if values.ndim != 2:
            raise InvalidRecordError(
                f"scores have shape {list(values.shape)}: sum over the embedding to [batch, tokens]."
            )
        values = values.astype(np.float32)  # a copy, whoever owns the memory
        batch = len(values)
        rows = None if tokens is None else read_tokens(tokens, "tokens")
        if rows is not None and len(rows) != batch:
            raise InvalidRecordError(
                f"tokens holds {len(rows)} examples and scores {batch}: give tokens for each example."
            )
        targets = _targets(target, batch)
        numbers = {
            "output": _numbers(output, batch, "output"),
            "baseline_output": _numbers(baseline_output, batch, "baseline_output"),
            "delta": _numbers(delta, batch, "delta"),
        }
        items = tuple(
            Attribution(
                index=place,
                scores=values[place],
                tokens=_row(rows, place),
                target=targets[place],
                **{key: found[place] for key, found in numbers.items()},
            )
            for place in range(batch)
        )
        record = AttributionRecord(
            self.name,
            step_number(step),
            time.time(),
            self.method,
            items,
            self.rule,
            self.steps,
            self.baseline,
        )
        return sink.submit(lambda: [record], values.nbytes)


def _row(rows: tuple[Tokens, ...] | None, place: int) -> Tokens | None:
    return None if rows is None else rows[place]


def _targets(target: Any, batch: int) -> list[str]:
    texts = [target] * batch if isinstance(target, str) else [str(text) for text in target]
    if len(texts) != batch:
        raise InvalidRecordError(f"target names {len(texts)} targets for {batch} examples: give one each.")
    return texts


def _numbers(value: Any, batch: int, what: str) -> list[float | None]:
    if value is None:
        return [None] * batch
    array = to_host(value, what).array.astype(np.float64)
    if array.shape not in ((), (1,), (batch,)):
        raise InvalidRecordError(f"{what} has shape {list(array.shape)}: give one number per example.")
    return [float(number) for number in np.broadcast_to(array, (batch,))]
