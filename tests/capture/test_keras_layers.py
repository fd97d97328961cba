"""Keras 3's and tf_keras's own attention layers, in functional and subclassed models."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tb_llmdebug.capture.adapters import tap
from tb_llmdebug.capture.taps import PARTS
from tb_llmdebug.records import InvalidRecordError
from tests.capture.tensorflow_checks import (
    assert_bit_equal,
    capture,
    check_changes_nothing,
    check_chosen_heads_and_rows,
    check_gradients,
    check_parts_agree,
    run,
)

X = np.random.default_rng(0).normal(size=(2, 6, 16)).astype("f")
SCALE = 8**-0.5


def functional(layer: Callable[[int], Any], count: int = 2, framework: Any = keras, **call: Any) -> Any:
    x = framework.Input((None, 16))
    y = x
    for number in range(count):
        y = y + layer(number)(y, y, **call)
    return framework.Model(x, framework.layers.Dense(3)(y))


def multi_head(framework: Any = keras, **settings: Any) -> Callable[[int], Any]:
    return lambda number: framework.layers.MultiHeadAttention(
        2, 8, name=f"attention{number}", bias_initializer="random_normal", **settings
    )


def grouped(**settings: Any) -> Callable[[int], Any]:
    return lambda number: keras.layers.GroupQueryAttention(
        8, 4, 2, name=f"attention{number}", bias_initializer="random_normal", **settings
    )


class Block(keras.layers.Layer):
    """A subclassed block as people write them: attention, then a projection."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(2, 8, **settings)
        self.after = keras.layers.Dense(16)

    def call(self, x: Any, training: bool = False) -> Any:
        return x + self.after(self.attention(x, x, use_causal_mask=True, training=training))


