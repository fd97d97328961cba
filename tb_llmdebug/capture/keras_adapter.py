"""The adapter of Keras models: Keras 3 and tf_keras, KerasHub, and Hugging Face's TensorFlow models."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from tb_llmdebug.capture import hugging_face_tf, keras_layers
from tb_llmdebug.capture.keras_session import Session, Site, plain, run_original
from tb_llmdebug.capture.keras_tree import groups, walk
from tb_llmdebug.capture.taps import Deliver, Request
from tb_llmdebug.records import InvalidRecordError

_FAMILIES = (keras_layers, hugging_face_tf)


@contextmanager
def attached(model: Any, request: Request, deliver: Deliver) -> Iterator[None]:
    """Deliver what every attention layer in `model` does whenever the model runs, while open.

    Layers are numbered within their group in the order in which they run; one that runs several times in
    a call, as ALBERT's, counts each time. Nothing is delivered of what runs outside a call of `model`
    itself, e.g. when a backward pass computes a layer once more. A model that was compiled before (by
    `fit`, `predict` or the caller's `tf.function`) runs as it was compiled, without taps.

    The first exception that `deliver` raises comes out of the `with` block as it ends; nothing is
    delivered any more until then.

    Raises:
        InvalidRecordError: no attention layer is known in `model`, or it does not run on TensorFlow.
    """
    _require_tensorflow(model)
    found = [(path, layer) for path, layer in walk(model) if any(f.knows(layer) for f in _FAMILIES)]
    if not found:
        built = getattr(model, "built", True)
        raise InvalidRecordError(
            f"no attention layer is known in this {type(model).__name__}: "
            + (
                "give its attention weights to log_attention."
                if built
                else "call it once, so that it is built."
            )
        )
    session = Session(request, deliver)
    try:
        for _, layer in walk(model):
            session.keep_compiled(layer)
        for (path, layer), group in zip(found, groups([path for path, _ in found]), strict=True):
            site = Site(layer, path or layer.name, group)
            next(family for family in _FAMILIES if family.knows(layer)).attach(session, site)
        session.replace(model, "call", _watched(session, model))
        with session.open():
            yield
    finally:
        session.close()


def probe(model: Any, inputs: Any) -> Any:
    """Run `model` once on `inputs` as in inference, and return what it returns.

    No gradient is recorded, even inside a `tf.GradientTape`, and the model is afterwards what it was.

    Args:
        model: a built Keras model or layer.
        inputs: a dict (keywords of a Hugging Face model, the input of a functional model), a tuple of
            positional inputs, or one array.

    Raises:
        InvalidRecordError: the model is not built yet.
    """
    _require_tensorflow(model)
    if not getattr(model, "built", True):
        raise InvalidRecordError("the model is not built yet: call it once before the first probe.")
    settings = {"training": False} if _takes_training(model) else {}
    with _losses_kept(model), _not_recorded():
        if isinstance(inputs, dict) and _takes_keywords(model, inputs):
            return model(**inputs, **settings)
        if isinstance(inputs, tuple):
            return model(*inputs, **settings)
        return model(inputs, **settings)


def _watched(session: Session, model: Any) -> Callable[..., Any]:
    """Return the model's `call`, known to the session while it runs."""
    original = model.call

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        with session.model_call():
            return run_original(model, original, *args, **kwargs)

    return plain(call)


def _require_tensorflow(model: Any) -> None:
    """Raise unless `model` computes with TensorFlow."""
    roots = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    backend = sys.modules["keras"].backend.backend() if "keras" in roots and "keras" in sys.modules else ""
    if backend not in ("", "tensorflow") or "tensorflow" not in sys.modules:
        raise InvalidRecordError(
            f"Keras runs on {backend or 'no TensorFlow'} here: only models on its TensorFlow backend can be "
            "looked into; give the attention weights to log_attention."
        )


def _takes_training(model: Any) -> bool:
    for name in ("_call_has_training_arg", "_expects_training_arg"):
        if hasattr(model, name):
            return bool(getattr(model, name))
    return "training" in inspect.signature(model.call).parameters


def _takes_keywords(model: Any, inputs: dict[str, Any]) -> bool:
    """Return whether a dict of inputs are keywords, and not itself the one input."""
    if any(base.__module__.startswith("transformers.") for base in type(model).__mro__):
        return True
    if any(base.__name__ == "Functional" for base in type(model).__mro__):
        return False
    return set(inputs) <= set(inspect.signature(model.call).parameters)


@contextmanager
def _losses_kept(model: Any) -> Iterator[None]:
    """Give every layer the losses back that it had, which a call of the model clears."""
    kept = []
    for _, layer in walk(model):
        own = getattr(layer, "_thread_local", layer) if hasattr(layer, "_eager_losses") else layer
        name = "_eager_losses" if own is not layer else "_losses"
        kept.append((own, name, list(getattr(own, name, ())), set(getattr(layer, "_loss_ids", ()))))
    try:
        yield
    finally:
        for own, name, losses, ids in kept:
            held = getattr(own, name, None)
            if isinstance(held, list):
                held[:] = losses
            if hasattr(own, "_loss_ids"):
                own._loss_ids.clear()
                own._loss_ids.update(ids)


def _not_recorded() -> Any:
    """Return a context in which no tape of this thread records."""
    try:
        return importlib.import_module("tensorflow.python.eager.record").stop_recording()
    except (ImportError, AttributeError):  # not a public name
        return nullcontext()
