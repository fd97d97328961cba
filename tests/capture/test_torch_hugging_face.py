"""Taps of Hugging Face's PyTorch models, under Transformers 4 and 5."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers

import tb_llmdebug as llmdebug
from tests.capture.torch_flash import flash_like
from tests.capture.torch_models import (
    ALL_PARTS,
    DECODERS,
    FAMILIES,
    WINDOW,
    batch_of,
    inputs_of,
    model_of,
    taps_of,
    traces_of,
    without_padding,
)

NEWER = int(transformers.__version__.split(".")[0]) >= 5
# Which of them Transformers lets run under SDPA.
UNDER_SDPA = [*DECODERS, "bert", "albert", *(["t5"] if NEWER else ["gemma2"])]
# Transformers 4 leaves Gemma 2's softcap out under SDPA, so that eager is another model; flash knows no
# position bias; Transformers 4's BERT and ALBERT do not go through the interface.
FLASH = [*DECODERS, *(["bert", "albert"] if NEWER else [])]
# Transformers 4 tells flash that GPT-2 is causal only where nothing is padded: else it is another model.
LOOKS_AHEAD = [] if NEWER else [("gpt2", "unpadded")]
WITHOUT_WEIGHTS = [(family, "sdpa") for family in UNDER_SDPA if family != "gemma2"]
WITHOUT_WEIGHTS += [(family, "unpadded") for family in FLASH]
RUNS = [(family, "eager") for family in FAMILIES] + [(family, "sdpa") for family in UNDER_SDPA]
RUNS += [(family, "unpadded") for family in FLASH]


@pytest.fixture(scope="module", autouse=True)
def flash():
    """Register it under a name of its own, with the masks that Transformers makes for flash attention."""
    from transformers.masking_utils import flash_attention_mask

    transformers.AttentionInterface.register("unpadded", flash_like)
    transformers.AttentionMaskInterface.register("unpadded", flash_attention_mask)
    yield
    transformers.AttentionInterface._global_mapping.pop("unpadded")
    transformers.AttentionMaskInterface._global_mapping.pop("unpadded")


@pytest.mark.parametrize(("family", "implementation"), RUNS)
def test_the_model_computes_the_same_bits_and_keeps_no_trace(family, implementation) -> None:
    model, inputs = model_of(family, implementation), inputs_of(family)
    before, plain = traces_of(model), model(**inputs)[0]
    with llmdebug.tap(model, *ALL_PARTS):
        tapped = model(**inputs)[0]
    assert torch.equal(plain, tapped)
    assert traces_of(model) == before


@pytest.mark.parametrize(("family", "implementation"), [(f, i) for f, i in RUNS if f in DECODERS])
def test_training_goes_the_same_way(family, implementation) -> None:
    """Dropout, gradients and weights after three steps, bit by bit."""
    ends = []
    for parts in ((), ALL_PARTS):
        model, inputs = model_of(family, implementation).train(), inputs_of(family)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        torch.manual_seed(3)
        for _ in range(3):
            optimizer.zero_grad()
            if parts:
                with llmdebug.tap(model, *parts) as captured:
                    loss = model(**inputs, labels=inputs["input_ids"]).loss
                assert len(captured) == 2
            else:
                loss = model(**inputs, labels=inputs["input_ids"]).loss
            loss.backward()
            optimizer.step()
        ends.append([*model.parameters(), *(p.grad for p in model.parameters())])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_eager_weights_are_those_that_the_model_returns(family) -> None:
    model, inputs = model_of(family), inputs_of(family)
    made = model(**inputs, output_attentions=True)
    taps = taps_of(model, inputs)
    if family == "t5":
        theirs = {"encoder": made.encoder_attentions, "decoder": made.decoder_attentions}
        theirs["cross"] = made.cross_attentions
    else:
        theirs = {"": made.attentions}
    assert len(taps) == sum(map(len, theirs.values()))
    for layer in taps:
        assert torch.equal(layer.weights, theirs[layer.group][layer.layer])
        assert layer.shape == tuple(layer.weights.shape)


@pytest.mark.parametrize(("family", "implementation"), WITHOUT_WEIGHTS)
def test_weights_of_kernels_that_return_none_agree_with_eager(family, implementation) -> None:
    inputs = inputs_of(family)
    eager = model_of(family, "eager")
    # A mask that turns its own way is there only if nothing is padded: both are looked at.
    for padded in (True, False):
        if padded and (family, implementation) in LOOKS_AHEAD:
            continue
        if not padded:
            inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
        theirs = taps_of(eager, inputs)
        eager.set_attn_implementation(implementation)
        ours = taps_of(eager, inputs)
        eager.set_attn_implementation("eager")
        for mine, other in zip(ours, theirs, strict=True):
            mask = inputs["attention_mask"] if mine.group == "" else torch.ones(2, mine.shape[2])
            if mine.group == "encoder":
                mask = inputs["attention_mask"]
            apart = without_padding(mine.weights - other.weights, mask).abs().max()
            assert apart < 1e-5
            assert without_padding(mine.weights, mask).max() > 0.3, "attention too even to tell"


@pytest.mark.parametrize(("family", "implementation"), LOOKS_AHEAD)
def test_a_model_that_looks_ahead_is_shown_looking_ahead(family, implementation) -> None:
    """What the kernel computed counts, not what the model's configuration says of it."""
    inputs = inputs_of(family)
    for layer in taps_of(model_of(family, implementation), inputs):
        real = inputs["attention_mask"][:, None, None, :].bool()
        logits = (layer.q @ layer.k.transpose(-1, -2) * 8**-0.5).masked_fill(~real, -torch.inf)
        apart = without_padding(layer.weights - logits.softmax(-1), inputs["attention_mask"])
        assert apart.abs().max() < 1e-5
        assert layer.weights[1].triu(1).max() > 0.1
        assert not layer.weights[1, :, :, :3].any(), "padding is seen"


