"""Attention that looks like a model's, and runs made of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import tb_llmdebug as llmdebug

Maps = npt.NDArray[np.float32]


def softmax_maps(
    seed: int = 0,
    *,
    batch: int = 2,
    heads: int = 3,
    queries: int = 6,
    keys: int | None = None,
    causal: bool = False,
    mask: npt.NDArray[np.integer] | None = None,
    sharpness: float = 2.0,
) -> Maps:
    """Return [batch, heads, queries, keys] whose rows sum to 1."""
    keys = queries if keys is None else keys
    logits = np.random.default_rng(seed).normal(size=(batch, heads, queries, keys)) * sharpness
    if causal:
        logits = np.where(np.tril(np.ones((queries, keys), bool)), logits, -np.inf)
    if mask is not None:
        logits = np.where(mask[:, None, None, :] == 1, logits, -1e9)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def layers_of(count: int = 2, **settings: object) -> tuple[Maps, ...]:
    """Return one such array per layer."""
    return tuple(softmax_maps(seed, **settings) for seed in range(count))


def write_run(
    logdir: str,
    *,
    steps: range = range(0, 30, 10),
    name: str = "decoder",
    inline: bool = False,
    attention: Callable[[int], object] | None = None,
    **settings: object,
) -> None:
    """Log one attention record per step."""
    with llmdebug.Writer(logdir, inline=inline) as writer:
        for step in steps:
            maps = layers_of() if attention is None else attention(step)
            assert llmdebug.log_attention(name, maps, step=step, **settings)
        assert writer.flush(60)
        assert writer.status().lost_records == 0, writer.status().last_error
