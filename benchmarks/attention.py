"""Attention shaped like a model's: a sink, a local band, and content, sharper in some heads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Maps = npt.NDArray[np.float32]


def model_like(layers: int, heads: int, tokens: int, seed: int = 0) -> Maps:
    """Return causal attention, float32 [layers, heads, tokens, tokens]."""
    generator = np.random.default_rng(seed)
    distance = np.arange(tokens)[:, None] - np.arange(tokens)[None, :]
    maps = np.empty((layers, heads, tokens, tokens), np.float32)
    for layer in range(layers):
        for head in range(heads):
            logits = generator.normal(size=(tokens, tokens)) * generator.uniform(0.5, 3)
            logits -= np.abs(distance) * generator.uniform(0, 0.3)
            logits[:, 0] += generator.uniform(0, 6)
            logits = np.where(distance >= 0, logits, -np.inf)
            weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
            maps[layer, head] = weights / weights.sum(axis=-1, keepdims=True)
    return maps
