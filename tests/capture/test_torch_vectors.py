"""Vectors of PyTorch models: the weights that they make are the ones that the model made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import tb_llmdebug as llmdebug
from tests.capture.torch_models import inputs_of, model_of
from tests.tapped import differences

EXACT = 1e-5
"""of a weight: both are computed in float32, in another order"""


def probed(root: Path, family: str, implementation: str, **settings: object) -> llmdebug.Logdir:
    with llmdebug.Writer(root):
        assert llmdebug.log_probe(
            "probe",
            model_of(family, implementation),
            inputs_of(family),
            precision="f32",
            vectors=True,
            step=0,
            **settings,
        )
    return llmdebug.open_logdir(root)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral", "qwen3", "bert", "albert", "gemma2", "t5"])
def test_weights_follow_from_the_vectors(tmp_path: Path, family: str, implementation: str) -> None:
    try:
        model_of(family, implementation)
    except ValueError as error:  # not every family has it in every version of Transformers
        pytest.skip(str(error))
    probed(tmp_path, family, implementation)
    found = differences(tmp_path)
    assert found and max(found.values()) < EXACT, found


def test_sinks_are_of_the_softmax(tmp_path: Path) -> None:
    stored = probed(tmp_path, "gpt_oss", "eager").attention(".", "probe", 0)
    assert stored.vectors(0, 1).sink is not None
    assert max(differences(tmp_path).values()) < EXACT


def test_grouped_heads_share_keys_that_are_stored_once_and_rotated(tmp_path: Path) -> None:
    model, inputs = model_of("llama", "sdpa"), inputs_of("llama")
    stored = probed(tmp_path, "llama", "sdpa").attention(".", "probe", 0)
    assert stored.message.layers[1].vectors.key_value_heads == 2
    with llmdebug.tap(model, "q", "k", "v", "output") as captured, torch.no_grad():
        model(**inputs)
    taps = captured[1]
    for head in range(4):
        vectors = stored.vectors(1, head, 0)
        assert np.array_equal(vectors.q, taps.q[0, head].numpy())
        assert np.array_equal(vectors.k, taps.k[0, head // 2].numpy())
        assert np.abs(vectors.output() - taps.output[0, head].numpy()).max() < 1e-5


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_weights_times_values_is_the_output(tmp_path: Path, family: str) -> None:
    model, inputs = model_of(family), inputs_of(family)
    stored = probed(tmp_path, family, "eager").attention(".", "probe", 0)
    with llmdebug.tap(model, "output") as captured, torch.no_grad():
        model(**inputs)
    for layer, head in np.ndindex(2, 4):
        ours, theirs = stored.vectors(layer, head, 0).output(), captured[layer].output[0, head].numpy()
        assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


def test_what_is_added_by_position_is_told_from_the_product(tmp_path: Path) -> None:
    logdir = probed(tmp_path, "t5", "eager")
    first = logdir.attention(".", "probe/encoder", 0).vectors(0, 1)
    assert first.scale == 1.0 and first.bias is not None
    crossing = logdir.attention(".", "probe/cross", 0).vectors(0, 1)
    assert crossing.bias is None and crossing.k.shape[0] == 11 and crossing.q.shape[0] == 6
    capped = probed(tmp_path / "capped", "gemma2", "eager").attention(".", "probe", 0)
    assert capped.vectors(0, 0).softcap == 0.5
    assert capped.vectors(0, 0).scale == pytest.approx(
        model_of("gemma2").config.query_pre_attn_scalar ** -0.5
    )


def test_half_precision_is_stored_as_it_is(tmp_path: Path) -> None:
    model = torch.nn.MultiheadAttention(16, 2, batch_first=True).half()
    x = torch.randn(1, 5, 16).half()
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_probe("probe", model, (x, x, x), precision="f32", vectors=True, step=0)
    vectors = llmdebug.open_logdir(tmp_path).attention(".", "probe", 0).vectors(0, 1)
    assert vectors.q.dtype == np.float16 and vectors.bias is None
    assert max(differences(tmp_path).values()) < 5e-3


def test_the_model_computes_the_same_with_and_without(tmp_path: Path) -> None:
    model, inputs = model_of("llama", "sdpa"), inputs_of("llama")
    with torch.no_grad():
        before = model(**inputs).logits
    seen = []
    hook = model.register_forward_hook(lambda _module, _inputs, made: seen.append(made.logits))
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_probe("probe", model, inputs, vectors=True, step=0)
    hook.remove()
    with torch.no_grad():
        after = model(**inputs).logits
    assert torch.equal(before, seen[0]) and torch.equal(before, after)
