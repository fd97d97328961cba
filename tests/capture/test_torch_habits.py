"""How models are called in practice: wrapped, generating, adapted, in other modes."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import tb_llmdebug as llmdebug
from tests.capture.torch_models import ALL_PARTS, batch_of, model_of, traces_of

IDS = batch_of()["input_ids"][:1]


class Wrapper(nn.Module):
    """Hands everything on to the model inside, as adapters for fine-tuning do."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.base_model = model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.base_model(*args, **kwargs)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        return self.base_model.generate(*args, **kwargs)


class LowRank(nn.Module):
    """A linear layer and what is learned beside it (LoRA)."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, 2, bias=False)
        self.up = nn.Linear(2, base.out_features, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + self.up(self.down(x))


def eager_weights(model: nn.Module, **settings: Any) -> tuple[torch.Tensor, ...]:
    """Return the weights that the model itself returns when it writes its attention out."""
    eager = copy.deepcopy(model)
    eager.set_attn_implementation("eager")
    with torch.no_grad():
        return eager(IDS, output_attentions=True, **settings).attentions


@pytest.mark.parametrize("wrap", [lambda model: model, Wrapper, lambda model: Wrapper(Wrapper(model))])
@pytest.mark.parametrize(
    "settings", [{}, {"num_beams": 2}, {"cache_implementation": "static"}], ids=["greedy", "beams", "static"]
)
def test_generation_is_seen_and_not_changed_however_the_model_is_wrapped(settings, wrap) -> None:
    model = model_of("llama", "sdpa")
    outer = wrap(model)
    generate = {"max_new_tokens": 3, "do_sample": False, "pad_token_id": 0, **settings}
    plain, before = outer.generate(IDS, **generate), traces_of(model)
    with llmdebug.tap(outer, "weights") as captured:
        tapped = outer.generate(IDS, **generate)
    assert torch.equal(plain, tapped) and traces_of(model) == before
    # Of the last token that was read, over all tokens that were there.
    expected = model_of("llama")(tapped[:, :-1], output_attentions=True).attentions
    assert [layer.call for layer in captured] == [2, 2]
    for layer, weights in zip(captured, expected, strict=True):
        torch.testing.assert_close(layer.weights[:1], weights[:, :, -1:], atol=1e-5, rtol=0)


def test_the_backbone_alone_is_seen() -> None:
    model = model_of("gpt2", "sdpa")
    with torch.no_grad(), llmdebug.tap(model, "weights") as captured:
        model.transformer(IDS)
    for layer, weights in zip(captured, eager_weights(model), strict=True):
        torch.testing.assert_close(layer.weights, weights, atol=1e-5, rtol=0)


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_wrapped_model_that_is_computed_again_for_the_backward_pass_comes_once(reentrant) -> None:
    class Checkpointed(Wrapper):
        def forward(self, ids: torch.Tensor) -> Any:
            embedded = self.base_model.get_input_embeddings()(ids)
            return checkpoint(
                lambda x: self.base_model(inputs_embeds=x).logits, embedded, use_reentrant=reentrant
            )

    seen = []
    model = Checkpointed(model_of("llama", "sdpa", num_hidden_layers=1)).train()
    with llmdebug.tap(model, *ALL_PARTS, each=lambda layer: seen.append((layer.call, layer.layer))):
        model(IDS).sum().backward()
    assert seen == [(0, 0)]


@pytest.mark.parametrize("mode", ["inference_mode", "no_grad"])
def test_other_modes_give_the_same_weights_and_results(mode) -> None:
    model = model_of("llama", "sdpa")
    before = traces_of(model)
    with getattr(torch, mode)():
        plain = model(IDS).logits
        with llmdebug.tap(model, "weights") as captured:
            tapped = model(IDS).logits
        assert torch.equal(plain, tapped) and torch.equal(plain, model(IDS).logits)
    assert traces_of(model) == before
    for layer, weights in zip(captured, eager_weights(model), strict=True):
        torch.testing.assert_close(layer.weights, weights, atol=1e-5, rtol=0)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_under_autocast_weights_are_those_of_the_rounded_numbers_that_the_kernel_saw(implementation) -> None:
    """Heads of 64 numbers, where what bfloat16 loses is more than single precision would be let pass."""
    model = model_of("llama", implementation, hidden_size=256, head_dim=64)
    before = traces_of(model)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        plain = model(IDS).logits
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            assert torch.equal(model(IDS).logits, plain)
    assert traces_of(model) == before
    for layer in captured:
        assert layer.q.dtype == torch.float32, "only the kernel rounds"
        q, k = layer.q.bfloat16().float(), layer.k.bfloat16().float().repeat_interleave(2, 1)
        logits = (q @ k.transpose(-1, -2) / 8).masked_fill(
            ~torch.ones(q.shape[2], q.shape[2]).tril().bool(), -torch.inf
        )
        tolerance = 1e-5 if implementation == "sdpa" else 2**-8
        torch.testing.assert_close(layer.weights.float(), logits.softmax(-1), atol=tolerance, rtol=0)
        shown = layer.block(0, slice(0, 2), slice(0, 5))
        torch.testing.assert_close(torch.from_numpy(shown), layer.weights[0, :2, :5].float())


def test_layers_with_low_rank_adapters_are_seen_as_they_compute() -> None:
    model = model_of("qwen3", "sdpa")
    for layer in model.model.layers:
        layer.self_attn.q_proj = LowRank(layer.self_attn.q_proj)
        layer.self_attn.v_proj = LowRank(layer.self_attn.v_proj)
    with torch.no_grad():
        plain = model(IDS).logits
        with llmdebug.tap(model, "weights") as captured:
            assert torch.equal(model(IDS).logits, plain)
    for layer, weights in zip(captured, eager_weights(model), strict=True):
        torch.testing.assert_close(layer.weights, weights, atol=1e-5, rtol=0)


def test_data_parallelism_over_one_device_is_seen_through() -> None:
    model = model_of("gpt2", "sdpa")
    with torch.no_grad(), llmdebug.tap(nn.DataParallel(model), "weights") as captured:
        nn.DataParallel(model)(IDS)
    for layer, weights in zip(captured, eager_weights(model), strict=True):
        torch.testing.assert_close(layer.weights, weights, atol=1e-5, rtol=0)


def test_a_block_in_which_nothing_ran_says_so_once() -> None:
    class Silent(nn.MultiheadAttention):
        pass

    model = Silent(8, 2)
    with (
        pytest.warns(RuntimeWarning, match="nothing was captured.*call the Silent there"),
        llmdebug.tap(model),
    ):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with llmdebug.tap(model):
            pass
