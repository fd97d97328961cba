"""Graphs that run code twice, in several places, or without a host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch
import torch.utils.checkpoint

import tb_llmdebug as llmdebug

MAPS = (tf.fill([2, 1, 3, 3], 1 / 3),)


class Words:
    """A tokenizer of words."""

    all_special_ids = ()

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [f"w{token}" for token in ids]


def log(maps: Any = MAPS, **settings: Any) -> Any:
    return llmdebug.log_attention("decoder", maps, **{"step": 0} | settings)


CALLS_UNDER_XLA: dict[str, Callable[[tf.Tensor], Any]] = {
    "attention": lambda maps: log((maps,)),
    "attribution": lambda maps: llmdebug.log_attribution("decoder", maps[0, 0], method="m", step=0),
    "anomaly": lambda maps: llmdebug.log_anomaly("decoder", "m", rule="r", observed=maps[0, 0, 0, 0], step=0),
}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("call", CALLS_UNDER_XLA)
def test_under_xla_a_call_raises_one_sentence_while_tracing(call: str, nested: bool, tmp_path: Path) -> None:
    def step_function(maps: tf.Tensor) -> tf.Tensor:
        CALLS_UNDER_XLA[call](maps)
        return maps

    compiled = tf.function(step_function, jit_compile=not nested)
    if nested:
        inner = compiled
        compiled = tf.function(lambda maps: inner(maps) + 1, jit_compile=True)
    with llmdebug.Writer(tmp_path), pytest.raises(llmdebug.InvalidRecordError) as raised:
        compiled(MAPS[0])
    assert str(raised.value) == (
        "'decoder' cannot be logged inside a function that XLA compiles (jit_compile=True): return the "
        "tensors from that function and log them outside it."
    )


def test_under_xla_what_is_not_recorded_is_no_mistake(tmp_path: Path) -> None:
    @tf.function(jit_compile=True)
    def step_function(maps: tf.Tensor) -> tf.Tensor:
        log((maps,))
        return maps + 1

    step_function(MAPS[0])  # no writer is active
    with llmdebug.Writer(tmp_path), tf.summary.record_if(False):
        step_function(tf.zeros([1, 1, 2, 2]))


def test_what_xla_returns_is_logged_outside(tmp_path: Path) -> None:
    @tf.function(jit_compile=True)
    def step_function(logits: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(logits)

    with llmdebug.Writer(tmp_path):
        assert log((step_function(tf.zeros([1, 1, 4, 4])),))
    assert np.all(llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).weights(0, 0) == 0.25)


@pytest.mark.parametrize("traced", [False, True])
def test_what_runs_again_for_its_gradient_is_logged_once(traced: bool, tmp_path: Path) -> None:
    @tf.recompute_grad
    def layer(maps: tf.Tensor) -> tf.Tensor:
        log((maps,))
        return tf.square(maps)

    def step_function(maps: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(layer(maps))
        return tape.gradient(loss, maps)

    run = tf.function(step_function) if traced else step_function
    with llmdebug.Writer(tmp_path) as writer:
        gradient = run(MAPS[0])
    assert np.allclose(gradient, 2 * MAPS[0])
    assert writer.status().written == 1


@pytest.mark.parametrize("reentrant", [False, True])
def test_what_torch_runs_again_for_its_gradient_is_logged_once(reentrant: bool, tmp_path: Path) -> None:
    def layer(maps: torch.Tensor) -> torch.Tensor:
        log((maps,))
        return maps.square()

    maps = torch.full((1, 1, 4, 4), 0.25, requires_grad=True)
    with llmdebug.Writer(tmp_path) as writer:
        torch.utils.checkpoint.checkpoint(layer, maps, use_reentrant=reentrant).sum().backward()
    assert writer.status().written == 1


def test_two_calls_of_one_step_are_two_records(tmp_path: Path) -> None:
    """Only a second run for a gradient is left out, not what the user logs twice."""

    @tf.function
    def step_function(maps: tf.Tensor) -> tf.Tensor:
        log((maps,))
        log((maps,))
        return maps

    with llmdebug.Writer(tmp_path) as writer:
        step_function(MAPS[0])
        step_function(MAPS[0])
    assert writer.status().written == 4


def test_a_function_keeps_the_writer_that_it_was_traced_with(tmp_path: Path) -> None:
    """As `tf.summary` does: the graph holds the writer, whatever is active when it runs."""

    @tf.function
    def step_function(maps: tf.Tensor) -> tf.Tensor:
        log((maps,))
        return maps

    with llmdebug.Writer(tmp_path / "traced") as traced:
        step_function(MAPS[0])
        with llmdebug.Writer(tmp_path / "active") as active:
            step_function(MAPS[0])
    assert (traced.status().written, active.status().written) == (2, 0)


def test_of_several_replicas_the_first_logs_as_with_tf_summary(tmp_path: Path) -> None:
    program = Path(__file__).with_name("replicas_program.py")
    command = [sys.executable, str(program), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.runs == ["ours", "tf"]
    for run in logdir.runs:
        assert logdir.steps(run, "decoder") == [0, 1, 2]
        assert logdir.anomalies(run) == []
        assert np.all(logdir.attention(run, "decoder", 2).weights(0, 0) == 0.5)
        data = b"".join(path.read_bytes() for path in (tmp_path / run).rglob("*") if path.is_file())
        assert data.count(b"decoder") == 3


KNOWN_WHILE_TRACING: dict[str, tuple[dict[str, Any], str]] = {
    "too few tokens": ({"tokens": [["a", "b"]] * 2}, "tokens has 2 tokens but layer 0 has 3 keys"),
    "too many ids": (
        {"tokens": llmdebug.TokenIds(tf.zeros([2, 4], tf.int32), Words())},
        "tokens has 4 tokens but layer 0 has 3 keys",
    ),
    "tokens of one example": ({"tokens": ["a", "b", "c"]}, "tokens holds 1 example and attention 2"),
    "key tokens": ({"key_tokens": [["a"]] * 2}, "key_tokens has 1 tokens but layer 0 has 3 keys"),
    "a mask of another length": (
        {"mask": tf.ones([2, 4])},
        r"mask has shape \[2, 4\] but layer 0 has \[2, 3\]",
    ),
    "a mask of another batch": (
        {"mask": np.ones((5, 3))},
        r"mask has shape \[5, 3\] but layer 0 has \[2, 3\]",
    ),
    "document ids": ({"document_ids": tf.ones([4])}, r"document_ids has shape \[4\] but layer 0"),
    "rank 3": ({"maps": (MAPS[0][0],)}, r"x\[None\]"),
    "one layer and tokens of its batch": (
        {"maps": MAPS[0], "tokens": [["a", "b", "c"]] * 2},
        r"one layer of \[batch, heads, query, key\] has to be in a tuple",
    ),
    "one layer and the mask of its batch": (
        {"maps": MAPS[0], "mask": np.ones((2, 3))},
        r"one layer of \[batch, heads, query, key\] has to be in a tuple",
    ),
    "None": ({"maps": None}, "attention is None: SDPA and flash attention"),
}


@pytest.mark.parametrize("case", KNOWN_WHILE_TRACING)
def test_a_mistake_in_known_shapes_is_told_while_tracing(case: str, tmp_path: Path) -> None:
    settings, sentence = KNOWN_WHILE_TRACING[case]
    ran: list[bool] = []

    @tf.function
    def step_function() -> tf.Tensor:
        tf.py_function(lambda: ran.append(True), [], [])
        return log(**{"maps": MAPS} | settings)

    with llmdebug.Writer(tmp_path) as writer, pytest.raises(llmdebug.InvalidRecordError, match=sentence):
        step_function()
    assert not ran and writer.status().written == 0


FITTING: dict[str, dict[str, Any]] = {
    "tokens": {"tokens": [["a", "b", "c"]] * 2},
    "ids": {"tokens": llmdebug.TokenIds(tf.zeros([2, 3], tf.int32), Words())},
    "a mask of one row": {"mask": tf.ones([3])},
    "a mask of unknown length": {"mask": tf.TensorSpec([None, None])},
    "ids of unknown rank": {"tokens": tf.TensorSpec(None, tf.int32)},
}


@pytest.mark.parametrize("case", FITTING)
def test_what_fits_or_is_not_known_is_logged(case: str, tmp_path: Path) -> None:
    ((argument, given),) = FITTING[case].items()
    unknown = isinstance(given, tf.TensorSpec)
    signature = [given] if unknown else []

    @tf.function(input_signature=signature)
    def step_function(*symbolic: tf.Tensor) -> tf.Tensor:
        value = symbolic[0] if symbolic else given
        if unknown and argument == "tokens":
            value = llmdebug.TokenIds(value, Words())
        return log(**{argument: value})

    values = [tf.cast(tf.ones([2, 3]), given.dtype)] if unknown else []
    with llmdebug.Writer(tmp_path) as writer:
        assert bool(step_function(*values))
    assert writer.status().written == 1
