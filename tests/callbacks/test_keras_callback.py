"""The callback in real runs of `fit`: Keras 3, KerasHub, tf_keras and Hugging Face's TensorFlow models."""

from __future__ import annotations

import doctest
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import transformers

import tb_llmdebug as llmdebug
from tb_llmdebug.callbacks import keras as keras_callback
from tb_llmdebug.callbacks.keras import LLMDebugCallback
from tests.small_tokenizer import tokenizer_of

SENTENCES = ["the cat sat", "a dog"]
WORDS = ["[unk]", "the", "cat", "sat", "a", "dog", "ran"]
IDS = np.random.default_rng(0).integers(1, 7, (12, 5))
TARGETS = np.random.default_rng(1).normal(size=(12, 5, 3)).astype("f")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tokenizer_of(WORDS)


def small(framework: Any = keras) -> Any:
    framework.utils.set_random_seed(3)
    ids = framework.Input((None,), dtype="int32")
    x = framework.layers.Embedding(8, 8)(ids)
    for _ in range(2):
        x = x + framework.layers.MultiHeadAttention(2, 4, dropout=0.2)(x, x, use_causal_mask=True)
    x = framework.layers.BatchNormalization()(framework.layers.Dropout(0.1)(x))
    return framework.Model(ids, framework.layers.Dense(3)(x))


def fit(model: Any, *callbacks: Any, epochs: int = 2, **settings: Any) -> Any:
    model.compile("adam", "mse", **settings)
    model.fit(IDS, TARGETS, batch_size=4, epochs=epochs, verbose=0, callbacks=list(callbacks))
    return model


def assert_same_weights(one: Any, other: Any) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("settings", [{"jit_compile": False}, {"jit_compile": True}])
@pytest.mark.parametrize("framework", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_a_fit_with_probes_ends_with_the_same_weights(
    framework: Any, settings: dict[str, Any], tokenizer: Any, tmp_path: Path
) -> None:
    if framework is tf_keras and settings["jit_compile"]:
        settings = {"run_eagerly": True}
    callback = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path, every=2)
    assert isinstance(callback, framework.callbacks.Callback)
    probed = fit(small(framework), callback, **settings)
    assert_same_weights(fit(small(framework), **settings), probed)
    logdir = llmdebug.open_logdir(tmp_path)
    # Before the first step, every 2nd, and at the end of each epoch of 3 steps.
    assert logdir.steps(".", "probe") == [0, 2, 3, 4, 6]
    assert logdir.anomalies(".") == []
    record = logdir.attention(".", "probe", 6)
    assert record.example(0).key_tokens.text == ("the", "cat", "sat")
    assert record.example(1).key_mask.tolist() == [True, True, False]
    ids = np.array([[1, 2, 3], [4, 5, 0]])
    with llmdebug.tap(probed) as captured:
        probed(ids, training=False)
    for layer, taps in enumerate(captured):
        np.testing.assert_allclose(record.weights(layer, 1, 0), taps.weights[0, 1], atol=1e-3)


def test_vectors_are_kept_of_chosen_layers_and_change_nothing(tokenizer: Any, tmp_path: Path) -> None:
    callback = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path, every=3, vectors=[1], precision="f32")
    assert_same_weights(fit(small()), fit(small(), callback))
    record = llmdebug.open_logdir(tmp_path).attention(".", "probe", 6)
    assert [record.has_vectors(layer) for layer in range(2)] == [False, True]
    found = record.vectors(1, 1, 0)
    assert np.abs(found.weights() - record.weights(1, 1, 0)).max() < 1e-5


def test_several_steps_in_one_execution_are_counted(tokenizer: Any, tmp_path: Path) -> None:
    callback = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path, every=4, at_epoch_end=False)
    fit(small(), callback, epochs=3, steps_per_execution=3)
    assert llmdebug.open_logdir(tmp_path).steps(".", "probe") == [0, 6, 9]


def test_a_second_fit_goes_on_counting(tokenizer: Any, tmp_path: Path) -> None:
    callback = LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path, at_start=False)
    model = fit(small(), callback, epochs=1)
    model.fit(IDS, TARGETS, batch_size=4, epochs=1, verbose=0, callbacks=[callback])
    assert llmdebug.open_logdir(tmp_path).steps(".", "probe") == [3, 6]


def test_a_model_that_fit_builds_is_probed_once_it_is_built(tokenizer: Any, tmp_path: Path) -> None:
    class Lazy(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = keras.layers.Embedding(8, 8)
            self.attention = keras.layers.MultiHeadAttention(2, 4)
            self.head = keras.layers.Dense(3)

        def call(self, ids: Any) -> Any:
            x = self.embedding(ids)
            return self.head(self.attention(x, x))

    def lazy() -> Any:
        keras.utils.set_random_seed(2)
        return Lazy()

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        probed = fit(lazy(), LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path, every=2))
    assert_same_weights(fit(lazy()), probed)
    assert llmdebug.open_logdir(tmp_path).steps(".", "probe") == [2, 3, 4, 6]


