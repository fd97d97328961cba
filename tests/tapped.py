"""Layers as taps would show them, made of NumPy arrays, and a record of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import tb_llmdebug as llmdebug
from tb_llmdebug.capture.taps import LayerTaps
from tb_llmdebug.log.attention import LayersByKind
from tb_llmdebug.log.recorder import Choices
from tb_llmdebug.log.sides import Given
from tb_llmdebug.log.sinks import find_sink


def tapped_layer(
    layer: int = 0,
    *,
    batch: int = 2,
    heads: int = 4,
    key_value_heads: int = 2,
    queries: int = 6,
    keys: int = 6,
    size: int = 4,
    value_size: int = 3,
    causal: bool = True,
    scale: float | None = None,
    told: float | None = None,
    bias: np.ndarray | None = None,
    softcap: float = 0.0,
    sinks: np.ndarray | None = None,
    masked_with: float = -np.inf,
    dtype: type = np.float32,
    seed: int = 0,
) -> LayerTaps:
    """Return a layer that computes softmax(cap(scale q . k) + bias) under a causal mask.

    `told` is what it says of its scale; `bias` broadcasts to [batch, heads, queries, keys].
    """
    draw = np.random.default_rng(seed + layer)
    q = draw.normal(size=(batch, heads, queries, size)).astype(dtype)
    k = (2 * draw.normal(size=(batch, key_value_heads, keys, size))).astype(dtype)
    v = draw.normal(size=(batch, key_value_heads, keys, value_size)).astype(dtype)
    every = np.repeat(k.astype(np.float64), heads // key_value_heads, axis=1)
    logits = q.astype(np.float64) @ every.swapaxes(-1, -2) * (size**-0.5 if scale is None else scale)
    if softcap:
        logits = softcap * np.tanh(logits / softcap)
    if bias is not None:
        logits = logits + bias
    if causal:
        ahead = np.arange(keys)[None, :] > np.arange(queries)[:, None] + keys - queries
        logits = np.where(ahead, logits + masked_with, logits)
    sink = np.full((1, heads, 1, 1), -np.inf) if sinks is None else sinks.reshape(1, heads, 1, 1)
    powers = np.exp(logits - np.maximum(logits.max(-1, keepdims=True), sink))
    rest = np.exp(sink - np.maximum(logits.max(-1, keepdims=True), sink))
    weights = powers / (powers.sum(-1, keepdims=True) + rest)

    def piece(whole: np.ndarray):
        return lambda example, some, rows: whole[example, some][:, rows].astype(np.float32)

    return LayerTaps(
        layer=layer,
        label=f"layers.{layer}",
        shape=(batch, heads, queries, keys),
        key_value_heads=key_value_heads if key_value_heads != heads else 0,
        q=q,
        k=k,
        v=v,
        block=piece(weights),
        logit_block=piece(logits),
        scale=told,
        softcap=softcap,
        sinks=sinks,
    )


def log_tapped(name: str, layers: Sequence[LayerTaps], step: int = 0, **choices: object) -> bool:
    """Log the layers with the active writer, as `log_probe(vectors=True)` would."""
    given = {"causal": None, "layers": None, "heads": None, "examples": None, "rows": None}
    kept = Choices.of(**{**given, "precision": "auto", "vectors": True, **choices})  # type: ignore[arg-type]
    kinds = LayersByKind(name, step, kept, Given(), find_sink(None))
    for layer in layers:
        kinds.take(layer)
    return kinds.submit()


def stored_of(root: Path, name: str = "probe", step: int = 0):
    """Return what was logged."""
    return llmdebug.open_logdir(root).attention(".", name, step)


def differences(root: Path) -> dict[str, float]:
    """Return by name how far weights recomputed from the vectors are from the stored ones, at most.

    Rows that may look nowhere are left out: they have no weights, and kernels differ in what they put there.
    """
    logdir, found = llmdebug.open_logdir(root), {}
    for name in logdir.names("."):
        stored, worst = logdir.attention(".", name, 0), 0.0
        for layer in stored.message.layers:
            for example, head in np.ndindex(len(stored.message.examples), len(layer.heads)):
                weights = stored.vectors(layer.layer, head, example).weights()
                apart = np.abs(weights - stored.weights(layer.layer, head, example))
                worst = max(worst, float(apart[weights.sum(axis=-1) > 0].max(initial=0.0)))
        found[name] = worst
    return found
