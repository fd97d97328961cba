"""Write the logs that the teaching view is tested on: probes of real models, most with their vectors.

`python taught.py LOGDIR`; one run has no vectors, and of one there was no room for them.
"""

from __future__ import annotations

import sys

import keras
import numpy as np
import torch
from make_logs import MASK, SHORT, WORDS
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

import tb_llmdebug as llmdebug
from tb_llmdebug.log import reduction

SIZES = {"vocab_size": 32, "bos_token_id": 0, "eos_token_id": 0, "attn_implementation": "sdpa"}
GIVEN = {"tokens": [WORDS, SHORT], "mask": MASK}


def main(logdir: str) -> None:
    """Write all of them."""
    gpt2, llama = decoders()
    log_decoders(logdir, gpt2, llama)
    log_long(logdir)
    layer = keras_attention()
    with llmdebug.Writer(f"{logdir}/keras"):
        x = np.random.default_rng(0).normal(size=(2, len(WORDS), 16)).astype("float32") * 2
        llmdebug.log_probe("decoder", layer, x, vectors=True, precision="u8", step=10, **GIVEN)


def decoders() -> tuple[GPT2LMHeadModel, LlamaForCausalLM]:
    """Return two small decoders whose weights are far from even."""
    torch.manual_seed(0)
    gpt2 = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=4, n_embd=64, **SIZES))
    llama = LlamaForCausalLM(
        LlamaConfig(
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            hidden_size=64,
            intermediate_size=64,
            **SIZES,
        )
    )
    for model in (gpt2, llama):
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.data *= 6
    return gpt2, llama


def log_decoders(logdir: str, gpt2: GPT2LMHeadModel, llama: LlamaForCausalLM) -> None:
    """Log both, and the first also without vectors and without room for them."""
    ids = np.arange(2 * len(WORDS)).reshape(2, -1) % 32
    inputs = {"input_ids": ids, "attention_mask": MASK}
    for run, model in (("gpt2", gpt2), ("llama", llama)):
        with llmdebug.Writer(f"{logdir}/{run}"):
            for step in (0, 10):
                llmdebug.log_probe("decoder", model, inputs, vectors=True, step=step, **GIVEN)
                with torch.no_grad():
                    for parameter in model.parameters():
                        parameter += 0.02 * torch.randn_like(parameter)
    with llmdebug.Writer(f"{logdir}/without"):
        llmdebug.log_probe("decoder", gpt2, inputs, step=10, **GIVEN)
    budget, reduction.BUDGET_BYTES = reduction.BUDGET_BYTES, 10_000
    with llmdebug.Writer(f"{logdir}/no-room"):
        llmdebug.log_probe("decoder", gpt2, inputs, vectors=True, step=10, **GIVEN)
    reduction.BUDGET_BYTES = budget


def log_long(logdir: str) -> None:
    """Log some rows of one head over 2,048 tokens."""
    torch.manual_seed(0)
    long = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=32, n_positions=2048, **SIZES))
    with llmdebug.Writer(f"{logdir}/long"):
        words = [[WORDS[i % len(WORDS)] for i in range(2048)]]
        text = {"input_ids": np.arange(2048)[None] % 32}
        chosen = {"heads": [1], "rows": range(1024, 2048, 64)}
        llmdebug.log_probe("decoder", long, text, tokens=words, vectors=True, step=10, **chosen)


def keras_attention() -> keras.Model:
    """Return a model of one attention layer of Keras."""
    keras.utils.set_random_seed(0)
    tokens = keras.Input((len(WORDS), 16))
    attention = keras.layers.MultiHeadAttention(4, 8)
    return keras.Model(tokens, attention(tokens, tokens, use_causal_mask=True))


if __name__ == "__main__":
    main(sys.argv[1])
