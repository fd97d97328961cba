"""Small PyTorch models with random weights, and what the tests do with them."""

from __future__ import annotations

import io
import pickle
import sys

import torch
import transformers

import tb_llmdebug as llmdebug
from tests.capture.torch_inputs import ALL_PARTS as ALL_PARTS

transformers.logging.set_verbosity_error()
SHARED = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**SHARED, "num_key_value_heads": 2}
WINDOW = 4
FAMILIES = {
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", {
        "vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64,
        "bos_token_id": 1, "eos_token_id": 2,
    }),
    "llama": ("LlamaForCausalLM", "LlamaConfig", GROUPED),
    "mistral": ("MistralForCausalLM", "MistralConfig", {**GROUPED, "sliding_window": WINDOW}),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {**GROUPED, "head_dim": 8}),
    "gemma2": ("Gemma2ForCausalLM", "Gemma2Config", {
        **GROUPED, "head_dim": 8, "sliding_window": WINDOW, "attn_logit_softcapping": 0.5,
    }),
    "gpt_oss": ("GptOssForCausalLM", "GptOssConfig", {
        **GROUPED, "head_dim": 8, "sliding_window": WINDOW, "num_local_experts": 2, "num_experts_per_tok": 1,
    }),
    "bert": ("BertModel", "BertConfig", SHARED),
    "albert": ("AlbertModel", "AlbertConfig", {**SHARED, "embedding_size": 16}),
    "t5": ("T5ForConditionalGeneration", "T5Config", {
        "vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4,
        "decoder_start_token_id": 0,
    }),
}  # fmt: skip
DECODERS = ("gpt2", "llama", "mistral", "qwen3")


def model_of(
    family: str, implementation: str = "eager", seed: int = 0, **settings: object
) -> torch.nn.Module:
    """Return a model whose weights are spread enough for its attention to be far from even."""
    name, config, defaults = FAMILIES[family]
    torch.manual_seed(seed)
    made = getattr(transformers, config)(**{**defaults, **settings}, attn_implementation=implementation)
    model = getattr(transformers, name)(made)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(12.0 if family in ("bert", "albert") else 4.0)
    return model.eval()


def batch_of(length: int = 11, left: int = 3) -> dict[str, torch.Tensor]:
    """Return two sentences, the second with `left` tokens of padding before it."""
    generator = torch.Generator().manual_seed(5)
    mask = torch.ones(2, length, dtype=torch.long)
    mask[1, :left] = 0
    return {"input_ids": torch.randint(3, 64, (2, length), generator=generator), "attention_mask": mask}


def inputs_of(family: str) -> dict[str, torch.Tensor]:
    batch = batch_of()
    if family == "t5":
        batch["decoder_input_ids"] = batch["input_ids"][:, :6]
    return batch


def taps_of(model: torch.nn.Module, inputs: dict[str, torch.Tensor], *parts: str, **settings: object) -> list:
    with llmdebug.tap(model, *(parts or ALL_PARTS), **settings) as captured:
        model(**inputs)
    return list(captured)


def traces_of(model: torch.nn.Module) -> tuple:
    """Return everything about a model that taps could leave a trace in."""
    saved = io.BytesIO()
    torch.save(model.state_dict(), saved)
    files = {type(module).__module__ for module in model.modules() if type(module).__module__ != "builtins"}
    return (
        [(name, sorted(module.__dict__)) for name, module in model.named_modules()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        {name: {key: id(value) for key, value in vars(sys.modules[name]).items()} for name in files},
        list(model.state_dict()),
        saved.getvalue(),
        pickle.dumps(model),
    )


def without_padding(weights: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the rows of real queries: what stands in rows of padding is nobody's."""
    return weights * mask[:, None, -weights.shape[2] :, None]
