"""One opening of the taps on a Keras model: which call is running, which layer, and how to take it all off.

TensorFlow is never imported here by itself: whoever has a Keras model has it.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tb_llmdebug.capture.taps import Deliver, LayerTaps, Request
from tb_llmdebug.records import InvalidRecordError

_ABSENT = object()
# What a model compiles by itself while a tap is open has the tap inside; it is made anew afterwards.
_COMPILED = ("train_function", "train_tf_function", "test_function", "predict_function")


@dataclass(frozen=True)
class Site:
    """An attention layer and where it stands in its model."""

    layer: Any
    label: str
    group: str


@dataclass(frozen=True)
class Run:
    """One run of an attention layer whose insides are wanted."""

    site: Site
    layer: int
    label: str
    replica: int
    call: int


@dataclass
class _Call:
    """A call of the root model that is on its way in this thread."""

    number: int
    replica: int
    runs: Counter[str] = field(default_factory=Counter)
    runs_of_layer: Counter[int] = field(default_factory=Counter)


class Session:
    """What all taps of one opening share."""

    def __init__(self, request: Request, deliver: Deliver) -> None:
        self.request = request
        self._deliver = deliver
        self._undo: list[tuple[dict[str, Any], str, Any]] = []
        self._calls: Counter[int] = Counter()
        self._thread = threading.local()
        self._problem: Exception | None = None

    def wants(self, part: str) -> bool:
        """Return whether `part` was asked for."""
        return part in self.request.parts

    def replace(self, layer: Any, name: str, function: Callable[..., Any]) -> None:
        """Let `layer.name` be `function` until the session closes.

        Written past Keras's `__setattr__`, which would track it as a part of the model.
        """
        own = vars(layer)
        self._undo.append((own, name, own.get(name, _ABSENT)))
        own[name] = function

    def keep_compiled(self, model: Any) -> None:
        """See to it that `model` has the same compiled functions after the session as before."""
        own = vars(model)
        self._undo.extend((own, name, own[name]) for name in _COMPILED if name in own)

    def close(self) -> None:
        """Take every tap off."""
        while self._undo:
            own, name, before = self._undo.pop()
            if before is _ABSENT:
                own.pop(name, None)
            else:
                own[name] = before

    @contextmanager
    def model_call(self) -> Iterator[None]:
        """Hold while the root model runs; what runs outside, e.g. a recomputation, is not looked at."""
        if self._running() is not None or in_shape_inference():
            yield
            return
        replica = _replica()
        self._thread.call = _Call(self._calls[replica], replica)
        self._calls[replica] += 1
        try:
            yield
        finally:
            self._thread.call = None

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Keep the first exception that is raised inside until the session ends, and look no further.

        Raised within a layer, Keras would rewrite its message; so the model finishes first.
        """
        try:
            yield
        except Exception as problem:  # noqa: BLE001 - raised again as the session ends
            self._problem = self._problem or problem

    def refuse(self, message: str) -> None:
        """Raise `message` as the session ends, and look no further."""
        with self.looking():
            raise InvalidRecordError(message)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Raise what `looking` kept as the block ends, instead of an exception that followed from it."""
        try:
            yield
        except Exception:
            if self._problem is None:
                raise
        if self._problem is not None:
            raise self._problem

    def begin(self, site: Site) -> Run | None:
        """Count a run of a layer; return it if its insides are wanted."""
        call = self._running()
        if call is None or self._problem is not None or in_shape_inference():
            return None
        layer = call.runs[site.group]
        call.runs[site.group] += 1
        call.runs_of_layer[id(site.layer)] += 1
        again = call.runs_of_layer[id(site.layer)]
        if not self.request.wants(layer):
            return None
        label = site.label if again == 1 else f"{site.label}#{again}"
        return Run(site, layer, label, call.replica, call.number)

    def end(self, run: Run, **what: Any) -> None:
        """Deliver what a layer did; parts that were not asked for are left out by the caller."""
        self._deliver(
            LayerTaps(
                layer=run.layer,
                label=run.label,
                group=run.site.group,
                replica=run.replica,
                call=run.call,
                **what,
            )
        )

    def check_chosen(self, label: str, heads: int | None, queries: int | None) -> None:
        """Raise if heads or rows were asked for that a layer does not have.

        Raises:
            InvalidRecordError: one of them is out of range.
        """
        for what, chosen, count in (
            ("head", self.request.heads, heads),
            ("row", self.request.rows, queries),
        ):
            wrong = [number for number in chosen or () if count is not None and not 0 <= number < count]
            if wrong:
                raise InvalidRecordError(
                    f"{what} {wrong[0]} was asked for, but {label} has only {count}: "
                    f"ask for {what}s from 0 to {count - 1}."  # type: ignore[operator]
                )

    def _running(self) -> _Call | None:
        return getattr(self._thread, "call", None)


def in_shape_inference() -> bool:
    """Return whether Keras runs a layer only to learn the shape of what it returns."""
    import tensorflow as tf

    if tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        if "scratch_graph" in getattr(graph, "name", ""):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark `function` so that AutoGraph runs it as it is, without a word to what it calls.

    `tf.autograph.experimental.do_not_convert` would also switch AutoGraph off for the model's own code
    inside.
    """
    function.autograph_info__ = None  # type: ignore[attr-defined]
    return function


def run_original(layer: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call what a tap stands before, the way Keras would have."""
    autographed = getattr(layer, "_should_use_autograph", None)  # Keras 2 only
    if autographed is not None and autographed():
        import tensorflow as tf

        if not tf.executing_eagerly():
            autograph = tf.__internal__.autograph
            function = autograph.tf_convert(function, autograph.control_status_ctx())
    return function(*args, **kwargs)


def _replica() -> int:
    tf = sys.modules["tensorflow"]
    context = tf.distribute.get_replica_context()
    if context is None:
        return 0
    number = context.replica_id_in_sync_group
    if not isinstance(number, int):
        number = tf.get_static_value(number)
    return 0 if number is None else int(number)
