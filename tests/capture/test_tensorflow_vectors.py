"""Vectors of Keras models and of Hugging Face's in TensorFlow: their weights follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras  # noqa: F401 - its models are looked up by this module
import transformers

import tb_llmdebug as llmdebug
from tests.tapped import differences

EXACT = 1e-5


def probed(root: Path, model: Any, inputs: Any) -> llmdebug.Logdir:
    with llmdebug.Writer(root):
        assert llmdebug.log_probe("probe", model, inputs, precision="f32", vectors=True, step=0)
    return llmdebug.open_logdir(root)


def keras_model(flash: bool | None) -> Any:
    keras.utils.set_random_seed(0)
    tokens = keras.Input((9, 16))
    plain = keras.layers.MultiHeadAttention(4, 8, flash_attention=flash)
    x = plain(tokens, tokens, use_causal_mask=True)
    grouped = keras.layers.GroupQueryAttention(
        head_dim=8, num_query_heads=4, num_key_value_heads=2, flash_attention=flash
    )
    return keras.Model(tokens, grouped(x, x))


@pytest.mark.parametrize("flash", [None, False])
def test_keras_layers(tmp_path: Path, flash: bool | None) -> None:
    model = keras_model(flash)
    x = np.random.default_rng(0).normal(size=(2, 9, 16)).astype("float32") * 3
    logdir = probed(tmp_path, model, x)
    assert differences(tmp_path)["probe"] < EXACT
    stored = logdir.attention(".", "probe", 0)
    assert stored.message.layers[1].vectors.key_value_heads == 2
    assert stored.vectors(0, 0).scale == pytest.approx(8**-0.5)
    assert stored.vectors(0, 0).masked[2].tolist() == [False] * 3 + [True] * 6
    with llmdebug.tap(model, "output") as captured:
        model(x)
    for layer, head in np.ndindex(2, 4):
        assert np.abs(stored.vectors(layer, head, 1).output() - captured[layer].output[1, head]).max() < 1e-5


BATCH = {"input_ids": np.arange(20).reshape(2, 10) + 3, "attention_mask": np.ones((2, 10), int)}
BATCH["attention_mask"][1, :3] = 0
SIZES = {"num_hidden_layers": 1, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 32}
MODELS = {
    "gpt2": ("GPT2Config", "TFGPT2LMHeadModel", {"n_layer": 2, "n_head": 4, "n_embd": 32}),
    "bert": ("BertConfig", "TFBertModel", SIZES),
    "t5": ("T5Config", "TFT5Model", {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 4}),
}


@pytest.mark.parametrize("family", MODELS)
def test_hugging_face(tmp_path: Path, family: str) -> None:
    config, name, sizes = MODELS[family]
    tf.random.set_seed(0)
    model = getattr(transformers, name)(getattr(transformers, config)(vocab_size=50, **sizes))
    inputs = dict(BATCH, decoder_input_ids=BATCH["input_ids"][:, :6]) if family == "t5" else BATCH
    model(**inputs)
    for weight in model.trainable_weights:
        if weight.shape.rank == 2:
            weight.assign(weight * 4)
    probed(tmp_path, model, inputs)
    found = differences(tmp_path)
    assert found and max(found.values()) < EXACT, found
