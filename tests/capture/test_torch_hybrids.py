"""Models in which not every layer is attention: numbers are the model's own, the others are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from torch import nn

import tb_llmdebug as llmdebug
from tests.capture.torch_models import GROUPED, WINDOW, model_of

IDS = {"input_ids": torch.arange(3, 15)[None]}
SMALL = {**GROUPED, "num_hidden_layers": 4, "pad_token_id": 0}
HYBRIDS = {
    "Jamba": (
        {
            "attn_layer_period": 3,
            "attn_layer_offset": 1,
            "num_experts": 1,
            "num_experts_per_tok": 1,
            "expert_layer_period": 9,
            "expert_layer_offset": 8,
            "mamba_d_state": 4,
            "mamba_dt_rank": 4,
            "use_mamba_kernels": False,
        },
        [1],
        "JambaMambaMixer",
    ),
    "Qwen3Next": (
        {
            "head_dim": 8,
            "linear_num_value_heads": 2,
            "linear_num_key_heads": 2,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
        },
        [3],
        "Qwen3NextGatedDeltaNet",
    ),
}


def hybrid_of(family: str) -> nn.Module:
    if not hasattr(transformers, f"{family}Config"):
        pytest.skip("this version of Transformers has none")
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(
        **SMALL, **HYBRIDS[family][0], attn_implementation="eager"
    )
    return getattr(transformers, f"{family}ForCausalLM")(config).eval()


@pytest.mark.parametrize("family", HYBRIDS)
def test_layers_without_attention_are_named_and_shift_no_number(family: str, tmp_path: Path) -> None:
    model = hybrid_of(family)
    _, attending, mixer = HYBRIDS[family]
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_probe("decoder", model, IDS, step=0)
        assert llmdebug.log_probe("some", model, IDS, layers=[0, attending[0]], step=0)
    opened = llmdebug.open_logdir(tmp_path)
    record = opened.attention(".", "decoder", step=0).record()
    assert [layer.layer for layer in record.layers] == attending
    assert [other.layer for other in record.without_map] == [n for n in range(4) if n not in attending]
    assert all(other.linear and other.mixer == mixer for other in record.without_map)
    for layer in record.layers:
        assert layer.label == f"model.layers.{layer.layer}.self_attn"
        assert (layer.of_heads, layer.key_value_heads) == (4, 2), "as its config says"
    some = opened.attention(".", "some", step=0).record()
    assert [other.layer for other in some.without_map] == [0]
    with pytest.raises(llmdebug.InvalidRecordError, match="not there"):
        with llmdebug.Writer(tmp_path / "wrong"):
            llmdebug.log_probe("decoder", model, IDS, layers=[attending[0], 7], step=0)


def test_layers_are_counted_where_the_others_are_no_mixers(tmp_path: Path) -> None:
    """A list of attention and feed-forward parts by turns is one layer per attention, as ever."""

    class Turns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleList(
                nn.MultiheadAttention(8, 2, batch_first=True) if place % 2 == 0 else nn.Linear(8, 8)
                for place in range(4)
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for place, part in enumerate(self.parts):
                x = part(x, x, x)[0] if place % 2 == 0 else part(x)
            return x

    with llmdebug.Writer(tmp_path):
        llmdebug.log_probe("turns", Turns(), torch.ones(1, 5, 8), step=0)
    record = llmdebug.open_logdir(tmp_path).attention(".", "turns", step=0).record()
    assert [layer.layer for layer in record.layers] == [0, 1]
    assert record.without_map == ()


@pytest.mark.parametrize("family", ["mistral", "gemma2", "llama"])
def test_the_window_is_what_the_layer_says(family: str, tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        llmdebug.log_probe("decoder", model_of(family), IDS, step=0)
    record = llmdebug.open_logdir(tmp_path).attention(".", "decoder", step=0).record()
    # Gemma 2 has every other layer look at everything.
    expected = {"mistral": [WINDOW, WINDOW], "gemma2": [WINDOW, 0], "llama": [0, 0]}[family]
    assert [layer.window for layer in record.layers] == expected
    for layer in record.layers:
        assert layer.weights is not None
        beyond = torch.ones(12, 12).tril(-layer.window).bool().numpy() if layer.window else None
        if beyond is not None:
            assert layer.weights[..., beyond].max() == 0


def test_decoding_with_a_cache_is_one_growing_map(tmp_path: Path) -> None:
    model = model_of("llama")
    whole = model(**IDS, output_attentions=True).attentions
    cache, words = None, [str(place) for place in range(12)]
    with llmdebug.Writer(tmp_path), torch.no_grad():
        for step, end in enumerate([9, 10, 11, 12]):
            given = (
                IDS["input_ids"][:, : 9 if step == 0 else None]
                if step == 0
                else IDS["input_ids"][:, end - 1 : end]
            )
            with llmdebug.tap(model) as captured:
                cache = model(given, past_key_values=cache, use_cache=True).past_key_values
            assert llmdebug.log_attention(
                "generation", captured, tokens=words[:end], step=step, precision="f32"
            )
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (s for run in opened.index.runs() for s in run.all_series() if s.name == "generation")
    grown = opened.grown.at(series.id, 3, lambda n: opened.stored_attention(series, series.entries[n]))
    for layer in range(2):
        theirs = whole[layer][0, 1].detach().numpy()
        assert abs(grown.weights(layer, 1) - theirs).max() < 1e-5
