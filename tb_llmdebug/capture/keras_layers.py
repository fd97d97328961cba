"""Taps in the attention layers of Keras 3, tf_keras and KerasHub.

All of them do their attention in `_compute_attention(q, k, v, mask, ...)` on [batch, time, heads, size]
and, where they make weights at all, in a Softmax layer of their own. Both get a tap on the instance.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tb_llmdebug.capture.dot_product_tf import (
    DotProduct,
    block_of,
    check,
    chosen,
    on_the_host,
    refusing,
    unknown_kernel,
)
from tb_llmdebug.capture.keras_session import Run, Session, Site, in_shape_inference, plain
from tb_llmdebug.capture.taps import Block

_KERAS = ("keras.", "tf_keras.")
_KERAS_LAYERS = ("MultiHeadAttention", "GroupedQueryAttention")
_KERAS_HUB_LAYERS = (
    "LlamaAttention",
    "CachedMistralAttention",
    "CachedMixtralAttention",
    "QwenAttention",
    "Qwen3Attention",
    "CachedGemmaAttention",
    "CachedGemma3Attention",
    "Phi3Attention",
    "GPTNeoXAttention",
)


@dataclass
class _Softmaxed:
    """What the softmax of a running layer was given and returned, both [batch, heads, queries, keys]."""

    logits: Any = None
    weights: Any = None


class _Now(threading.local):
    """What one thread's run of a layer has come to."""

    causal_asked = False
    softmaxed: _Softmaxed | None = None


def knows(layer: Any) -> bool:
    """Return whether this module can look into `layer`."""
    for base in type(layer).__mro__:
        if base.__name__ in _KERAS_LAYERS and base.__module__.startswith(_KERAS):
            return True
        if base.__name__ in _KERAS_HUB_LAYERS and base.__module__.startswith("keras_hub."):
            return True
    return False


def attach(session: Session, site: Site) -> None:
    """Put the taps into one layer."""
    _LayerTap(session, site).attach()


