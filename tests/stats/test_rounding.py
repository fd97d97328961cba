"""What is rounded away, against maps that were stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.stats import jensen_shannon_distance
from tb_llmdebug.stats.rounding import rounding_distance


def maps(tokens: int, sharpness: float, causal: bool) -> np.ndarray:
    """Return attention of one layer and head, float32 [1, 1, tokens, tokens]."""
    generator = np.random.default_rng(tokens)
    logits = sharpness * generator.normal(size=(tokens, tokens))
    if causal:
        logits = np.where(np.tril(np.ones((tokens, tokens), bool)), logits, -np.inf)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)[None, None]


def stored(logdir: Path, *layers: np.ndarray, **settings: object) -> list[StoredAttention]:
    with llmdebug.Writer(logdir, on_full="wait") as writer:
        for step, layer in enumerate(layers):
            assert llmdebug.log_attention("probe", (layer,), step=step, writer=writer, **settings)
    opened = llmdebug.open_logdir(logdir)
    return [opened.attention(".", "probe", step=step) for step in range(len(layers))]


@pytest.mark.parametrize("precision", ["f32", "f16", "u8"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("tokens", [8, 64, 512])
def test_it_is_about_the_most_that_any_map_loses(
    tmp_path: Path, precision: str, causal: bool, tokens: int
) -> None:
    lost = []  # `causal` is not given: it is read off the weights
    for sharpness in (0.2, 1, 3, 6):
        given = maps(tokens, sharpness, causal)
        (found,) = stored(tmp_path / str(sharpness), given, precision=precision)
        bound = rounding_distance(found, 0)
        lost.append(jensen_shannon_distance(found.weights(0, 0), given[0, 0]))
        assert lost[-1] <= 1.05 * bound
    if precision != "f32":
        assert max(lost) > bound / 4
    if precision == "u8" and tokens > 8:
        assert max(lost) > bound * 0.9


def test_a_long_map_that_is_only_rounded_otherwise_cannot_be_told_from_what_it_was(tmp_path: Path) -> None:
    before = maps(1024, 1, causal=False)
    after = before * np.exp(0.01 * np.random.default_rng(0).normal(size=before.shape)).astype(np.float32)
    (layer,) = llmdebug.compare(
        *stored(tmp_path, before, after / after.sum(axis=-1, keepdims=True), precision="u8")
    ).layers
    assert 0.015 < layer.distances[0, 0] < layer.floor  # a bound of short maps would call it a change


def test_a_small_change_of_a_short_map_is_seen(tmp_path: Path) -> None:
    before = maps(10, 1, causal=True)
    after = before * np.exp(0.04 * np.random.default_rng(0).normal(size=before.shape)).astype(np.float32)
    (layer,) = llmdebug.compare(
        *stored(tmp_path, before, after / after.sum(axis=-1, keepdims=True), precision="u8")
    ).layers
    assert layer.floor < layer.distances[0, 0] < 0.015


def test_a_window_leaves_fewer_keys_to_round(tmp_path: Path) -> None:
    settings = {"precision": "u8", "causal": True}
    (every,) = stored(tmp_path / "every", maps(64, 1, causal=True), **settings)
    near = maps(64, 1, causal=True) * np.triu(np.ones((64, 64), np.float32), -7)
    near /= near.sum(axis=-1, keepdims=True)
    (windowed,) = stored(tmp_path / "near", near, window=8, **settings)
    lost = jensen_shannon_distance(windowed.weights(0, 0), near[0, 0])
    assert lost <= 1.05 * rounding_distance(windowed, 0) < rounding_distance(every, 0)
