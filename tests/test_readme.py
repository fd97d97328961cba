"""The Python of the README runs as it stands there, with models of a stranger's."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
import transformers

import tb_llmdebug as llmdebug
from tests.small_tokenizer import tokenizer_of

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
WORDS = ["[unk]", "The", "cat", "sat", "on", "the", "mat", "."]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tokenizer_of(WORDS)


@pytest.fixture
def names(tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a reader of the README has: a model that is trained, and a probe for it."""
    monkeypatch.chdir(tmp_path)
    settings = {"n_layer": 4, "n_head": 2, "n_embd": 16, "vocab_size": 8, "n_positions": 16}
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**settings, attn_implementation="eager", bos_token_id=0, eos_token_id=0)
    )
    model.eval()
    ids = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    return {
        "llmdebug": llmdebug,
        "model": model,
        "tokenizer": tokenizer,
        "ids": ids,
        "mask": mask,
        "inputs": {"input_ids": ids, "attention_mask": mask},
        "tokens": llmdebug.TokenIds(ids, tokenizer),
        "step": 700,
        "batches": range(201),
        "train": lambda batch: None,
        "batch": {"input_ids": ids},
        "loss_of": lambda out: out.logits.mean(),
    }


def test_every_block_is_run_here() -> None:
    """A new one needs a test."""
    assert len(BLOCKS) == 6


def test_a_loop_logs_every_step_that_it_is_told_to(names: dict[str, Any]) -> None:
    exec(BLOCKS[0], names)
    logdir = llmdebug.open_logdir("logs")
    assert logdir.steps("finetune", "decoder") == [0, 100, 200]
    assert logdir.problems == []


def test_the_callback(tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(8, 8)(ids)
    x = x + keras.layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    model = keras.Model(ids, keras.layers.Dense(1)(x))
    model.compile("adam", "mse")
    given = {"model": model, "tokenizer": tokenizer, "x": np.ones((4, 6), "i"), "y": np.ones((4, 6, 1), "f")}
    exec(BLOCKS[1], given)
    logdir = llmdebug.open_logdir("logs")
    assert logdir.steps("finetune", *logdir.names("finetune"))


def test_a_probe_and_attention_of_ones_own(names: dict[str, Any]) -> None:
    exec(BLOCKS[2], names)
    exec(BLOCKS[3], names)
    names["writer"].close()
    logdir = llmdebug.open_logdir("logs")
    assert logdir.steps("finetune", "decoder") == [700, 700]
    assert [found.rule for _, found in logdir.anomalies("finetune")] == ["loss.spike"]


def test_a_tap(names: dict[str, Any]) -> None:
    exec(BLOCKS[4], names)
    weights = names["captured"][3].weights
    assert tuple(weights.shape) == (2, 2, 4, 4)
    assert weights.requires_grad


def test_reading_back(names: dict[str, Any]) -> None:
    given = types.SimpleNamespace(**names)
    for run in ("all-weights", "padding-mistake"):
        with llmdebug.Writer(f"logs/{run}"):
            for step in (0, 120):
                llmdebug.log_probe(
                    "decoder", given.model, given.inputs, tokens=given.tokens, vectors=True, step=step
                )
    exec(BLOCKS[5], names)
    assert names["logdir"].steps("all-weights", "decoder") == [0, 120]
    assert names["before"].step == 0 and names["after"].step == 120
