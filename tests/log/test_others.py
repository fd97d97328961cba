"""Attributions and anomalies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_llmdebug as llmdebug


def test_an_attribution_comes_back(tmp_path: Path) -> None:
    scores = np.array([[0.5, -0.25], [1.0, 2.0]])
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_attribution(
            "next token",
            scores,
            tokens=[["a", "b"], ["c", "d"]],
            method="integrated gradients",
            rule="gausslegendre",
            steps=50,
            baseline="<pad> <pad>",
            target=["x", "y"],
            output=[3.0, 4.0],
            baseline_output=0.5,
            delta=np.array([0.1, -0.1]),
            step=3,
        )
    record = llmdebug.open_logdir(tmp_path).attribution(".", "next token", 3)
    assert (record.method, record.rule, record.steps, record.baseline) == (
        "integrated gradients",
        "gausslegendre",
        50,
        "<pad> <pad>",
    )
    second = record.items[1]
    assert second.scores.tolist() == [1, 2]
    assert (second.target, second.output, second.baseline_output, second.delta) == ("y", 4.0, 0.5, -0.1)
    assert second.tokens.text == ("c", "d")


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "not summed": ({"scores": np.zeros((1, 2, 3))}, "sum over the embedding"),
    "tokens of other length": ({"tokens": ["a"]}, "2 scores but 1 tokens"),
    "tokens of other examples": ({"tokens": [["a", "b"]] * 3}, "tokens holds 3 examples and scores 1"),
    "targets of other examples": ({"target": ["a", "b"]}, "names 2 targets for 1 examples"),
    "a method that is no text": ({"method": None}, "method must be a text of 1 to 1,000"),
    "a baseline that is no text": ({"baseline": None}, "baseline of an attribution must be a text"),
    "outputs of other examples": ({"output": [1.0, 2.0, 3.0]}, "one number per example"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistaken_attribution_raises_one_sentence(case: str, tmp_path: Path) -> None:
    settings, sentence = MISTAKES[case]
    call = {"scores": [[1.0, 2.0]], "method": "m", "step": 0} | settings
    with llmdebug.Writer(tmp_path), pytest.raises(llmdebug.InvalidRecordError, match=sentence):
        llmdebug.log_attribution("n", **call)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"layer": -1}, "layer of an anomaly is -1"),
        ({"message": None}, "message of an anomaly must be a text"),
        ({"rule": ""}, "rule must be a text of 1 to 1,000 characters, such as 'loss.spike'"),
    ],
)
def test_a_mistaken_anomaly_raises_one_sentence(
    settings: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    call = {"name": "n", "message": "m", "rule": "r", "step": 0} | settings
    with llmdebug.Writer(tmp_path), pytest.raises(llmdebug.InvalidRecordError, match=sentence):
        llmdebug.log_anomaly(**call)


def test_what_has_to_be_given_is_asked_for(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        with pytest.raises(llmdebug.InvalidRecordError, match=r"^method must be a text .*'gradient x input'"):
            llmdebug.log_attribution("n", [1.0], step=0)
        with pytest.raises(llmdebug.InvalidRecordError, match=r"^rule must be a text .*'loss\.spike'"):
            llmdebug.log_anomaly("n", "It jumped.", step=0)


def test_a_very_long_message_is_cut_and_still_read(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        llmdebug.log_anomaly("loss", "m" * (2 << 20), rule="r", step=0)
    logdir = llmdebug.open_logdir(tmp_path)
    ((_, anomaly),) = logdir.anomalies(".")
    assert len(anomaly.message) == 2000 and anomaly.message.endswith("…")
    assert logdir.problems == []


def test_an_anomaly_comes_back(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        llmdebug.log_anomaly(
            "loss",
            "The loss is 9 times its mean.",
            rule="loss.spike",
            severity="error",
            observed=9,
            threshold=6.0,
            layer=3,
            step=11,
        )
    ((step, anomaly),) = llmdebug.open_logdir(tmp_path).anomalies(".")
    assert (step, anomaly.rule, anomaly.severity) == (11, "loss.spike", llmdebug.Severity.ERROR)
    assert (anomaly.observed, anomaly.threshold, anomaly.layer, anomaly.head) == (9.0, 6.0, 3, None)