def test_softcap_is_part_of_the_weights_under_flash_and_the_guard_would_see_it_missing(monkeypatch) -> None:
    model, inputs = model_of("gemma2", query_pre_attn_scalar=1), inputs_of("gemma2")
    eager = taps_of(model, inputs)[0].weights
    model.set_attn_implementation("unpadded")
    ours = taps_of(model, inputs)[0].weights
    assert without_padding(ours - eager, inputs["attention_mask"]).abs().max() < 1e-5

    def uncapped(*args, softcap=None, **settings):
        return flash_like(*args, **settings)

    monkeypatch.setitem(transformers.AttentionInterface._global_mapping, "unpadded", uncapped)
    with pytest.raises(llmdebug.InvalidRecordError, match=r"layers\.0\.self_attn cannot be had"):
        taps_of(model, inputs)


def test_sinks_take_their_share_under_eager_and_flash() -> None:
    model, inputs = model_of("gpt_oss"), inputs_of("gpt_oss")
    for layer in model.model.layers:
        torch.nn.init.normal_(layer.self_attn.sinks)
    eager = taps_of(model, inputs)[0]
    assert eager.weights.sum(-1)[0].max() < 0.99
    model.set_attn_implementation("unpadded")
    ours = taps_of(model, inputs, "weights")[0].weights
    assert without_padding(ours - eager.weights, inputs["attention_mask"]).abs().max() < 1e-5


