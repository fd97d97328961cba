"""KerasHub's language models, small and randomly initialised, on its TensorFlow backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_llmdebug.capture.adapters import tap
from tests.capture.tensorflow_checks import (
    assert_bit_equal,
    capture,
    check_changes_nothing,
    check_chosen_heads_and_rows,
    check_gradients,
    check_parts_agree,
    run,
)

# KerasHub needs Python 3.11.
hub = pytest.importorskip("keras_hub").models
INPUTS = {
    "token_ids": np.arange(12).reshape(2, 6) + 3,
    "padding_mask": np.array([[1] * 6, [1, 1, 1, 1, 0, 0]]),
}


def gemma(**settings: Any) -> Any:
    return hub.GemmaBackbone(50, 2, 4, 2, 16, 32, 8, **settings)


# The model, key-value heads, scale of its logits (None: not only scaled) and its windows by layer.
MODELS: dict[str, tuple[Callable[[], Any], int, float | None, tuple[int, int]]] = {
    "gpt2": (
        lambda: hub.GPT2CausalLM(hub.GPT2Backbone(50, 2, 2, 16, 32, max_sequence_length=16)),
        0,
        8**-0.5,
        (0, 0),
    ),
    "llama": (lambda: hub.LlamaCausalLM(hub.LlamaBackbone(50, 2, 4, 16, 32, 2)), 2, 0.5, (0, 0)),
    "gemma": (lambda: hub.GemmaCausalLM(gemma()), 2, 8**-0.5, (0, 0)),
    "gemma 2": (
        lambda: gemma(attention_logit_soft_cap=5.0, use_sliding_window_attention=True, sliding_window_size=3),
        2,
        None,
        (3, 0),
    ),
    "mistral": (lambda: hub.MistralBackbone(50, 2, 4, 16, 32, 2, sliding_window=3), 2, 0.5, (3, 3)),
    "mixtral": (lambda: hub.MixtralBackbone(50, 2, 4, 16, 32, 2, 2, 2), 2, 0.5, (512, 512)),
    "qwen": (lambda: hub.QwenBackbone(50, 2, 4, 2, 16, 32), 2, 0.5, (0, 0)),
    "qwen 3": (
        lambda: hub.Qwen3Backbone(50, 2, 4, 2, 8, 16, 32, sliding_window_size=None),
        2,
        8**-0.5,
        (0, 0),
    ),
    "phi 3": (lambda: hub.Phi3Backbone(50, 2, 16, 32, 4, 2), 2, 0.5, (0, 0)),
    "gpt neo x": (lambda: hub.GPTNeoXBackbone(50, 2, 2, 16, 32), 0, 8**-0.5, (0, 0)),
    "gemma 3": (lambda: hub.Gemma3Backbone(50, 32, 2, 4, 2, 16, 32, 8), 2, 8**-0.5, (0, 0)),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request: Any) -> tuple[str, Any]:
    keras.utils.set_random_seed(5)
    return request.param, MODELS[request.param][0]()


def test_a_model_computes_and_learns_the_same_with_taps(case: tuple[str, Any]) -> None:
    check_changes_nothing(case[1], INPUTS)


def test_parts_agree_with_each_other(case: tuple[str, Any]) -> None:
    name, model = case
    _, key_value_heads, scale, windows = MODELS[name]
    captured = capture(model, INPUTS)
    assert [taps.layer for taps in captured] == [0, 1]
    prefix = "backbone." if isinstance(model, hub.CausalLM) else ""
    for number, taps in enumerate(captured):
        assert taps.label.startswith(f"{prefix}transformer_layers.{number}.")
        assert (taps.group, taps.causal, taps.window) == ("", True, windows[number])
        assert taps.key_value_heads == key_value_heads
        check_parts_agree(taps, scale, soft_cap=0.0)
        weights = np.asarray(taps.weights)
        assert (weights[..., np.triu(np.ones((6, 6), bool), 1)] == 0).all()
        # Right padding, looked at by no real token.
        assert (weights[1, :, :4, 4:] == 0).all()
        if 0 < taps.window < 6:
            assert (weights[0, :, 5, : 6 - taps.window] == 0).all() and weights[0, :, 5, -1].all()
    check_chosen_heads_and_rows(model, INPUTS, captured)


def test_a_soft_cap_is_in_the_logits() -> None:
    taps = capture(gemma(attention_logit_soft_cap=0.5), INPUTS)[0]
    check_parts_agree(taps, 8**-0.5, soft_cap=0.5)


def test_gradients_reach_inside(case: tuple[str, Any]) -> None:
    name, model = case
    if MODELS[name][2] is not None:
        check_gradients(model, INPUTS, MODELS[name][2])


@pytest.mark.parametrize("settings", [{}, {"jit_compile": True}])
def test_a_compiled_step_returns_weights_as_outputs(settings: dict[str, Any], case: tuple[str, Any]) -> None:
    name, model = case
    if name not in ("gpt2", "llama", "gemma"):
        return

    @tf.function(**settings)
    def step(inputs: Any) -> Any:
        with tap(model, "weights", "q") as captured:
            out = model(inputs)
        return out, captured.weights()

    out, weights = step({key: tf.constant(value) for key, value in INPUTS.items()})
    np.testing.assert_allclose(out, run(model, INPUTS), atol=1e-5)
    for taps in capture(model, INPUTS):
        np.testing.assert_allclose(weights[taps.label], taps.weights, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_mixed_precision(policy: str) -> None:
    for model in (hub.LlamaBackbone(50, 1, 4, 16, 32, 2, dtype=policy), gemma(dtype=policy)):
        plain = run(model, INPUTS)
        with tap(model, "q", "k", "v", "logits", "weights", "output") as captured:
            assert_bit_equal(run(model, INPUTS), plain)
        assert captured[0].q.dtype == policy.removeprefix("mixed_")
        assert captured[0].block(0, slice(None), slice(None)).dtype == np.float32
        np.testing.assert_allclose(tf.nn.softmax(captured[0].logits), captured[0].weights, atol=1e-2)
