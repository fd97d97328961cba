"""Processes killed at random moments while they log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tests.durability import killing
from tests.durability.counts import count


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    root = tmp_path_factory.mktemp("killed")
    command = [sys.executable, killing.__file__, str(root), str(count(30, 300)), "1"]
    # One thread, and no TensorFlow: a process that is to be forked should have neither.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_of_them_were_killed_while_logging(trials: list[dict[str, Any]]) -> None:
    assert {trial["signal"] for trial in trials} == {signal.SIGKILL}
    assert sum(trial["flushed"] >= 0 for trial in trials) > len(trials) / 10
    assert any(trial["a_second_before"] >= 0 for trial in trials)


def test_nothing_is_lost_that_flush_returned_for_and_at_most_a_second_otherwise(
    trials: list[dict[str, Any]],
) -> None:
    for trial in trials:
        steps = steps_of(trial["folder"])
        assert steps == list(range(len(steps)))
        assert len(steps) > trial["flushed"], f"lost what flush returned for: {trial}"
        assert len(steps) > trial["a_second_before"], f"lost what was logged a second before: {trial}"


def test_what_is_left_is_what_was_logged(trials: list[dict[str, Any]]) -> None:
    for trial in trials:
        logdir = llmdebug.open_logdir(trial["folder"])
        # The record that was being written; nothing before it is damaged. Or nothing was made yet.
        made = Path(trial["folder"]).is_dir()
        assert made or trial["flushed"] == -1
        assert all("ends inside a record" in problem for problem in logdir.problems if made)
        for step in steps_of(trial["folder"]):
            stored = logdir.attention(".", "decoder", step)
            for layer, expected in enumerate(killing.maps_of(step)):
                rounded = expected[0, 2].astype(np.float16).astype(np.float32)
                assert np.array_equal(stored.weights(layer, 2), rounded)
            tokens = stored.example(0).key_tokens
            assert (tokens is None) is (step % 7 == 3)


def steps_of(folder: str) -> list[int]:
    logdir = llmdebug.open_logdir(Path(folder))
    if not logdir.runs or "decoder" not in logdir.names("."):
        return []
    # Inline, each file that was rolled is a session of its own.
    sessions = logdir.sessions(".", "decoder")
    return sorted(step for session in sessions for step in logdir.steps(".", "decoder", session))
