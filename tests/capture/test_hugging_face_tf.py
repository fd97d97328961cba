"""Hugging Face's TensorFlow models: real modules, small and randomly initialised."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import transformers as hf

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
    marks,
    run,
)

IDS = np.arange(12).reshape(2, 6) + 3
MASK = np.array([[1] * 6, [1, 1, 1, 1, 0, 0]])
TEXT = {"input_ids": IDS, "attention_mask": MASK}
PAIR = {**TEXT, "decoder_input_ids": IDS[:, :4]}
BERT = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}
BART = {
    "vocab_size": 50,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 32,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}


def gpt2(**settings: Any) -> Any:
    return hf.TFGPT2LMHeadModel(
        hf.GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=50, n_positions=16, **settings)
    )


def bert(**settings: Any) -> Any:
    return hf.TFBertModel(hf.BertConfig(**BERT, **settings))


def t5() -> Any:
    config = hf.T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    return hf.TFT5ForConditionalGeneration(config)


MAIN = {"gpt2": (gpt2, TEXT), "bert": (bert, TEXT), "t5": (t5, PAIR)}


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    made = {name: make() for name, (make, _) in MAIN.items()}
    for name, model in made.items():
        model(**MAIN[name][1])
    return made


@pytest.mark.parametrize("name", MAIN)
def test_a_model_computes_and_learns_the_same_with_taps(name: str, models: dict[str, Any]) -> None:
    check_changes_nothing(models[name], MAIN[name][1])


@pytest.mark.parametrize("name", MAIN)
def test_parts_agree_with_each_other_and_with_the_model(name: str, models: dict[str, Any]) -> None:
    model, inputs = models[name], MAIN[name][1]
    own = model(**inputs, output_attentions=True, training=False)
    captured = capture(model, inputs)
    if name == "t5":
        expected = {
            "encoder": own.encoder_attentions,
            "decoder": own.decoder_attentions,
            "cross": own.cross_attentions,
        }
    else:
        expected = {"": own.attentions}
    assert sorted({taps.group for taps in captured}) == sorted(expected)
    for group, layers in expected.items():
        found = [taps for taps in captured if taps.group == group]
        assert [taps.layer for taps in found] == [0, 1]
        for taps, weights in zip(found, layers, strict=True):
            assert_bit_equal(taps.weights, weights)
    for taps in captured:
        # T5 adds a bias that depends on the distance; only its cross-attention has none.
        plain = {"t5": 1.0 if taps.group == "cross" else None}.get(name, 8**-0.5)
        check_parts_agree(taps, plain)
    check_chosen_heads_and_rows(model, inputs, captured)


def test_layers_are_told_apart_by_path_kind_and_causality(models: dict[str, Any]) -> None:
    seen = {
        name: [
            (taps.group, taps.label, taps.causal, taps.shape[2:]) for taps in capture(models[name], inputs)
        ]
        for name, (_, inputs) in MAIN.items()
    }
    assert seen["gpt2"][1] == ("", "transformer.h.1.attn", True, (6, 6))
    assert seen["bert"][0] == ("", "bert.encoder.layer.0.attention.self_attention", False, (6, 6))
    assert seen["t5"][:2] == [
        ("encoder", f"encoder.block.{layer}.layer.0.SelfAttention", False, (6, 6)) for layer in range(2)
    ]
    assert seen["t5"][2:4] == [
        ("decoder", "decoder.block.0.layer.0.SelfAttention", True, (4, 4)),
        ("cross", "decoder.block.0.layer.1.EncDecAttention", False, (4, 6)),
    ]


def test_gradients_reach_what_the_model_does_not_give_out(models: dict[str, Any]) -> None:
    attention = models["bert"].bert.encoder.layer[0].attention.self_attention
    biases = {"q": attention.query.bias, "v": attention.value.bias}
    check_gradients(models["bert"], TEXT, 8**-0.5, biases)
    check_gradients(models["gpt2"], TEXT, 8**-0.5)
    check_gradients(models["t5"], PAIR, 1.0)


def test_weights_are_those_before_dropout() -> None:
    model = gpt2(attn_pdrop=0.5)
    model(**TEXT)
    with tap(model) as captured:
        out = model(**TEXT, output_attentions=True, training=True)
    assert (np.asarray(out.attentions[0]) == 0)[..., -1, :].any()
    np.testing.assert_allclose(tf.reduce_sum(captured[0].weights, -1), np.ones((2, 2, 6)), atol=1e-6)


def test_a_model_whose_heads_are_scaled_after_the_softmax_is_refused(models: dict[str, Any]) -> None:
    model, mask = models["t5"], tf.constant([[1.0, 0.0]] * 2)
    plain = model(PAIR, head_mask=mask, decoder_head_mask=mask)[0].numpy()
    with pytest.raises(InvalidRecordError, match="head_mask"), tap(model):
        model(PAIR, head_mask=mask, decoder_head_mask=mask)
    with tap(model) as captured:
        model(PAIR)
    assert len(captured)
    assert np.array_equal(plain, model(PAIR, head_mask=mask, decoder_head_mask=mask)[0])


def test_a_layer_that_runs_again_in_a_call_is_another_layer() -> None:
    model = hf.TFAlbertModel(hf.AlbertConfig(**BERT, embedding_size=16))
    own = model(**TEXT, output_attentions=True, training=False).attentions
    captured = capture(model, TEXT)
    assert [taps.layer for taps in captured] == [0, 1]
    assert [taps.label.partition("#")[2] for taps in captured] == ["", "2"]
    for taps, weights in zip(captured, own, strict=True):
        assert_bit_equal(taps.weights, weights)
    assert [taps.layer for taps in capture(model, TEXT, layers=[1])] == [1]


OTHERS: dict[str, tuple[Callable[[], Any], dict[str, Any], int]] = {
    "roberta": (lambda: hf.TFRobertaModel(hf.RobertaConfig(**BERT)), TEXT, 2),
    "distilbert": (
        lambda: hf.TFDistilBertModel(
            hf.DistilBertConfig(vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32)
        ),
        TEXT,
        2,
    ),
    "electra": (lambda: hf.TFElectraModel(hf.ElectraConfig(**BERT, embedding_size=16)), TEXT, 2),
    "mpnet": (lambda: hf.TFMPNetModel(hf.MPNetConfig(**BERT)), TEXT, 2),
    "opt": (
        lambda: hf.TFOPTForCausalLM(
            hf.OPTConfig(**{**BERT, "ffn_dim": 32, "word_embed_proj_dim": 16, "dropout": 0.0})
        ),
        TEXT,
        2,
    ),
    "gptj": (
        lambda: hf.TFGPTJForCausalLM(
            hf.GPTJConfig(vocab_size=50, n_embd=16, n_layer=2, n_head=2, rotary_dim=4, n_positions=32)
        ),
        TEXT,
        2,
    ),
    "bart": (lambda: hf.TFBartForConditionalGeneration(hf.BartConfig(**BART)), PAIR, 6),
    "marian": (lambda: hf.TFMarianMTModel(hf.MarianConfig(**BART)), PAIR, 6),
    "pegasus": (lambda: hf.TFPegasusForConditionalGeneration(hf.PegasusConfig(**BART)), PAIR, 6),
    "whisper": (
        lambda: hf.TFWhisperModel(
            hf.WhisperConfig(**BART, max_source_positions=10, max_target_positions=32, num_mel_bins=8)
        ),
        {
            "input_features": np.linspace(-1, 1, 320).reshape(2, 8, 20).astype("f"),
            "decoder_input_ids": IDS[:, :4],
        },
        6,
    ),
    "xglm": (
        lambda: hf.TFXGLMModel(
            hf.XGLMConfig(
                vocab_size=50,
                d_model=16,
                ffn_dim=32,
                num_layers=2,
                attention_heads=2,
                max_position_embeddings=32,
            )
        ),
        TEXT,
        2,
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_give_their_own_weights(name: str) -> None:
    make, inputs, count = OTHERS[name]
    model = make()
    own = run_with_attentions(model, inputs)
    with tap(model, *PARTS) as captured:
        tapped = run_with_attentions(model, inputs)
    assert_bit_equal(own, tapped)
    kinds = {"encoder": "encoder_attentions", "cross": "cross_attentions"}
    kinds |= {"decoder": "decoder_attentions"} if count == 6 else {"": "attentions"}
    assert len(captured) == count
    for taps in captured:
        assert_bit_equal(taps.weights, own[kinds[taps.group]][taps.layer])
        check_parts_agree(taps, None)
    assert {taps.causal for taps in captured if taps.group in ("", "decoder")} == {
        count == 6 or name in ("opt", "gptj", "xglm")
    }


def run_with_attentions(model: Any, inputs: dict[str, Any]) -> Any:
    return model(**inputs, output_attentions=True, training=False)


def test_a_compiled_step_returns_weights_as_outputs(models: dict[str, Any]) -> None:
    for name, (_, inputs) in MAIN.items():
        model = models[name]

        def step(inputs: Any, model: Any = model) -> Any:
            with tap(model, "weights") as captured:
                out = run(model, inputs)
            assert all(taps.block is None for taps in captured)
            return out[0], captured.weights()

        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        plain = run(model, inputs)[0]
        expected = {taps.label: taps.weights for taps in capture(model, inputs)}
        for settings in ({}, {"jit_compile": True}):
            out, weights = tf.function(step, **settings)(tensors)
            np.testing.assert_allclose(out, plain, atol=1e-5)
            assert sorted(weights) == sorted(expected)
            for label, one in weights.items():
                np.testing.assert_allclose(one, expected[label], atol=1e-6)


def test_a_graph_without_xla_computes_the_same_to_the_bit(models: dict[str, Any]) -> None:
    model = models["bert"]
    tensors = {key: tf.constant(value) for key, value in TEXT.items()}
    plain = tf.function(lambda inputs: run(model, inputs)[0])(tensors)
    with tap(model):
        tapped = tf.function(lambda inputs: run(model, inputs)[0])(tensors)
    assert_bit_equal(plain, tapped)


def test_mixed_precision(models: dict[str, Any]) -> None:
    keras = __import__("tf_keras")
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = bert()
        plain = run(model, TEXT)
        captured = capture(model, TEXT)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    with tap(model, "weights", "logits"):
        assert_bit_equal(run(model, TEXT), plain)
    assert captured[0].weights.dtype == captured[0].q.dtype == tf.float16
    assert captured[0].block(0, slice(None), slice(None)).dtype == np.float32
    np.testing.assert_allclose(tf.nn.softmax(captured[0].logits), captured[0].weights, atol=1e-3)


def test_taps_come_off_after_an_exception_and_leave_no_trace(models: dict[str, Any], tmp_path: Path) -> None:
    model = models["gpt2"]
    before, config = marks(model), model.get_config()

    class Stop(Exception):
        pass

    def stop(taps: Any) -> None:
        raise Stop

    with pytest.raises(Stop):
        with tap(model, each=stop):
            model(**TEXT)
    assert marks(model) == before and model.get_config() == config
    pickle.dumps(model.get_weights())
    # A run that broke off in the middle must not confuse the next one.
    assert len(capture(model, TEXT)) == 2


def test_an_exported_model_has_no_tap_inside(tmp_path: Path) -> None:
    model = OTHERS["opt"][0]()  # folds its heads into the batch, which a tap unfolds
    model(**TEXT)
    signature = [tf.TensorSpec((2, 6), tf.int32)]

    def operations(place: str) -> list[str]:
        served = tf.function(lambda ids: model(ids).logits, input_signature=signature)
        module = tf.Module()
        module.kept, module.served = model.variables, served
        tf.saved_model.save(module, str(tmp_path / place), signatures={"serving_default": served})
        loaded = tf.saved_model.load(str(tmp_path / place)).signatures["serving_default"]
        functions = loaded.graph.as_graph_def().library.function
        return sorted(node.op for function in functions for node in function.node_def)

    before = operations("before")
    with tap(model, *PARTS):
        within = operations("within")
        model(**TEXT)
    assert before == operations("after") != within
