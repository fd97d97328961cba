"""How Keras models are built and called in practice: shared, nested, reloaded, traced before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_llmdebug as llmdebug

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("f")


def functional(times: int = 1) -> Any:
    """Return a model that uses one attention layer so many times."""
    keras.utils.set_random_seed(1)
    tokens = keras.Input((6, 8))
    layer = keras.layers.MultiHeadAttention(2, 4, name="attention")
    x = tokens
    for _ in range(times):
        x = layer(x, x)
    return keras.Model(tokens, x)


def own_weights(layer: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return output and weights that the layer itself gives."""
    output, weights = layer(x, x, return_attention_scores=True)
    return np.asarray(output), np.asarray(weights)


def test_a_layer_that_is_used_twice_is_two_layers_also_in_a_model_that_was_saved(tmp_path: Path) -> None:
    model = functional(times=2)
    model.save(tmp_path / "model.keras")
    between, first = own_weights(model.get_layer("attention"), X)
    _, second = own_weights(model.get_layer("attention"), between)
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        plain = np.asarray(one(X))
        with llmdebug.tap(one, "weights") as captured:
            assert np.array_equal(one(X), plain)
        assert [(taps.layer, taps.label) for taps in captured] == [(0, "attention"), (1, "attention#2")]
        np.testing.assert_allclose(captured[0].weights, first, atol=1e-6)
        np.testing.assert_allclose(captured[1].weights, second, atol=1e-6)


def test_a_model_inside_a_model_is_seen() -> None:
    inner = functional()

    class Outer(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.head = inner, keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.head(self.inner(x))

    for outer in (Outer(), keras.Sequential([keras.Input((6, 8)), inner, keras.layers.Dense(3)])):
        plain = np.asarray(outer(X))
        with llmdebug.tap(outer, "weights") as captured:
            assert np.array_equal(outer(X), plain)
        assert [taps.label.rsplit(".", 1)[-1] for taps in captured] == ["attention"]
        np.testing.assert_allclose(
            captured[0].weights, own_weights(inner.get_layer("attention"), X)[1], atol=1e-6
        )


def test_a_function_that_was_traced_before_says_that_nothing_came() -> None:
    model = functional()
    step = tf.function(model)
    plain = step(X)
    with (
        pytest.warns(RuntimeWarning, match="nothing was captured.*trace anew"),
        llmdebug.tap(model) as captured,
    ):
        assert np.array_equal(step(X), plain)
    assert not len(captured)
