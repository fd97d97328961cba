"""What the adapter of Keras models promises beyond the numbers: calls, replicas, errors, and no trace."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import tb_llmdebug as llmdebug
from tb_llmdebug.capture import keras_adapter
from tb_llmdebug.capture.adapters import tap
from tb_llmdebug.capture.taps import PARTS
from tb_llmdebug.records import InvalidRecordError
from tests.capture.tensorflow_checks import assert_bit_equal, capture, marks

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("f")


class Stack(keras.Model):
    """Attention layers one after the other."""

    def __init__(self, count: int = 2, **settings: Any) -> None:
        super().__init__()
        self.layers_of_attention = [keras.layers.MultiHeadAttention(2, 4, **settings) for _ in range(count)]

    def call(self, x: Any, training: bool = False) -> Any:
        for layer in self.layers_of_attention:
            x = x + layer(x, x, training=training)
        return x


@pytest.fixture
def model() -> Stack:
    keras.utils.set_random_seed(1)
    model = Stack()
    model(X)
    return model


def test_only_the_asked_layers_are_delivered(model: Stack) -> None:
    assert [taps.layer for taps in capture(model, X, layers=[1])] == [1]


def test_a_probe_of_a_layer_that_is_not_there_names_those_that_are(model: Stack, tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path), pytest.raises(InvalidRecordError, match=r"attention layers 0 to 1\.$"):
        llmdebug.log_probe("x", model, X, layers=[5], step=0)


def test_only_the_latest_call_is_kept_and_calls_are_counted(model: Stack) -> None:
    seen: list[Any] = []
    with tap(model, each=seen.append):
        model(X)
        model(X)
    assert [(taps.call, taps.layer) for taps in seen] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    with tap(model) as captured:
        model(X)
        model(X)
    assert [taps.call for taps in captured] == [1, 1]


def test_parts_that_were_not_asked_for_are_not_there(model: Stack) -> None:
    for part in PARTS:
        taps = capture(model, X, part)[0]
        assert [name for name in PARTS if getattr(taps, name) is not None] == [part]


def test_what_runs_outside_a_call_of_the_model_is_not_delivered(model: Stack) -> None:
    with tap(model) as captured:
        model.layers_of_attention[0](X, X)
        assert len(captured) == 0
        model(X)
    assert len(captured) == 2


@pytest.mark.parametrize("in_graph", [False, True])
def test_a_recomputed_layer_is_delivered_once(in_graph: bool) -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.attention = keras.layers.MultiHeadAttention(2, 4, dropout=0.1)
            self.runs = 0

        def call(self, x: Any) -> Any:
            def block(x: Any) -> Any:
                self.runs += 1
                return self.attention(x, x)

            return tf.recompute_grad(block)(x)

    model = Model()
    model(X)
    variables = model.trainable_variables

    def gradients() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(tf.constant(X)) ** 2)
        return tape.gradient(loss, variables)

    run = tf.function(gradients) if in_graph else gradients
    plain, model.runs = run(), 0
    seen: list[Any] = []
    with tap(model, *PARTS, each=seen.append):
        run = tf.function(gradients) if in_graph else gradients
        tapped = run()
    assert model.runs >= 2  # once forwards, once more for the gradient
    assert [(taps.call, taps.layer) for taps in seen] == [(0, 0)]
    assert_bit_equal(plain, tapped)


def test_replicas_are_told_apart() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    program = [sys.executable, "-m", "tests.capture.mirrored"]
    result = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    seen = json.loads(result.stdout.splitlines()[-1])
    per_call = [[replica, layer] for replica in range(2) for layer in range(2)]
    assert seen["same"] == [True, True] and seen["weights"]
    assert seen["order"] == [[call, *rest] for call in range(2) for rest in per_call]
    assert seen["graph"] == [[0, *rest] for rest in per_call]


def test_threads_do_not_disturb_each_other() -> None:
    keras.utils.set_random_seed(1)
    model = Stack(1, dropout=0.1)
    model(X)
    inputs = [X, X * 2]
    expected = [np.asarray(capture(model, one)[0].weights) for one in inputs]
    met = threading.Barrier(2, timeout=60)

    layer = model.layers_of_attention[0]
    softmax = layer._masked_softmax

    def meet(*args: Any) -> Any:
        met.wait()  # both threads have begun the same layer, and neither has come to its softmax
        return softmax(*args)

    vars(layer)["_masked_softmax"] = meet
    found: dict[int, Any] = {}
    with tap(model, each=lambda taps: found.update({threading.get_ident(): taps})):
        results: list[Any] = [None, None]

        def work(number: int) -> None:
            model(inputs[number])
            results[number] = found[threading.get_ident()]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for taps, weights in zip(results, expected, strict=True):
        assert (taps.call, taps.layer) in ((0, 0), (1, 0))
        np.testing.assert_allclose(taps.weights, weights, atol=1e-6)


def test_a_model_that_is_first_built_under_a_tap_delivers_its_real_call_only() -> None:
    class Lazy(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.Sequential([keras.layers.Dense(8)])
            self.attention = keras.layers.MultiHeadAttention(2, 4, dropout=0.1)

        def call(self, x: Any) -> Any:
            return self.attention(self.inner(x), x)

    model = Lazy()
    with tap(model, *PARTS) as captured:
        model(X)
    assert [(taps.call, taps.layer) for taps in captured] == [(0, 0)]
    assert captured[0].block is not None
    np.testing.assert_allclose(tf.nn.softmax(captured[0].logits), captured[0].weights, atol=1e-6)
    assert "call" not in vars(model.attention._softmax)


def test_taps_may_be_nested(model: Stack) -> None:
    before = marks(model)
    with tap(model, *PARTS) as outer:
        with tap(model, "weights", layers=[1]) as inner:
            out = model(X)
        with tap(model.layers_of_attention[0], "weights") as own:
            model(X)
    assert_bit_equal(out, model(X))
    assert marks(model) == before
    assert [taps.layer for taps in inner] == [1] and len(outer) == 2
    assert [taps.label for taps in own] == [model.layers_of_attention[0].name]
    assert_bit_equal(outer[1].weights, inner[0].weights)


def test_taps_come_off_without_a_trace_after_an_exception(model: Stack) -> None:
    before, config = marks(model), [layer.get_config() for layer in model.layers_of_attention]
    with pytest.raises(ZeroDivisionError):
        with tap(model, *PARTS, each=lambda taps: 1 / 0):
            model(X)
    with pytest.raises(Exception, match=r"matmul|[Dd]imension|shape"):
        with tap(model):
            model(X[..., :3])
    assert marks(model) == before
    assert [layer.get_config() for layer in model.layers_of_attention] == config
    layer = copy.deepcopy(model.layers_of_attention[0])
    assert_bit_equal(layer(X, X), model.layers_of_attention[0](X, X))
    functional = keras.Sequential([keras.Input((6, 8)), keras.layers.Dense(8)])
    pickle.loads(pickle.dumps(functional))
    assert len(capture(model, X)) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"heads": [2]}, "head 2 was asked for, .* has only 2"),
        ({"rows": [6]}, "row 6 was asked for, .* only 6"),
    ],
)
def test_heads_and_rows_that_are_not_there_are_named(
    settings: dict[str, Any], message: str, model: Stack
) -> None:
    with pytest.raises(InvalidRecordError, match=f"^{message}: ask for .*\\.$"):
        with tap(model, **settings):
            model(X)


@pytest.mark.parametrize("framework", [keras, tf_keras])
def test_what_a_callback_raises_reaches_the_caller_as_it_is(framework: Any) -> None:
    x = framework.Input((6, 8))
    y = framework.layers.MultiHeadAttention(2, 4)(x, x)
    model = framework.Model(x, framework.layers.MultiHeadAttention(2, 4)(y, y))
    plain, finished, seen = model(X), [], []
    mistake = InvalidRecordError("give five tokens.")

    def refuse(taps: Any) -> None:
        seen.append(taps.layer)
        raise mistake

    def look(then: BaseException | None = None) -> None:
        with tap(model, each=refuse):
            finished.append(model(X))
            model(X)
            if then is not None:
                raise then

    for then in (None, KeyError("nothing was delivered")):
        with pytest.raises(InvalidRecordError, match=r"^give five tokens\.$") as raised:
            look(then)
        assert raised.value is mistake
    assert seen == [0, 0]
    for output in finished:
        assert_bit_equal(output, plain)
    with pytest.raises(KeyboardInterrupt):
        look(KeyboardInterrupt())


def test_a_model_without_known_attention_is_refused(model: Stack) -> None:
    dense = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    for stranger in (dense, tf_keras.layers.Dense(2)):
        with pytest.raises(InvalidRecordError, match="no attention layer is known"):
            with tap(stranger):
                pass

    class Later(keras.Model):
        def build(self, shape: Any) -> None:
            self.attention = keras.layers.MultiHeadAttention(2, 4)

    with pytest.raises(InvalidRecordError, match="call it once"):
        with tap(Later()):
            pass
    with pytest.raises(InvalidRecordError, match="'weight' cannot be captured"):
        with tap(model, "weight"):
            pass


def test_a_probe_leaves_everything_as_it_was() -> None:
    class Regular(Stack):
        def __init__(self) -> None:
            super().__init__(dropout=0.5, activity_regularizer="l2")
            self.normal = keras.layers.BatchNormalization()

        def call(self, x: Any, training: bool = False) -> Any:
            return self.normal(super().call(x, training=training), training=training)

    model = Regular()
    model(X)
    model(X, training=True)
    losses, before = [float(loss) for loss in model.losses], marks(model)
    variables = [variable.numpy().copy() for variable in model.variables]
    state = [variable.numpy().copy() for layer in model._flatten_layers() for variable in layer.variables]
    with tf.GradientTape() as tape:
        tape.watch(tf.constant(X))
        first = keras_adapter.probe(model, X * 2)
        total = tf.reduce_sum(first)
    assert tape.gradient(total, model.trainable_variables[0].value) is None
    assert_bit_equal(first, keras_adapter.probe(model, (X * 2,)))
    assert [float(loss) for loss in model.losses] == losses and len(losses) == 8
    assert marks(model) == before
    assert_bit_equal(variables, [variable.numpy() for variable in model.variables])
    assert_bit_equal(state, [v.numpy() for layer in model._flatten_layers() for v in layer.variables])


def test_a_probe_takes_keywords_dicts_and_tuples() -> None:
    class Two(keras.Model):
        def call(self, first: Any, second: Any = None) -> Any:
            return first - second

    model = Two()
    model(X, X)
    assert_bit_equal(keras_adapter.probe(model, {"first": X, "second": X}), X - X)
    assert_bit_equal(keras_adapter.probe(model, (X, 2 * X)), X - 2 * X)
    inputs = {"a": keras.Input((8,)), "b": keras.Input((8,))}
    functional = keras.Model(inputs, inputs["a"] - inputs["b"])
    assert_bit_equal(keras_adapter.probe(functional, {"a": X[0], "b": X[1]}), X[0] - X[1])
    with pytest.raises(InvalidRecordError, match="not built yet"):
        keras_adapter.probe(Two(), X)


def test_losses_of_keras_2_survive_a_probe() -> None:
    x = tf_keras.Input((6, 8))
    layer = tf_keras.layers.MultiHeadAttention(2, 4, activity_regularizer="l2")
    model = tf_keras.Model(x, layer(x, x))
    model(X)
    losses = [float(loss) for loss in model.losses]
    keras_adapter.probe(model, X * 2)
    assert [float(loss) for loss in model.losses] == losses and len(losses) == 1