class Stack(keras.Model):
    """A subclassed model with its blocks in a list."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.blocks = [Block(**settings) for _ in range(2)]

    def call(self, x: Any, training: bool = False) -> Any:
        for block in self.blocks:
            x = block(x, training=training)
        return x


def built(model: Any) -> Any:
    model(X)
    return model


MODELS: dict[str, Callable[[], Any]] = {
    "fused": lambda: functional(multi_head()),
    "fused, causal": lambda: functional(multi_head(), use_causal_mask=True),
    "written out": lambda: functional(multi_head(dropout=0.1), use_causal_mask=True),
    "window": lambda: functional(multi_head(sliding_window=3), use_causal_mask=True),
    "grouped, fused": lambda: functional(grouped(), use_causal_mask=True),
    "grouped, written out": lambda: functional(grouped(dropout=0.1)),
    "grouped, window": lambda: functional(grouped(dropout=0.1, sliding_window=2)),
    "subclassed": lambda: built(Stack()),
    "subclassed, written out": lambda: built(Stack(dropout=0.1)),
    "tf_keras": lambda: functional(multi_head(tf_keras), framework=tf_keras, use_causal_mask=True),
}
if "sliding_window" not in inspect.signature(keras.layers.MultiHeadAttention).parameters:
    MODELS = {name: make for name, make in MODELS.items() if "window" not in name}  # a Keras for Python 3.10
FUSED = ("fused", "fused, causal", "window", "grouped, fused", "subclassed")


@pytest.fixture(scope="module", params=MODELS)
def case(request: Any) -> tuple[str, Any]:
    keras.utils.set_random_seed(4)
    return request.param, MODELS[request.param]()


def test_a_model_computes_and_learns_the_same_with_taps(case: tuple[str, Any]) -> None:
    check_changes_nothing(case[1], X)


def test_parts_agree_with_each_other(case: tuple[str, Any]) -> None:
    name, model = case
    captured = capture(model, X)
    assert [taps.layer for taps in captured] == [0, 1]
    paths = ["blocks.{}.attention"] if "subclassed" in name else ["attention{}"]
    assert [taps.label for taps in captured] == [paths[0].format(number) for number in range(2)]
    for taps in captured:
        check_parts_agree(taps, SCALE)
        assert taps.key_value_heads == (2 if "grouped" in name else 0)
        assert taps.causal is (name not in ("fused", "grouped, written out", "grouped, window"))
        assert taps.window == {"window": 3, "grouped, window": 2}.get(name, 0)
        ahead = np.triu(np.ones((6, 6), bool), 1)
        assert (np.asarray(taps.weights)[..., ahead] == 0).all() == (taps.causal is True)
    check_chosen_heads_and_rows(model, X, captured)


def test_gradients_reach_inside(case: tuple[str, Any]) -> None:
    name, model = case
    if "subclassed" in name:
        check_gradients(model, X, SCALE, weights=name not in FUSED)
        return
    layer = model.get_layer("attention0")
    biases = {"q": layer._query_dense.bias, "v": layer._value_dense.bias}
    if name == "tf_keras":
        biases = {"q": layer._query_dense.bias, "v": layer._value_dense.bias}
    else:
        biases = {part: bias.value for part, bias in biases.items()}
    check_gradients(model, X, SCALE, biases, weights=name not in FUSED)


@pytest.mark.parametrize("make", [multi_head, grouped])
def test_weights_made_for_a_fused_kernel_are_those_that_the_layer_returns(make: Callable[..., Any]) -> None:
    layer = make()(0)
    mask = np.tril(np.ones((1, 6, 6), bool)) & (np.arange(6) < 5)
    masks: list[dict[str, Any]] = [{}, {"use_causal_mask": True}, {"attention_mask": mask}]
    masks.append({"attention_mask": mask, "use_causal_mask": True})
    for settings in masks:
        _, expected = layer(X, X, return_attention_scores=True, **settings)
        with tap(layer, "weights", "logits") as captured:
            layer(X, X, **settings)
        np.testing.assert_allclose(captured[0].weights, expected, atol=1e-5)
        with tap(layer, "weights", "logits") as written_out:
            layer(X, X, return_attention_scores=True, **settings)
        assert_bit_equal(written_out[0].weights, expected)
        seen = np.asarray(expected) > 0
        np.testing.assert_allclose(
            np.asarray(captured[0].logits)[seen], np.asarray(written_out[0].logits)[seen], atol=1e-5
        )


class Squared(keras.layers.MultiHeadAttention):
    """Goes on from other weights than its softmax returned."""

    def _masked_softmax(self, scores: Any, attention_mask: Any = None) -> Any:
        weights = super()._masked_softmax(scores, attention_mask) ** 2
        return weights / tf.reduce_sum(weights, -1, keepdims=True)


class Sharpened(keras.layers.MultiHeadAttention):
    """Scales the query itself, inside what a tap sees, and passes it on to the fused kernel."""

    def _compute_attention(self, query: Any, *args: Any, **settings: Any) -> Any:
        return super()._compute_attention(query * 3.0, *args, **settings)


def test_weights_that_do_not_give_the_output_are_refused() -> None:
    layer = Squared(2, 8, dropout=0.1, name="mine")
    layer(X, X)
    with pytest.raises(InvalidRecordError, match=r"^the weights of mine cannot be had: [^.]*\.$"):
        with tap(layer):
            layer(X, X, training=False)
    with tap(layer) as captured:
        layer(X, X, training=True)  # dropout stands between weights and output: nothing to compare with
        tf.function(layer)(X, X, training=False)
    assert len(captured) == 1


def test_a_kernel_of_the_layers_own_is_named_where_weights_are_wanted() -> None:
    layer = Sharpened(2, 8, name="mine")
    layer(X, X)
    for part in ("weights", "logits"):
        with pytest.raises(InvalidRecordError, match=r"^the weights of mine cannot be had: [^.]*own[^.]*\.$"):
            with tap(layer, part):
                layer(X, X)
    with tap(layer, "q") as captured:
        layer(X, X)
    assert captured[0].q.shape == (2, 2, 6, 8)
    with pytest.raises(InvalidRecordError, match="kernel of its own"):
        captured[0].block(0, slice(None), slice(None))


def test_attention_over_some_of_several_axes_is_refused_by_the_layers_name() -> None:
    x = keras.Input((5, 3, 8))
    axial = keras.layers.MultiHeadAttention(2, 4, attention_axes=(1,), name="axial")(x, x)
    flat = keras.layers.Reshape((15, 8))(axial)
    model = keras.Model(x, keras.layers.MultiHeadAttention(2, 4, name="plain")(flat, flat))
    inputs = np.ones((1, 5, 3, 8), "f")
    for settings in ({}, {"layers": [0]}):
        with pytest.raises(InvalidRecordError, match=r"^axial attends [^.]*\.$"):
            with tap(model, **settings):
                model(inputs)
    with tap(model, layers=[1]) as captured:
        model(inputs)
    assert [(taps.layer, taps.label) for taps in captured] == [(1, "plain")]


def test_a_long_context_is_never_made_whole() -> None:
    layer = keras.layers.MultiHeadAttention(2, 4)
    x = np.random.default_rng(1).normal(size=(1, 2048, 16)).astype("f")
    layer(x[:, :8], x[:, :8])
    with tap(layer, "output", rows=[2047, 5]) as captured:
        layer(x, x, use_causal_mask=True)
    taps = captured[0]
    assert taps.weights is taps.logits is None and taps.output.shape == (1, 2, 2, 4)
    piece = taps.block(0, slice(1, 2), np.array([2047, 5]))
    _, whole = layer(x, x, use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(piece, np.asarray(whole)[0, 1:, [2047, 5]].swapaxes(0, 1), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_mixed_precision(policy: str, dropout: float) -> None:
    model = functional(multi_head(dropout=dropout, dtype=policy), use_causal_mask=True)
    plain = run(model, X)
    with tap(model, *PARTS) as captured:
        assert_bit_equal(run(model, X), plain)
    taps = captured[0]
    assert taps.q.dtype == taps.weights.dtype == policy.removeprefix("mixed_")
    assert taps.block(0, slice(None), slice(None)).dtype == np.float32
    weights = tf.cast(taps.weights, tf.float32)
    np.testing.assert_allclose(tf.reduce_sum(weights, -1), np.ones((2, 2, 6)), atol=2e-2)
    output = tf.matmul(weights, tf.cast(taps.v, tf.float32))
    np.testing.assert_allclose(output, tf.cast(taps.output, tf.float32), atol=3e-2)


@pytest.mark.parametrize("settings", [{}, {"jit_compile": True}])
def test_a_compiled_step_returns_weights_as_outputs(settings: dict[str, Any], case: tuple[str, Any]) -> None:
    _, model = case

    @tf.function(**settings)
    def step(x: Any) -> Any:
        with tap(model, *PARTS) as captured:
            out = model(x)
        assert all(taps.block is None for taps in captured)
        return out, captured.weights(), captured[1].logits

    expected = capture(model, X)
    out, weights, logits = step(tf.constant(X))
    np.testing.assert_allclose(out, run(model, X), atol=1e-5)
    for taps in expected:
        np.testing.assert_allclose(weights[taps.label], taps.weights, atol=1e-5)
    np.testing.assert_allclose(logits, expected[1].logits, atol=1e-4, rtol=1e-5)


def test_a_graph_without_static_shapes_knows_heads_and_rows() -> None:
    model = functional(multi_head(), use_causal_mask=True)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 16))])
    def step(x: Any) -> Any:
        with tap(model, "weights", heads=[1], rows=[4, 0]) as captured:
            model(x)
        assert captured[0].shape == (None, 2, None, None)
        return captured[0].weights

    expected = np.asarray(capture(model, X, "weights")[0].weights)[:, [1]][:, :, [4, 0]]
    np.testing.assert_allclose(step(X), expected, atol=1e-6)


def test_a_model_that_fits_with_taps_open_learns_the_same(tmp_path: Path) -> None:
    y = np.random.default_rng(2).normal(size=(2, 6, 3)).astype("f")
    results = []
    for tapped in (False, True):
        keras.utils.set_random_seed(1)
        model = functional(multi_head(dropout=0.1), use_causal_mask=True)
        model.compile("adam", "mse", jit_compile=False)
        if tapped:
            with tap(model, *PARTS):
                model.fit(X, y, epochs=3, verbose=0)
            assert model.train_function is None
        else:
            model.fit(X, y, epochs=3, verbose=0)
        results.append([*model.get_weights(), model.predict(X, verbose=0)])
    assert_bit_equal(*results)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_training_step_may_hold_a_tap(jit_compile: bool) -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = functional(multi_head(dropout=0.1), use_causal_mask=True)

        def call(self, x: Any, training: bool = False) -> Any:
            return self.inner(x, training=training)

        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with tf.GradientTape() as tape:
                with tap(self, "weights") as captured:
                    out = self(x, training=True)
                loss = self.compute_loss(x, y, out)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {"loss": loss, "first": tf.reduce_mean(captured[1].weights[..., 0])}

    model = Model()
    model(X)
    model.compile("sgd", "mse", jit_compile=jit_compile)
    history = model.fit(X, np.ones((2, 6, 3), "f"), epochs=2, verbose=0).history
    assert all(1 / 6 < value < 1 for value in history["first"])


def test_an_exported_model_has_no_tap_inside(tmp_path: Path) -> None:
    model = functional(multi_head(), use_causal_mask=True)

    def operations(name: str) -> list[str]:
        model.export(str(tmp_path / name), verbose=False)
        loaded = tf.saved_model.load(str(tmp_path / name)).signatures["serving_default"]
        functions = loaded.graph.as_graph_def().library.function
        return sorted(node.op for function in functions for node in function.node_def)

    before = operations("before")
    with tap(model, *PARTS):
        within = operations("within")
        model(X)
    assert before == operations("after") != within
    clone = keras.Model.from_config(model.get_config())
    assert len(capture(clone, X)) == 2