class _LayerTap:
    """The taps of one layer."""

    def __init__(self, session: Session, site: Site) -> None:
        self._session, self._site, self._layer = session, site, site.layer
        self._softmax_layer: Any = None
        self._now = _Now()

    def attach(self) -> None:
        layer = self._layer
        compute = layer._compute_attention
        self._session.replace(layer, "_compute_attention", self._wrap(compute, self._attention))
        masked = getattr(layer, "_compute_attention_mask", None)
        if masked is not None:
            self._session.replace(layer, "_compute_attention_mask", self._wrap(masked, self._note_causal))
        self._tap_softmax()

    def _wrap(self, original: Callable[..., Any], tap: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return tap(original, *args, **kwargs)

        return plain(wrapper)

    def _tap_softmax(self) -> None:
        """Tap the layer's Softmax, which is there only once the layer is built."""
        softmax = getattr(self._layer, "_softmax", None) or getattr(self._layer, "softmax", None)
        if softmax is not None and self._softmax_layer is None:
            self._softmax_layer = softmax
            self._session.replace(softmax, "call", self._wrap(softmax.call, self._softmax))

    def _note_causal(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Remember whether the layer was told not to look ahead; the mask does not say it any more."""
        self._now.causal_asked = bool(kwargs.get("use_causal_mask", False))
        return original(*args, **kwargs)

    def _softmax(self, original: Callable[..., Any], inputs: Any, mask: Any = None) -> Any:
        running = self._now.softmaxed
        if running is None or in_shape_inference():
            return original(inputs, mask)
        logits = inputs
        if self._session.wants("logits") or self._session.request.logit_pieces:
            inputs, mask, logits = _masked(self._softmax_layer, inputs, mask)
            inputs, logits = _as_heads(inputs, logits)
        weights = original(inputs, mask)
        running.logits = logits
        made, running.weights = _as_heads(weights, weights)
        return made

    def _attention(
        self, original: Callable[..., Any], query: Any, key: Any, value: Any, *args: Any, **kwargs: Any
    ) -> Any:
        run, in_tokens = self._session.begin(self._site), len(query.shape) == 4
        if run is not None and not in_tokens:
            self._session.refuse(
                f"{run.label} attends along chosen axes of its input, not from token to token, and cannot be "
                f"captured: leave layer {run.layer} out of the layers that you ask for."
            )
        if run is None or not in_tokens:
            self._now.causal_asked = False
            return original(query, key, value, *args, **kwargs)
        self._tap_softmax()
        seen = _Seen(self._session, self._layer, query, key, value)
        seen.dropout = _drops(self._layer, args, kwargs)
        native = bool(kwargs.get("use_causal_mask", False))
        asked_causal = self._now.causal_asked or native
        softmaxed = self._now.softmaxed = _Softmaxed()
        self._now.causal_asked = False
        try:
            result = original(seen.query, seen.key, seen.value, *args, **kwargs)
        finally:
            self._now.softmaxed = None
        output, rest = (result[0], result[1:]) if isinstance(result, tuple) else (result, None)
        output = seen.take_output(output)
        mask = args[0] if args else kwargs.get("attention_mask")
        with self._session.looking():
            self._deliver(run, seen, softmaxed, mask, asked_causal, native)
        return output if rest is None else (output, *rest)

    def _deliver(
        self, run: Run, seen: _Seen, softmaxed: _Softmaxed, mask: Any, asked_causal: bool, native: bool
    ) -> None:
        session, layer, request = self._session, self._layer, self._session.request
        shape = (seen.query.shape[0], seen.query.shape[2], seen.query.shape[1], seen.key.shape[1])
        session.check_chosen(run.label, shape[1], shape[2])
        mask = _four_axes(mask)
        weights, logits, block, logit_block = self._weights(run.label, seen, softmaxed, mask, native)
        session.end(
            run,
            shape=shape,
            key_value_heads=seen.key_value_heads,
            causal=_is_causal(asked_causal, mask),
            window=_window(layer),
            q=seen.q,
            k=seen.k,
            v=seen.v,
            logits=logits,
            weights=weights,
            output=None if seen.output is None else chosen(seen.output, request.heads, request.rows),
            block=block if on_the_host(seen.query) else None,
            logit_block=logit_block if request.logit_pieces and on_the_host(seen.query) else None,
            scale=_scale(layer),
            softcap=float(getattr(layer, "logit_soft_cap", None) or 0.0),
        )

    def _weights(
        self, label: str, seen: _Seen, softmaxed: _Softmaxed, mask: Any, native: bool
    ) -> tuple[Any, Any, Block, Block]:
        """Return weights and logits as far as they are wanted, and both piece by piece."""
        session, layer, request = self._session, self._layer, self._session.request
        weights, logits = softmaxed.weights, softmaxed.logits
        if weights is not None:
            block, logit_block = block_of(weights), block_of(logits)
            weights = chosen(weights, request.heads, request.rows) if session.wants("weights") else None
            logits = chosen(logits, request.heads, request.rows) if session.wants("logits") else None
        elif _kernel_is_keras_own(layer):
            product = DotProduct(seen.query, seen.small_key, _scale(layer), mask, native)
            block, logit_block = product.block, product.logit_block
            if session.wants("logits"):
                logits = product.logits(request.heads, request.rows)
            if session.wants("weights"):
                weights = product.weights(request.heads, request.rows)
        else:
            refusal = unknown_kernel(label)
            if session.wants("weights") or session.wants("logits"):
                raise refusal
            return None, None, refusing(refusal), refusing(refusal)
        if on_the_host(seen.own_output) and not seen.dropout:
            check(block, seen.value, seen.own_output, label)
        return weights, logits, block, logit_block


class _Seen:
    """q, k, v and output of a run, in the layer's own layout and in that of the taps.

    Where a part is asked for, the layer goes on from the tap's tensor, turned back, so that a gradient can
    be taken with respect to it: turning an array or repeating its heads changes no bit of it. A tape adds
    up what reaches a tensor in the order in which it arrives, so q, k and v take the same detour of two
    operations, all or none: the sums stay the same to the bit.
    """

    def __init__(self, session: Session, layer: Any, query: Any, key: Any, value: Any) -> None:
        self._session = session
        repeats = _repeats(layer, query, key)
        heads = key.shape[2] // repeats
        self.key_value_heads = 0 if heads == query.shape[2] else heads
        self.query, self.key, self.value = query, key, value
        self.small_key = key[:, :, ::repeats] if repeats > 1 else key
        self.q: Any = None
        self.k: Any = None
        self.v: Any = None
        self.output: Any = None
        self.own_output: Any = None
        self.dropout = False
        if any(session.wants(part) for part in ("q", "k", "v")):
            self.query, q = _through(query, 1)
            self.key, k = _through(key, repeats)
            self.value, v = _through(value, repeats)
            self.q = q if session.wants("q") else None
            self.k = k if session.wants("k") else None
            self.v = v if session.wants("v") else None

    def take_output(self, output: Any) -> Any:
        """Return what the layer goes on from instead of `output`."""
        if self._session.wants("output"):
            output, self.output = _through(output, 1)
        self.own_output = output
        return output


def _through(native: Any, repeats: int) -> tuple[Any, Any]:
    """Return the layer's tensor [batch, time, heads, size] made from the tap's, and the tap's.

    The tap's is [batch, heads, time, size], and has each of `repeats` equal heads only once.
    """
    import tensorflow as tf

    if repeats == 1:
        tapped = tf.transpose(native, (0, 2, 1, 3))
        return tf.transpose(tapped, (0, 2, 1, 3)), tapped

    def once(whole: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            upstream = tf.transpose(upstream, (0, 2, 1, 3))[:, :, :, None]
            # All of it to the first of the equal heads; the layer's own repetition adds them up.
            filled = tf.pad(upstream, ((0, 0), (0, 0), (0, 0), (0, repeats - 1), (0, 0)))
            return tf.reshape(filled, tf.shape(whole))

        return tf.transpose(whole[:, :, ::repeats], (0, 2, 1, 3)), gradient

    def again(small: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            shape = tf.shape(upstream)
            heads = tf.concat([shape[:2], [-1, repeats], shape[3:]], 0)
            return tf.transpose(tf.reduce_sum(tf.reshape(upstream, heads), 3), (0, 2, 1, 3))

        return tf.repeat(tf.transpose(small, (0, 2, 1, 3)), repeats, axis=2), gradient

    tapped = tf.custom_gradient(once)(native)
    return tf.custom_gradient(again)(tapped), tapped


def _repeats(layer: Any, query: Any, key: Any) -> int:
    """Return how often a layer repeated its key-value heads before it computes."""
    heads = getattr(layer, "num_key_value_heads", None) or getattr(layer, "_num_key_value_heads", None)
    return int(key.shape[2] // heads) if heads and key.shape[2] == query.shape[2] else 1


def _masked(softmax: Any, inputs: Any, mask: Any) -> tuple[Any, Any, Any]:
    """Return inputs and mask to give the softmax so that it returns the same, and its logits.

    The logits lie on the way to the weights, so that a gradient reaches them.
    """
    import tensorflow as tf

    if mask is None:
        return inputs, None, inputs
    half = inputs.dtype == tf.float16
    if type(softmax).__module__.startswith("tf_keras.") and not softmax.robust_masking:
        masked = inputs + (1.0 - tf.cast(mask, inputs.dtype)) * (tf.float16.min / 2.0 if half else -1e9)
        return masked, None, masked
    allowed = mask if mask.dtype == tf.bool else mask > tf.cast(0.5, mask.dtype)
    masked = tf.where(allowed, inputs, tf.constant(-3e4 if half else -1e9, inputs.dtype))
    # Masked once more by the layer: should it take another number some day, its result is still its own.
    return masked, mask, masked


def _as_heads(own: Any, part: Any) -> tuple[Any, Any]:
    """Return `own` made from the tap's part, and the part as [batch, heads, queries, keys].

    Gemma keeps its query heads in groups, [batch, key-value heads, group, queries, keys].
    """
    import tensorflow as tf

    if len(part.shape) != 5:
        return part, part
    shape = tf.shape(part)
    flat = tf.reshape(part, tf.concat([shape[:1], shape[1:2] * shape[2:3], shape[3:]], 0))
    flat.set_shape([part.shape[0], part.shape[1] * part.shape[2], part.shape[3], part.shape[4]])
    back = tf.reshape(flat, shape)
    back.set_shape(own.shape)
    return back, flat


def _four_axes(mask: Any) -> Any:
    """Return a mask of Keras as bool, broadcastable to [batch, heads, queries, keys]."""
    import tensorflow as tf

    if mask is None:
        return None
    mask = tf.convert_to_tensor(mask)
    if mask.dtype != tf.bool:
        mask = tf.cast(mask, tf.bool)
    while len(mask.shape) < 4:
        mask = tf.expand_dims(mask, -3)
    return mask


def _is_causal(asked: bool, mask: Any) -> bool | None:
    """Return whether looking ahead was forbidden in this run; None if a graph does not know the mask yet."""
    import tensorflow as tf

    if asked or mask is None:
        return asked
    if not on_the_host(mask):
        return None
    queries, keys = mask.shape[2], mask.shape[3]
    if queries != keys or queries < 2:
        return None
    return not bool(tf.reduce_any(mask & (tf.range(keys)[None, :] > tf.range(queries)[:, None])))


def _window(layer: Any) -> int:
    """Return how many keys a query may look back, itself included; 0 = all."""
    if getattr(layer, "use_sliding_window_attention", True) is False:
        return 0
    for name in ("_sliding_window", "sliding_window", "sliding_window_size"):
        with suppress(TypeError, ValueError):
            size = int(getattr(layer, name, None) or 0)
            if size > 0:
                return size
    return 0


def _drops(layer: Any, settings: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Return whether dropout may stand between the weights of a run and its output."""
    training = named.get("training", settings[1] if len(settings) > 1 else None)
    return training is not False and any(getattr(part, "rate", 0) for part in layer._flatten_layers())


def _scale(layer: Any) -> Any:
    """Return what q . k is multiplied with; None if the layer does not say."""
    names = ("_inverse_sqrt_key_dim", "_inverse_sqrt_head_dim", "_inv_norm_factor")
    return next((scale for name in names if (scale := getattr(layer, name, None))), None)


def _kernel_is_keras_own(layer: Any) -> bool:
    """Return whether the attention is Keras's own, whose kernel is known, and not a user's."""
    function = type(layer)._compute_attention
    return str(function.__module__).startswith("keras.") and bool(
        getattr(layer, "_inverse_sqrt_key_dim", None) or getattr(layer, "_inverse_sqrt_head_dim", None)
    )
