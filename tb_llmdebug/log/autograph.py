"""Keeping TensorFlow's AutoGraph out of our own code, without importing TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


def not_converted(function: F) -> F:
    """Mark `function` so that AutoGraph calls it as it is.

    Inside `tf.function` AutoGraph would rewrite it and everything it calls, which costs seconds of tracing.
    The mark is the one that `tf.autograph.experimental.do_not_convert` sets.
    """
    function.autograph_info__ = {}  # type: ignore[attr-defined]
    return function