@pytest.mark.parametrize(("family", "implementation"), RUNS)
def test_the_parts_belong_together(family, implementation) -> None:
    model, inputs = model_of(family), inputs_of(family)
    model.set_attn_implementation(implementation) if implementation != "eager" else None
    for layer in taps_of(model, inputs):
        batch, heads, queries, keys = layer.shape
        shared = layer.key_value_heads or heads
        assert layer.q.shape == (batch, heads, queries, 8)
        assert layer.k.shape == layer.v.shape == (batch, shared, keys, 8)
        assert layer.output.shape == (batch, heads, queries, 8)
        assert layer.logits.shape == layer.weights.shape == layer.shape
        v = layer.v.repeat_interleave(heads // shared, 1)
        real = torch.ones(batch, queries)
        if layer.group in ("", "encoder"):
            real = inputs["attention_mask"]
        assert without_padding(layer.weights @ v - layer.output, real).abs().max() < 1e-5
        if family != "gpt_oss":  # there a sink takes part in the softmax
            assert (
                without_padding(layer.logits.softmax(-1) - layer.weights, real).nan_to_num().abs().max()
                < 1e-5
            )
        piece = layer.block(1, slice(1, 3), np.array([5, 2]))
        assert piece.dtype == np.float32
        np.testing.assert_allclose(piece, layer.weights[1, 1:3][:, [5, 2]].detach(), atol=1e-6)


def test_what_a_layer_says_of_itself() -> None:
    described = {}
    for family in FAMILIES:
        layers = taps_of(model_of(family), inputs_of(family), "q")
        described[family] = {(t.group, bool(t.causal), t.window, t.key_value_heads) for t in layers}
    assert described["gpt2"] == {("", True, 0, 0)}
    assert described["llama"] == described["qwen3"] == {("", True, 0, 2)}
    assert described["mistral"] == {("", True, WINDOW, 2)}
    assert described["gemma2"] == described["gpt_oss"] == {("", True, WINDOW, 2), ("", True, 0, 2)}
    assert described["bert"] == described["albert"] == {("", False, 0, 0)}
    assert described["t5"] == {("encoder", False, 0, 0), ("decoder", True, 0, 0), ("cross", False, 0, 0)}
    labels = [t.label for t in taps_of(model_of("gpt2"), batch_of(), "q")]
    assert labels == ["transformer.h.0.attn", "transformer.h.1.attn"]


def test_a_layer_that_the_model_uses_twice_is_two_layers() -> None:
    model = model_of("albert", num_hidden_layers=3)
    layers = taps_of(model, batch_of(), "weights")
    assert [layer.layer for layer in layers] == [0, 1, 2]
    assert len({layer.label for layer in layers}) == 3


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("part", ["q", "v", "weights", "logits", "output"])
def test_a_gradient_to_a_tapped_tensor_is_the_right_one(family, part) -> None:
    """Held against the formulas of the gradients of softmax(q k') v."""
    model, inputs = model_of(family).double(), batch_of(left=0)
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        loss = model(**inputs).logits.square().mean()
    layer = captured[1]
    (gradient,) = torch.autograd.grad(loss, getattr(layer, part), retain_graph=True)
    if part in ("weights", "output"):
        # output = weights v, so that its gradient times v' is that of the weights.
        (to_output,) = torch.autograd.grad(loss, layer.output, retain_graph=True)
        v = layer.v.repeat_interleave(layer.q.shape[1] // layer.v.shape[1], 1)
        (to_weights,) = torch.autograd.grad(loss, layer.weights, retain_graph=True)
        torch.testing.assert_close(to_weights, to_output @ v.transpose(-1, -2))
    if part in ("logits", "q"):
        (to_weights,) = torch.autograd.grad(loss, layer.weights, retain_graph=True)
        w = layer.weights
        to_logits = w * (to_weights - (w * to_weights).sum(-1, keepdim=True))
        k = layer.k.repeat_interleave(layer.q.shape[1] // layer.k.shape[1], 1)
        expected = to_logits if part == "logits" else to_logits @ k * 8**-0.5
        torch.testing.assert_close(gradient, expected, atol=1e-8, rtol=1e-4)
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("family", DECODERS)
def test_gradients_to_q_and_output_are_the_same_under_sdpa(family) -> None:
    gradients = []
    for implementation in ("eager", "sdpa"):
        model, inputs = model_of(family, implementation), batch_of(left=0)
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            loss = model(**inputs).logits.square().mean()
        wanted = [captured[0].q, captured[0].k, captured[0].v, captured[0].output]
        gradients.append(torch.autograd.grad(loss, wanted))
        made_here = captured[0].weights
        assert made_here.requires_grad is (implementation == "eager")
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_weights_are_those_before_dropout() -> None:
    model = model_of("gpt2", attn_pdrop=0.5).train()
    with llmdebug.tap(model, "weights") as captured:
        made = model(**batch_of(left=0), output_attentions=True)
    torch.testing.assert_close(captured[0].weights.sum(-1), torch.ones(2, 4, 11))
    assert (made.attentions[0].sum(-1) - 1).abs().max() > 0.1


HEAD_MASKS = pytest.mark.skipif(NEWER, reason="Transformers 5 has no head_mask")


@HEAD_MASKS
@pytest.mark.parametrize("family", ["gpt2", "bert", "t5"])
def test_a_head_that_is_switched_off_has_no_weights(family) -> None:
    model, inputs = model_of(family), inputs_of(family)
    inputs["head_mask"] = torch.tensor([[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    if family == "t5":
        inputs["decoder_head_mask"] = torch.ones(2, 4)
    for layer in taps_of(model, inputs):
        off = layer.layer == 0 and layer.group in ("", "encoder")
        assert bool(layer.weights[:, 1].any()) is not off
        assert bool(layer.block(0, slice(1, 2), slice(0, 3)).any()) is not off
        assert (layer.weights @ layer.v - layer.output).abs().max() < 1e-5


@HEAD_MASKS
@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_a_head_that_is_switched_off_after_dropout_is_refused(family) -> None:
    dropout = "attn_pdrop" if family == "gpt2" else "attention_probs_dropout_prob"
    model, inputs = model_of(family, **{dropout: 0.5}).train(), inputs_of(family)
    assert len(taps_of(model, {**inputs, "head_mask": torch.ones(2, 4)})) == 2
    with pytest.raises(llmdebug.InvalidRecordError, match="changes its weights after dropout"):
        taps_of(model, {**inputs, "head_mask": torch.tensor([[1.0, 0.0, 1.0, 1.0]] * 2)})


def test_weights_that_do_not_make_the_output_are_refused() -> None:
    def told_otherwise(module, query, key, value, attention_mask, **settings):
        output, _ = flash_like(module, query, key, value, attention_mask, **settings)
        return output, torch.full((*query.shape[:3], key.shape[2]), 1 / key.shape[2])

    transformers.AttentionInterface.register("told_otherwise", told_otherwise)
    try:
        model = model_of("gpt2")
        model.config._attn_implementation = "told_otherwise"
        with pytest.raises(llmdebug.InvalidRecordError, match="do not give its output"):
            taps_of(model, {"input_ids": batch_of()["input_ids"]})
    finally:
        transformers.AttentionInterface._global_mapping.pop("told_otherwise")


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_only_what_is_asked_for_is_computed(implementation, monkeypatch) -> None:
    from tb_llmdebug.capture.torch_recipe import Recipe

    model, inputs = model_of("llama", implementation), batch_of()
    whole = taps_of(model, inputs)
    sizes = []
    compute = Recipe.weights

    def counted(self, example, heads, rows):
        sizes.append((len(heads), len(rows)))
        return compute(self, example, heads, rows)

    monkeypatch.setattr(Recipe, "check", lambda *_: None)
    monkeypatch.setattr(Recipe, "weights", counted)
    some = taps_of(model, inputs, "weights", "output", heads=(3, 1), rows=(10, 4), layers=(1,))
    assert [layer.layer for layer in some] == [1]
    assert set(sizes) <= {(2, 2)}
    assert some[0].shape == (2, 4, 11, 11)
    chosen = whole[1].weights[:, [3, 1]][:, :, [10, 4]]
    torch.testing.assert_close(some[0].weights, chosen, atol=1e-6, rtol=0)
    torch.testing.assert_close(some[0].output, whole[1].output[:, [3, 1]][:, :, [10, 4]])
    assert some[0].q is None and some[0].logits is None
    with pytest.raises(llmdebug.InvalidRecordError, match="heads names 4, but"):
        taps_of(model, inputs, heads=(4,))


@pytest.mark.parametrize("implementation", ["eager", "sdpa", "unpadded"])
@pytest.mark.parametrize("family", ["llama", "mistral", "qwen3"])
def test_decoding_with_a_cache(family, implementation) -> None:
    """One token after the others gives the last row of the whole."""
    model, inputs = model_of(family), batch_of()
    model.set_attn_implementation(implementation) if implementation != "eager" else None
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    for split in (10, 8):
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        first = model(
            input_ids=ids[:, :split],
            attention_mask=mask[:, :split],
            position_ids=positions[:, :split],
            use_cache=True,
        )
        kept = first.past_key_values
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            model(
                input_ids=ids[:, split:],
                attention_mask=mask,
                position_ids=positions[:, split:],
                past_key_values=kept,
            )
        whole = [layer.weights for layer in taps_of(model, {**inputs, "position_ids": positions})]
        for layer, expected in zip(captured, whole, strict=True):
            keys = layer.shape[3]
            assert layer.shape[2] == 11 - split and keys <= 11
            assert (layer.weights - expected[:, :, split:, -keys:]).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_again_in_single(dtype) -> None:
    model, inputs = model_of("llama", "sdpa").to(dtype), batch_of()
    for layer in taps_of(model, inputs):
        assert layer.q.dtype == dtype and layer.weights.dtype == torch.float32
        real = inputs["attention_mask"]
        sums = without_padding(layer.weights, real).sum(-1)
        assert (sums - real[:, None, :]).abs().max() < 1e-6


def test_the_path_past_the_interface_is_refused() -> None:
    model = model_of("gpt2", reorder_and_upcast_attn=True)
    with pytest.raises(llmdebug.InvalidRecordError, match="reorder_and_upcast_attn"), llmdebug.tap(model):
        pass


def test_a_kernel_that_does_something_else_is_refused() -> None:
    def halved(module, query, key, value, attention_mask, **settings):
        made, _ = flash_like(module, query, key, value, attention_mask, **settings)
        return made * 0.5, None

    transformers.AttentionInterface.register("halved", halved)
    try:
        model = model_of("llama")
        model.config._attn_implementation = "halved"
        with pytest.raises(llmdebug.InvalidRecordError, match='attn_implementation="eager"'):
            taps_of(model, {"input_ids": batch_of()["input_ids"]})
    finally:
        transformers.AttentionInterface._global_mapping.pop("halved")