def test_hugging_face_models_get_ids_and_mask(tokenizer: Any, tmp_path: Path) -> None:
    def gpt2() -> Any:
        tf_keras.utils.set_random_seed(1)
        config = transformers.GPT2Config(n_layer=2, n_head=2, n_embd=8, vocab_size=8, n_positions=8)
        return transformers.TFGPT2LMHeadModel(config)

    def train(*callbacks: Any) -> Any:
        model = gpt2()
        model.compile("adam")
        data = {"input_ids": IDS, "labels": IDS}
        model.fit(data, batch_size=4, epochs=1, verbose=0, callbacks=list(callbacks))
        return model

    probed = train(LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path, every=2))
    assert_same_weights(train(), probed)
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "probe") == [2, 3]  # the model is only built by its first step
    weights = logdir.attention(".", "probe", 3).weights(1, 0, 1)
    out = probed(np.array([[4, 5, 0]]), attention_mask=np.array([[1, 1, 0]]), output_attentions=True)
    np.testing.assert_allclose(weights, out.attentions[1][0, 0], atol=1e-3)


def test_keras_hub_models_and_tokenizers(tmp_path: Path) -> None:
    keras_hub = pytest.importorskip("keras_hub")
    vocabulary = {word: place for place, word in enumerate(["<|endoftext|>", *"abcdefg", "ab"])}
    tokenizer = keras_hub.tokenizers.BytePairTokenizer(vocabulary, ["a b"])

    def train(*callbacks: Any) -> Any:
        keras.utils.set_random_seed(1)
        backbone = keras_hub.models.GPT2Backbone(9, 2, 2, 8, 16, max_sequence_length=8)
        model = keras_hub.models.GPT2CausalLM(backbone)
        model.compile("adam", "sparse_categorical_crossentropy", sampler="greedy")
        data = {"token_ids": IDS, "padding_mask": np.ones_like(IDS)}
        model.fit(data, IDS, batch_size=4, epochs=1, verbose=0, callbacks=list(callbacks))
        return model

    probed = train(LLMDebugCallback(tokenizer, ["abba", "cab"], logdir=tmp_path))
    assert_same_weights(train(), probed)
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "probe") == [0, 3]
    assert logdir.attention(".", "probe", 3).example(0).key_tokens.text == ("ab", "b", "a")


def test_ready_inputs_and_a_writer_of_tensorboard(tmp_path: Path) -> None:
    writer = tf.summary.create_file_writer(str(tmp_path))
    callback = LLMDebugCallback(
        inputs=IDS[:1], tokens=[list("abcde")], name="mine", writer=writer, layers=[1], heads=[0], causal=True
    )
    fit(small(), callback)
    writer.close()
    record = llmdebug.open_logdir(tmp_path).attention(".", "mine", 6)
    assert record.example(0).key_tokens.text == tuple("abcde")
    assert record.weights(1, 0).shape == (5, 5)


def test_a_fault_of_the_probe_is_one_warning_and_an_anomaly(tokenizer: Any, tmp_path: Path) -> None:
    callback = LLMDebugCallback(inputs=np.full((1, 3), 99.5), logdir=tmp_path, every=1, rows=[40])
    with pytest.warns(RuntimeWarning, match="the probe 'probe' failed") as seen:
        probed = fit(small(), callback)
    assert len([one for one in seen if "llmdebug" in str(one.message)]) == 1
    assert_same_weights(fit(small()), probed)
    anomalies = llmdebug.open_logdir(tmp_path).anomalies(".")
    assert {one.rule for _, one in anomalies} == {"probe.failed"}


def test_a_model_without_attention_is_trained_all_the_same(tokenizer: Any, tmp_path: Path) -> None:
    def dense() -> Any:
        keras.utils.set_random_seed(1)
        ids = keras.Input((None,), dtype="int32")
        return keras.Model(ids, keras.layers.Dense(3)(keras.layers.Embedding(8, 4)(ids)))

    with pytest.warns(RuntimeWarning, match="no attention layer is known"):
        probed = fit(dense(), LLMDebugCallback(tokenizer, SENTENCES, logdir=tmp_path))
    assert_same_weights(fit(dense()), probed)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either sentences="),
        ({"sentences": SENTENCES}, "needs the model's tokenizer"),
        ({"inputs": IDS, "every": 0}, "every is 0"),
        ({"inputs": IDS, "logdir": "a", "writer": "b"}, "either logdir= or writer="),
        ({"inputs": IDS, "name": ""}, "name"),
    ],
)
def test_mistakes_are_told_before_the_training(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(llmdebug.InvalidRecordError, match=message):
        LLMDebugCallback(**settings)


def test_the_example_runs() -> None:
    assert doctest.testmod(keras_callback).failed == 0
