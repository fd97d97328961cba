"""Where a `log_*` call goes, and whether it is to be recorded at all."""

from __future__ import annotations

import operator
import sys
from typing import Any, Protocol

from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.writing import Writer, active_writer
from tb_llmdebug.writing.active import latest_writer
from tb_llmdebug.writing.once import Once
from tb_llmdebug.writing.writer import Build


class Sink(Protocol):
    """What takes records: a `Writer`, or a `tf.summary` writer in its wrapping."""

    once: Once
    """what was said and flagged already in this run"""

    def submit(self, build: Build, nbytes: int, without_map: Build | None = None) -> bool:
        """Take the records that `build` makes; returns whether they were accepted."""


def find_sink(writer: Any) -> Sink | None:
    """Return the sink: `writer`, else the active `Writer`, else the active `tf.summary` writer.

    Raises:
        InvalidRecordError: `writer` is neither.
    """
    if writer is None:
        return active_writer() or _writer_of_replicas() or _active_summary_sink()
    if isinstance(writer, Writer):
        return writer
    if tensorflow_is_loaded():
        import tensorflow as tf

        from tb_llmdebug.writing import tf_summary

        if isinstance(writer, tf.summary.SummaryWriter):
            return tf_summary.sink_of(writer)
    raise InvalidRecordError(
        f"writer is a {type(writer).__name__}: pass an llmdebug.Writer or a tf.summary writer."
    )


def tensorflow_is_loaded() -> bool:
    """Return whether TensorFlow was imported, whole, by the user."""
    return hasattr(sys.modules.get("tensorflow"), "summary")


def recording() -> Any:
    """Return what `tf.summary.record_if` says: a bool, or a tensor inside a graph."""
    if not tensorflow_is_loaded():
        return True
    from tb_llmdebug.writing import tf_summary

    return tf_summary.should_record()


def default_step(step: Any) -> Any:
    """Return `step`, or the one set with `tf.summary.experimental.set_step`.

    Raises:
        InvalidRecordError: there is neither.
    """
    if step is None and tensorflow_is_loaded():
        import tensorflow as tf

        step = tf.summary.experimental.get_step()
    if step is None:
        raise InvalidRecordError(
            "no step is known: pass step=, or call tf.summary.experimental.set_step first."
        )
    return step


def step_number(step: Any) -> int:
    """Return `step` as a number that an event can hold.

    Raises:
        InvalidRecordError: it is no whole number of 64 bits.
    """
    value = step.numpy() if hasattr(step, "numpy") else step
    try:
        number = operator.index(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        raise InvalidRecordError(f"step is {step!r}: pass a whole number.") from None
    if not -(1 << 63) <= number < 1 << 63:
        raise InvalidRecordError(f"step is {number}: pass a number of 64 bits.")
    return number


def check_name(name: Any, what: str = "name", such: str = "decoder") -> str:
    """Return `name` if it can name a record, or `what` it is for, `such` as this.

    Raises:
        InvalidRecordError: it is no text, empty, or longer than 1,000 characters.
    """
    if not isinstance(name, str) or not name or len(name) > 1000:
        raise InvalidRecordError(f"{what} must be a text of 1 to 1,000 characters, such as {such!r}.")
    return name


_once = Once()


def warn_without_sink() -> None:
    """Say once that a call went nowhere."""
    message = (
        "nothing is logged because no writer is active: use `with llmdebug.Writer(logdir).as_default():` or "
        "pass writer=."
    )
    _once.warn("no writer", message, stacklevel=5)


def _writer_of_replicas() -> Writer | None:
    """Return the active writer as replicas see it: TensorFlow runs each in a thread of its own."""
    if tensorflow_is_loaded():
        import tensorflow as tf

        if tf.distribute.has_strategy():
            return latest_writer()
    return None


def _active_summary_sink() -> Sink | None:
    if not tensorflow_is_loaded():
        return None
    from tb_llmdebug.writing import tf_summary

    return tf_summary.active_sink()
