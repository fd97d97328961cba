"""Two writers in one run: each a session, with nothing lost, and a sentence where the page would show one."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

import tb_llmdebug as llmdebug
from tests.data import layers_of, write_run


def test_two_writers_in_one_run_are_two_sessions(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(3))
    write_run(str(tmp_path), steps=range(2))
    logdir = llmdebug.open_logdir(tmp_path)
    first, second = logdir.sessions(".", "decoder")
    assert logdir.steps(".", "decoder", first) == [0, 1, 2]
    assert logdir.steps(".", "decoder", second) == logdir.steps(".", "decoder") == [0, 1]
    assert os.listdir(tmp_path) == ["plugins"]


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("worker", [0, 1])
def test_two_open_writers_in_one_run_lose_nothing_and_say_what_to_do(
    tmp_path: Path, inline: bool, worker: int
) -> None:
    def log(name: str, step: int, writer: llmdebug.Writer) -> None:
        assert llmdebug.log_attention(name, layers_of(1), step=step, writer=writer)
        llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=step, writer=writer)
        assert writer.flush(60)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = llmdebug.Writer(tmp_path, inline=inline)
        # Another way to name the same folder.
        second = llmdebug.Writer(tmp_path / ".", inline=inline, worker=worker)
        for step in range(6):
            log("decoder", step, [first, second][step % 2])
            log(["train", "test"][step % 2], step, [first, second][step % 2])
        first.close()
        second.close()
    assert [writer.status().written for writer in (first, second)] == [12, 12]
    logdir = llmdebug.open_logdir(tmp_path)
    assert not logdir.problems
    assert (logdir.steps(".", "train"), logdir.steps(".", "test")) == ([0, 2, 4], [1, 3, 5])
    assert [step for step, _ in logdir.anomalies(".")] == sorted([*range(6), *range(6)])
    sessions = logdir.sessions(".", "decoder")
    said = [str(warning.message) for warning in caught]
    if worker:
        assert logdir.steps(".", "decoder") == list(range(6)) and said == []
        return
    found = sorted(logdir.steps(".", "decoder", session) for session in sessions)
    assert found == [[0, 2, 4], [1, 3, 5]]
    (sentence,) = said
    assert sentence.startswith("llmdebug: two open writers log 'decoder' into ")
    assert sentence.endswith(": close the first before making the second, or give each its own worker=.")


def test_writers_one_after_the_other_in_one_run_are_not_warned_of(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        writers = [llmdebug.Writer(tmp_path), llmdebug.Writer(tmp_path)]
        for writer in writers:
            with writer:
                assert llmdebug.log_attention("decoder", layers_of(1), step=0)
                write_run(str(tmp_path / "another"), steps=range(1))
    assert not caught
