"""Taps in the TensorFlow models of Hugging Face.

Their attention is written out in one function per layer, products and softmax between the lines, with
nothing to override inside. So the layer gets, on the instance, that same function (its very code) with a
few names of its module bound anew: the softmax and TensorFlow's products go through the tap.
"""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections.abc import Callable
from typing import Any

from tb_llmdebug.capture.dot_product_tf import block_of, chosen, on_the_host
from tb_llmdebug.capture.keras_session import Session, Site, in_shape_inference, plain, run_original
from tb_llmdebug.records import InvalidRecordError

_SOFTMAX = "stable_softmax"
_QUERIES_BY_KEYS = ("bnqd,bnkd->bnqk",)
# Modules whose attention is softmax(q k^T + what is added) v, and nothing else between.
_BERT_LIKE = "albert bert camembert electra layoutlm rembert roberta roberta_prelayernorm tapas xlm_roberta"
_BART_LIKE = "bart blenderbot blenderbot_small marian mbart opt pegasus whisper xglm"
_MODELS = frozenset([*_BERT_LIKE.split(), *_BART_LIKE.split(), "distilbert", "gpt2", "gptj", "mpnet", "t5"])
_HEAD_MASKS = ("head_mask", "layer_head_mask")
_ALWAYS_CAUSAL = ("gpt2", "gptj")


def knows(layer: Any) -> bool:
    """Return whether this module can look into `layer`."""
    return _attention_function(type(layer)) is not None


def attach(session: Session, site: Site) -> None:
    """Put the tap into one layer."""
    layer = site.layer
    name = _attention_function(type(layer))
    assert name is not None
    tap = _LayerTap(session, site)
    method = getattr(layer, name)
    names = method.__func__.__globals__
    function = types.FunctionType(
        method.__func__.__code__,
        {
            **names,
            _SOFTMAX: tap.softmax(names[_SOFTMAX]),
            "tf": _Products(names["tf"], tap),
        },
        method.__func__.__name__,
        method.__func__.__defaults__,
        method.__func__.__closure__,
    )
    function.__kwdefaults__ = method.__func__.__kwdefaults__
    session.replace(layer, name, types.MethodType(_without_head_mask(function, site), layer))


def _without_head_mask(function: Callable[..., Any], site: Site) -> Callable[..., Any]:
    """Refuse a call that scales heads after their softmax: its weights would not be those that it used."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        if any(given.get(name) is not None for name in _HEAD_MASKS):
            raise InvalidRecordError(
                f"{site.label} was called with a head_mask, which changes its weights after their softmax: "
                "call the model without one while it is tapped."
            )
        return run_original(site.layer, function, *args, **kwargs)

    return plain(call)


def _attention_function(layer_class: type) -> str | None:
    """Return the name of the method that holds the attention of a class, None if there is none."""
    for base in layer_class.__mro__:
        parts = base.__module__.split(".")
        if (
            parts[:2] != ["transformers", "models"]
            or parts[2] not in _MODELS
            or "Attention" not in base.__name__
        ):
            continue
        for name, function in vars(base).items():
            if isinstance(function, types.FunctionType) and _SOFTMAX in function.__code__.co_names:
                return name
    return None


class _Products:
    """TensorFlow's module with `matmul` and `einsum` listened to."""

    def __init__(self, module: Any, tap: _LayerTap) -> None:
        self._module = module
        self.matmul = tap.product(module.matmul)
        self.einsum = tap.product(module.einsum)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Now(threading.local):
    """What one thread's run of a layer has come to."""

    q: Any = None
    k: Any = None
    logits: Any = None
    weights: Any = None


class _LayerTap:
    """The tap of one layer.

    q and k are what the last product before the softmax was made of, v what the first one after it takes.
    Layers that fold the heads into the batch are unfolded on the way, so that the tap's tensors are those
    that the model goes on from.
    """

    def __init__(self, session: Session, site: Site) -> None:
        self._session, self._site = session, site
        self._now = _Now()

    def product(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return a product that notices q and k before the softmax, v and the output after it."""

        def product(*operands: Any, **kwargs: Any) -> Any:
            now = self._now
            equation = operands[:1] if isinstance(operands[0], str) else ()
            first, second = operands[len(equation) :]
            if kwargs.get("transpose_b") or equation == _QUERIES_BY_KEYS:
                now.weights = None
                if not in_shape_inference():
                    first, now.q = self._through("q", first)
                    second, now.k = self._through("k", second)
                return original(*equation, first, second, **kwargs)
            if now.weights is None:
                return original(*equation, first, second, **kwargs)
            second, v = self._through("v", second)
            output, tapped = self._through("output", original(*equation, first, second, **kwargs))
            with self._session.looking():
                self._finish(v, tapped)
            return output

        return plain(product)

    def softmax(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return a softmax that remembers what it was given and returned."""

        def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Any:
            if in_shape_inference():
                return original(logits, axis=axis, name=name)
            now = self._now
            logits, now.logits = self._through("logits", logits)
            weights = original(logits, axis=axis, name=name)
            weights, now.weights = self._through("weights", weights)
            return weights

        return plain(softmax)

    def _through(self, part: str, own: Any) -> tuple[Any, Any]:
        """Return what the layer goes on from and what the tap keeps, [batch, heads, ...]."""
        if len(own.shape) != 3:
            return own, own
        import tensorflow as tf

        heads = self._site.layer.num_heads
        own_shape = tf.shape(own)
        unfolded = tf.reshape(own, tf.concat([[own_shape[0] // heads, heads], own_shape[1:]], 0))
        batch = None if own.shape[0] is None else own.shape[0] // heads
        unfolded.set_shape([batch, heads, own.shape[1], own.shape[2]])
        folded = tf.reshape(unfolded, own_shape)
        folded.set_shape(own.shape)
        return (folded if self._session.wants(part) else own), unfolded

    def _finish(self, v: Any, output: Any) -> None:
        now, session, request = self._now, self._session, self._session.request
        q, k, logits, weights = now.q, now.k, now.logits, now.weights
        now.q = now.k = now.logits = now.weights = None
        run = session.begin(self._site)
        if run is None:
            return
        shape = (q.shape[0], q.shape[1], q.shape[2], k.shape[2])
        session.check_chosen(run.label, shape[1], shape[2])

        def kept(part: str, whole: Any) -> Any:
            return chosen(whole, request.heads, request.rows) if session.wants(part) else None

        session.end(
            run,
            shape=shape,
            causal=_is_causal(self._site),
            q=q if session.wants("q") else None,
            k=k if session.wants("k") else None,
            v=v if session.wants("v") else None,
            logits=kept("logits", logits),
            weights=kept("weights", weights),
            output=kept("output", output),
            block=block_of(weights) if on_the_host(weights) else None,
            logit_block=block_of(logits) if request.logit_pieces and on_the_host(logits) else None,
        )


def _is_causal(site: Site) -> bool:
    """Return whether a layer is one of those that its model gives a causal mask."""
    layer = site.layer
    if site.group == "cross" or getattr(layer, "is_cross_attention", False):
        return False
    if type(layer).__module__.split(".")[2] in _ALWAYS_CAUSAL:
        return True
    decoder = getattr(layer, "is_decoder", getattr(getattr(layer, "config", None), "is_decoder", False))
    return bool(decoder)
