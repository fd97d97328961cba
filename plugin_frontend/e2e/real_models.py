"""Logs of real architectures, tiny and with random weights, through the capture adapters; one run each.

`python real_models.py LOGDIR`; prints as JSON what the models' own configurations say.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn

import tb_llmdebug as llmdebug

TEXT = "The café\n\tsaid: 日 😀 «שלום» to\u00a0all."
WINDOW = 6
SHARED = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GROUPED = {**SHARED, "num_key_value_heads": 2}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": (
        "GPT2LMHeadModel",
        {"vocab_size": 320, "n_embd": 64, "n_layer": 3, "n_head": 8, "n_positions": 128},
    ),
    "bert": ("BertModel", SHARED),
    "llama": ("LlamaForCausalLM", GROUPED),
    "mistral": ("MistralForCausalLM", {**GROUPED, "sliding_window": WINDOW}),
    "qwen3": ("Qwen3ForCausalLM", {**GROUPED, "num_key_value_heads": 4, "head_dim": 16}),
    "gemma2": ("Gemma2ForCausalLM", {**GROUPED, "head_dim": 8, "sliding_window": WINDOW}),
    "jamba": (
        "JambaForCausalLM",
        {
            **GROUPED,
            "num_hidden_layers": 6,
            "attn_layer_period": 3,
            "attn_layer_offset": 1,
            "num_experts": 1,
            "num_experts_per_tok": 1,
            "mamba_d_state": 4,
            "mamba_dt_rank": 4,
            "use_mamba_kernels": False,
        },
    ),
    "t5": (
        "T5ForConditionalGeneration",
        {
            "vocab_size": 320,
            "d_model": 64,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 2,
            "num_heads": 8,
            "decoder_start_token_id": 0,
        },
    ),
}


def tokenizer() -> Any:
    """Return a byte-level tokenizer that knows a few words and splits rare letters into bytes."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(["the said to all. The café to all said « שלום"] * 9, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def model_of(family: str, scale: float = 3.0) -> nn.Module:
    """Return a model whose attention is far from even."""
    name, settings = FAMILIES[family]
    torch.manual_seed(0)
    kind = getattr(transformers, name)
    model: nn.Module = kind(kind.config_class(**settings, attn_implementation="eager"))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(scale)
    return model.eval()


class Ragged(nn.Module):
    """Layers with different head counts, as in OpenELM."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(320, 64)
        self.layers = nn.ModuleList(nn.MultiheadAttention(64, heads, batch_first=True) for heads in (2, 8, 4))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Attend, layer by layer."""
        x = self.embedding(ids)
        for layer in self.layers:
            x = x + 3 * layer(x, x, x)[0]
        return x


def log_generation(model: nn.Module, ids: torch.Tensor, tokenizer: Any, prompt: int) -> None:
    """Decode with a cache, one token a step, and log each step."""
    cache = None
    for step, end in enumerate(range(prompt, ids.shape[1] + 1)):
        given = ids[:, :end] if cache is None else ids[:, end - 1 : end]
        with llmdebug.tap(model) as captured, torch.no_grad():
            cache = model(given, past_key_values=cache, use_cache=True).past_key_values
        tokens = llmdebug.TokenIds(ids[:, :end], tokenizer)
        assert llmdebug.log_attention("generation", captured, tokens=tokens, step=step)


def log_families(logdir: str, ids: torch.Tensor, tokenizer: Any) -> Iterator[tuple[str, Any]]:
    """Log one probe of each model at two steps; yields what its configuration says."""
    tokens = llmdebug.TokenIds(ids, tokenizer)
    for family in FAMILIES:
        with llmdebug.Writer(f"{logdir}/{family}"):
            for step, scale in ((0, 2.0), (10, 3.0)):
                model = model_of(family, scale)
                if family == "t5":
                    both = {"encoder": tokens, "decoder": llmdebug.TokenIds(ids[:, :7], tokenizer)}
                    inputs = {"input_ids": ids, "decoder_input_ids": ids[:, :7]}
                    assert llmdebug.log_probe("model", model, inputs, tokens=both, step=step)
                else:
                    assert llmdebug.log_probe("model", model, {"input_ids": ids}, tokens=tokens, step=step)
                if family == "llama" and step == 10:
                    log_generation(model, ids, tokenizer, prompt=8)
        yield family, model.config.to_dict()


def main(logdir: str) -> None:
    """Write everything."""
    transformers.logging.set_verbosity_error()
    words = tokenizer()
    ids = torch.tensor([words(TEXT)["input_ids"]])
    said = dict(log_families(logdir, ids, words))
    with llmdebug.Writer(f"{logdir}/ragged"):
        for step in (0, 10):
            llmdebug.log_probe("model", Ragged().eval(), ids, tokens=llmdebug.TokenIds(ids, words), step=step)
    shown = llmdebug.TokenIds(ids, words).decode()[0]
    print(json.dumps({"configs": said, "tokens": shown.labels(), "window": WINDOW}, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
