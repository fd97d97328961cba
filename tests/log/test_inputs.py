"""What users hand over, row by row: the input, and what is to become of it.

Mistakes that are refused with a sentence stand in test_attention.py, graphs in test_graphs.py, disks and
queues in tests/writing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch

import tb_llmdebug as llmdebug
from tb_llmdebug.records import CheckState
from tests.data import layers_of, softmax_maps

MAPS = layers_of(2)
HALF = 2e-3
"""bfloat16 keeps 8 bits of a weight below 1"""


@dataclass(frozen=True)
class Row:
    """One input, and what is expected of the record."""

    give: Callable[[], Any]
    weights: Callable[[], Any] = lambda: MAPS
    error: float = 1e-3
    flags: frozenset[str] = frozenset()
    settings: dict[str, Any] = field(default_factory=dict)


def torch_maps(**settings: Any) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(layer, **settings) for layer in MAPS)


def with_nan() -> tuple[np.ndarray, ...]:
    maps = tuple(layer.copy() for layer in MAPS)
    maps[1][0, 1, 2] = np.nan
    return maps


LEFT_MASK = np.array([[0, 0, 1, 1, 1, 1], [1] * 6])
LEFT_PADDED = (softmax_maps(mask=LEFT_MASK),)
NESTED = [layer.tolist() for layer in MAPS]
UNEQUAL = (softmax_maps(heads=2, queries=4, keys=4), softmax_maps(heads=5, queries=4, keys=9))

ROWS: dict[str, Row] = {
    "NumPy float16": Row(lambda: tuple(layer.astype(np.float16) for layer in MAPS)),
    "NumPy bfloat16": Row(lambda: tuple(layer.astype(ml_dtypes.bfloat16) for layer in MAPS), error=HALF),
    "NumPy, big-endian": Row(lambda: tuple(layer.astype(">f4") for layer in MAPS)),
    "NumPy, read-only": Row(lambda: tuple(np.broadcast_to(layer, layer.shape) for layer in MAPS)),
    "NumPy, columns first": Row(lambda: tuple(np.asfortranarray(layer) for layer in MAPS)),
    "nested lists": Row(lambda: NESTED),
    "an iterator of layers": Row(lambda: (layer for layer in MAPS)),
    "JAX float32": Row(lambda: tuple(jnp.asarray(layer) for layer in MAPS)),
    "JAX bfloat16": Row(lambda: tuple(jnp.asarray(layer, jnp.bfloat16) for layer in MAPS), error=HALF),
    "JAX float16": Row(lambda: tuple(jnp.asarray(layer, jnp.float16) for layer in MAPS)),
    "TensorFlow bfloat16": Row(lambda: tuple(tf.cast(layer, tf.bfloat16) for layer in MAPS), error=HALF),
    "TensorFlow float16": Row(lambda: tuple(tf.cast(layer, tf.float16) for layer in MAPS)),
    "a TensorFlow variable": Row(lambda: tuple(tf.Variable(layer) for layer in MAPS)),
    "PyTorch bfloat16": Row(lambda: torch_maps(dtype=torch.bfloat16), error=HALF),
    "PyTorch float16": Row(lambda: torch_maps(dtype=torch.float16)),
    "PyTorch float64": Row(lambda: torch_maps(dtype=torch.float64)),
    "PyTorch with a gradient": Row(lambda: torch_maps(requires_grad=True)),
    "PyTorch out of a computation": Row(
        lambda: tuple(layer.softmax(-1) * 0 + layer for layer in torch_maps(requires_grad=True))
    ),
    "PyTorch, not contiguous": Row(
        lambda: tuple(layer.swapaxes(2, 3).contiguous().swapaxes(2, 3) for layer in torch_maps())
    ),
    "PyTorch, a conjugate view": Row(
        lambda: tuple(torch.conj(torch.complex(layer, layer * 0)).real for layer in torch_maps())
    ),
    "frameworks mixed": Row(lambda: (MAPS[0], torch.tensor(MAPS[1]))),
    "unequal key lengths and head counts": Row(lambda: UNEQUAL, lambda: UNEQUAL),
    "NaN": Row(with_nan, with_nan, flags=frozenset({"attention.not_finite"})),
    "rows that sum to 0.5": Row(
        lambda: tuple(layer / 2 for layer in MAPS),
        lambda: tuple(layer / 2 for layer in MAPS),
        flags=frozenset({"attention.row_sum"}),
    ),
    "weights beyond float16": Row(
        lambda: (MAPS[0] * 1e6,),
        lambda: (MAPS[0] * 1e6,),
        error=1.0,
        flags=frozenset({"attention.row_sum"}),
    ),
    "negative weights": Row(
        lambda: (MAPS[0] - 1,), lambda: (MAPS[0] - 1,), flags=frozenset({"attention.row_sum"})
    ),
    "a left mask that the model was told": Row(
        lambda: LEFT_PADDED, lambda: LEFT_PADDED, settings={"mask": LEFT_MASK}
    ),
    "a left mask that the model was not told": Row(
        lambda: MAPS, settings={"mask": LEFT_MASK}, flags=frozenset({"attention.padding_attended"})
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_an_input_is_taken_as_it_is(row: str, tmp_path: Path) -> None:
    case = ROWS[row]
    with llmdebug.Writer(tmp_path) as writer:
        assert llmdebug.log_attention("decoder", case.give(), step=3, **case.settings) is True
    assert writer.status() == llmdebug.WriterStatus(written=1)
    record = llmdebug.open_logdir(tmp_path).attention(".", "decoder", 3).record()
    expected = case.weights()
    assert len(record.layers) == len(expected)
    for layer, weights in zip(record.layers, expected, strict=True):
        assert layer.weights is not None
        assert np.allclose(layer.weights, weights, rtol=1e-3, atol=case.error, equal_nan=True)
    assert {anomaly.rule for anomaly in record.anomalies} == case.flags
    states = {check.rule: check.state for check in record.checks}
    assert {rule for rule, state in states.items() if state is CheckState.FAILED} == case.flags
    assert states["attention.above_diagonal"] is CheckState.NOT_CHECKED


def test_what_the_caller_owns_is_copied_before_the_call_returns(tmp_path: Path) -> None:
    given = {
        "NumPy": [MAPS[0].copy()],
        "PyTorch": [torch.tensor(MAPS[0])],
        "a variable": [tf.Variable(MAPS[0])],
    }
    with llmdebug.Writer(tmp_path):
        for name, layers in given.items():
            llmdebug.log_attention(name, layers, step=0)
            layers[0].assign(layers[0] * 0) if name == "a variable" else layers[0].__imul__(0)
    run = llmdebug.open_logdir(tmp_path)
    for name in given:
        assert np.allclose(run.attention(".", name, 0).weights(0, 0), MAPS[0][0, 0], atol=1e-3), name


def test_logging_leaves_a_tensors_gradient_alone(tmp_path: Path) -> None:
    logits = torch.zeros((1, 1, 4, 4), requires_grad=True)
    with llmdebug.Writer(tmp_path):
        weights = logits.softmax(-1)
        llmdebug.log_attention("decoder", (weights,), step=0)
        weights[0, 0, :, 0].sum().backward()
    assert logits.grad is not None and float(logits.grad.abs().sum()) > 0


STEPS: dict[str, tuple[list[Any], list[int]]] = {
    "negative": ([-1], [-1]),
    "going back": ([5, 4, 3], [5, 4, 3]),
    "repeated": ([7, 7], [7, 7]),
    "the largest": ([(1 << 63) - 1], [(1 << 63) - 1]),
    "NumPy": ([np.int64(3), np.int32(4), np.array(5)], [3, 4, 5]),
    "TensorFlow": ([tf.constant(3), tf.Variable(4, dtype=tf.int64)], [3, 4]),
    "PyTorch": ([torch.tensor(3)], [3]),
    "JAX": ([jnp.asarray(3)], [3]),
}


@pytest.mark.parametrize("case", STEPS)
def test_a_step_is_kept_whatever_its_form_in_the_order_of_logging(case: str, tmp_path: Path) -> None:
    given, expected = STEPS[case]
    with llmdebug.Writer(tmp_path) as writer:
        for step in given:
            assert llmdebug.log_attention("decoder", MAPS, step=step)
    assert writer.status().written == len(given)
    assert llmdebug.open_logdir(tmp_path).steps(".", "decoder") == expected


def test_of_a_repeated_step_the_last_is_shown(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        for weight in (0.25, 0.5):
            llmdebug.log_attention("decoder", (np.full((1, 1, 4, 4), weight),), step=1)
    assert np.all(llmdebug.open_logdir(tmp_path).attention(".", "decoder", 1).weights(0, 0) == 0.5)


BAD_STEPS: dict[str, Any] = {
    "half": 1.5,
    "not a number": float("nan"),
    "two": [1, 2],
    "an array": np.array([1, 2]),
    "text": "10",
    "too low": -(1 << 63) - 1,
    "a float tensor": torch.tensor(1.5),
}


@pytest.mark.parametrize("case", BAD_STEPS)
def test_what_is_no_step_is_refused(case: str, tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path), pytest.raises(llmdebug.InvalidRecordError, match="step is"):
        llmdebug.log_attention("decoder", MAPS, step=BAD_STEPS[case])


TEXTS: dict[str, tuple[str, str]] = {
    "1 MB": ("x" * 1_000_000, "x" * 1_000_000),
    "NUL": ("a\0b", "a\0b"),
    "a lone surrogate": ("a\ud800b", "a\ufffdb"),
    "two halves of a pair": ("\ud83d\ude00", "\U0001f600"),
    "right to left": ("\u202egnp.exe\u202c", "\u202egnp.exe\u202c"),
    "markup": ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    "line ends": ("\r\n\u2028", "\r\n\u2028"),
    "empty": ("", ""),
    "a path": ("../../etc/passwd", "../../etc/passwd"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_token_is_kept_to_the_letter(case: str, tmp_path: Path) -> None:
    given, expected = TEXTS[case]
    tokens = [[given, "b", "c", "d", "e", "f"]] * 2
    with llmdebug.Writer(tmp_path) as writer:
        assert llmdebug.log_attention("decoder", MAPS, tokens=tokens, step=0)
        assert llmdebug.log_attention("decoder", MAPS, tokens=tokens, step=1)
    assert writer.status() == llmdebug.WriterStatus(written=2)
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.problems == []
    example = logdir.attention(".", "decoder", 1).example(0)
    assert example.key_tokens is not None and example.key_tokens.text[0] == expected
    assert sum(path.stat().st_size for path in tmp_path.rglob("records.*")) < 1_100_000


@pytest.mark.parametrize("case", [case for case in TEXTS if case not in ("1 MB", "empty")])
def test_a_name_is_kept_to_the_letter_and_never_a_path(case: str, tmp_path: Path) -> None:
    given, expected = TEXTS[case]
    run = tmp_path / "logs" / "run"
    with llmdebug.Writer(run):
        assert llmdebug.log_attention(given, MAPS, step=0)
        assert llmdebug.log_anomaly(given, "It jumped.", rule="r", step=0)
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    assert logdir.steps("run", expected) == [0]
    assert os.listdir(tmp_path) == ["logs"] and os.listdir(run) == ["plugins"]


def test_a_sliding_window_is_kept_by_layer_and_a_wrong_one_raises(tmp_path: Path) -> None:
    maps = (np.full((1, 2, 3, 3), 1 / 3, np.float32),) * 3
    with llmdebug.Writer(tmp_path):
        llmdebug.log_attention("one", maps, window=2, step=0)
        llmdebug.log_attention("some", maps, window={1: 2}, step=0)
        llmdebug.log_attention("none", maps, step=0)
        for wrong in (-1, 1.5, "2", {0: None}):
            with pytest.raises(llmdebug.InvalidRecordError, match="how many keys a query sees"):
                llmdebug.log_attention("wrong", maps, window=wrong, step=0)
    opened = llmdebug.open_logdir(tmp_path)
    for name, expected in (("one", [2, 2, 2]), ("some", [0, 2, 0]), ("none", [0, 0, 0])):
        record = opened.attention(".", name, step=0).record()
        assert [layer.window for layer in record.layers] == expected
        assert [layer.of_heads for layer in record.layers] == [2, 2, 2]
