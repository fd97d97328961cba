"""The whole demo, a few steps long, in a process of its own as `make demo` runs it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import TFGPT2LMHeadModel

import tb_llmdebug as llmdebug
from llmdebug_demo.probes import INSIDE, NAME, SENTENCES
from llmdebug_demo.training import checkpoint_folder

ROOT = Path(__file__).resolve().parents[2]
RUNS = ["all-weights", "padding-mistake", "pretraining", "upper-layers"]
STEPS = [0, 2, 4]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "demo/finetune.py", "--quick", "--logdir", str(logdir)]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}  # where the package is not installed
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    return logdir, done.stdout


@pytest.fixture(scope="module")
def logdir(made):
    return llmdebug.open_logdir(made[0])


def test_every_run_logged_the_probes_at_every_logged_step(logdir):
    assert sorted(logdir.runs) == RUNS
    assert logdir.problems == []
    for run in RUNS:
        assert logdir.steps(run, NAME) == STEPS
        assert logdir.steps(run, INSIDE) == STEPS
        assert logdir.attribution(run, "next token", STEPS[-1]).name == "next token"


def test_weights_follow_from_the_vectors_logged_beside_them(logdir):
    record = logdir.attention("all-weights", INSIDE, STEPS[-1])
    vectors = record.vectors(layer=2, head=1, example=0)
    weights = record.weights(layer=2, head=1, example=0)
    logits = vectors.q[-1] @ vectors.k.T * vectors.scale
    seen = record.example(0).key_mask.astype(bool)
    made = np.where(seen, np.exp(logits - logits[seen].max()), 0)
    np.testing.assert_allclose(made / made.sum(), weights[-1], atol=1e-3)


def test_only_the_mistake_is_flagged(logdir, made):
    flags = {run: {(step, found.rule) for step, found in logdir.anomalies(run)} for run in RUNS}
    mistake = flags.pop("padding-mistake")
    assert mistake == {(step, "attention.padding_attended") for step in STEPS}
    assert set().union(*flags.values()) == set()
    assert "attention.padding_attended x 3" in made[1]


def test_checkpoints_can_be_loaded_and_frozen_weights_stayed(made):
    folder = made[0] / "upper-layers"
    start, middle, end = (
        TFGPT2LMHeadModel.from_pretrained(str(checkpoint_folder(folder, step))) for step in STEPS
    )

    def moved(earlier, later):
        pairs = zip(earlier.trainable_weights, later.trainable_weights, strict=True)
        return {
            layer
            for old, new in pairs
            for layer in ("wte", "wpe", "h_._0/", "h_._1/", "h_._2/", "h_._3/")
            if layer in old.name and np.any(old.numpy() != new.numpy())
        }

    assert moved(start, end) == moved(middle, end) == {"h_._2/", "h_._3/"}


def test_losses_are_scalars_of_the_run(made):
    for run in RUNS:
        events = EventAccumulator(str(made[0] / run))
        events.Reload()
        held_out = [event.step for event in events.Tensors("loss/held_out")]
        assert held_out == STEPS
        assert len(events.Tensors("loss/train")) == 4


def test_probes_are_stored_with_their_padding_and_whole_characters(logdir):
    record = logdir.attention("all-weights", NAME, 0)
    stored = [record.example(place) for place in range(len(SENTENCES))]
    chinese = stored[SENTENCES.index("语言模型预测下一个词。")]
    labels = np.array(chinese.key_tokens.labels())[chinese.key_mask.astype(bool)].tolist()
    assert labels[:3] == ["语 1/3", "语 2/3", "语 3/3"]
    shortest = stored[SENTENCES.index("Return a copy.")]
    assert not shortest.key_mask[: len(shortest.key_mask) // 2].any()
    assert shortest.key_mask[-1]


def test_attributions_say_what_they_explain(logdir):
    record = logdir.attribution("upper-layers", "next token", 4)
    assert record.method == "gradient x input"
    assert len(record.items) == len(SENTENCES)
    for item in record.items:
        assert item.target
        assert np.isfinite(item.output)
        assert np.any(item.scores != 0)
