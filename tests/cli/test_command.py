"""The `llmdebug` command as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tests.data import layers_of, softmax_maps, write_run
from tests.plugin.server import serving

WORDS = [["a", "b", "c", "d", "e", "f"], ["u", "v", "w", "x", "y", "z"]]


def llmdebug_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tb_llmdebug.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def logged(folder: Path) -> Path:
    """Two sessions in run `a`, one of everything in `b/deep`."""
    write_run(str(folder / "a"), steps=range(3), tokens=WORDS)
    write_run(str(folder / "a"), steps=range(2, 4), tokens=WORDS, attention=lambda step: layers_of(1))
    with llmdebug.Writer(folder / "b" / "deep"):
        mask = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])
        llmdebug.log_attention("wrong", (softmax_maps(),), mask=mask, step=5)
        llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=9)
        llmdebug.log_attribution("next", [[1.0, 2.0]], tokens=["a", "b"], method="m", target="t", step=1)
    return folder


def test_an_exported_directory_reads_back_equal(tmp_path: Path) -> None:
    logs, out = logged(tmp_path / "logs"), tmp_path / "out"
    result = llmdebug_command("export", "--inline", logs, out)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"11 records of 2 runs were copied to {out}." in result.stdout  # 3 of them tokens
    before, after = llmdebug.open_logdir(logs), llmdebug.open_logdir(out)
    assert after.runs == before.runs == ["a", "b/deep"]
    old, new = before.sessions("a", "decoder"), after.sessions("a", "decoder")
    assert len(old) == len(new) == 2
    for was, now in zip(old, new, strict=True):
        assert before.steps("a", "decoder", was) == after.steps("a", "decoder", now)
        for step in before.steps("a", "decoder", was):
            one, other = (
                before.attention("a", "decoder", step, was),
                after.attention("a", "decoder", step, now),
            )
            assert one.message == other.message
            assert one.wall_time == other.wall_time
            assert one.example(1).key_tokens == other.example(1).key_tokens
            assert np.array_equal(one.weights(0, 2, 1), other.weights(0, 2, 1))
    assert before.anomalies("b/deep") == after.anomalies("b/deep") != []
    tokens = after.attribution("b/deep", "next", 1).items[0].tokens
    assert tokens is not None and tokens.text == ("a", "b")
    assert after.problems == []


def test_one_run_can_be_exported(tmp_path: Path) -> None:
    logs = logged(tmp_path / "logs")
    assert llmdebug_command("export", "--inline", logs / "a", tmp_path / "out").returncode == 0
    assert llmdebug.open_logdir(tmp_path / "out").steps(".", "decoder") == [2, 3]


def test_tensorflow_and_tensorboard_read_what_was_exported(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    write_run(str(tmp_path / "logs" / "run"), steps=range(3), tokens=WORDS)
    llmdebug_command("export", "--inline", tmp_path / "logs", tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("events*")
    events = list(tf.compat.v1.train.summary_iterator(str(file)))
    assert events[0].file_version == "brain.Event:2"
    values = [value for event in events for value in event.summary.value if value.tag == "decoder"]
    assert [value.metadata.plugin_data.plugin_name for value in values] == ["llmdebug"] * 3
    assert [
        event.step for event in events if event.summary.value and event.summary.value[0].tag == "decoder"
    ] == [0, 1, 2]
    with serving("--logdir", tmp_path / "out") as server:
        assert server.runs_of_tensorboard() == ["run"]
        (run,) = server.index().runs
        assert list(run.series[0].steps) == [0, 1, 2]


def test_a_damaged_record_is_left_out_and_said(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    write_run(str(logs), steps=range(3), attention=lambda step: layers_of(queries=100))
    (file,) = logs.rglob("records.*")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    result = llmdebug_command("check", logs)
    assert result.returncode == 1
    assert "'decoder' at step 1: a record's checksum does not match" in result.stdout
    assert "3 records, 1 problems." in result.stdout
    result = llmdebug_command("export", "--inline", logs, tmp_path / "out")
    assert result.returncode == 1
    assert "a record was left out" in result.stdout
    assert llmdebug.open_logdir(tmp_path / "out").steps(".", "decoder") == [0, 2]


def test_nothing_is_said_about_whole_logs(tmp_path: Path) -> None:
    result = llmdebug_command("check", logged(tmp_path))
    assert (result.returncode, result.stdout, result.stderr) == (0, "8 records, 0 problems.\n", "")


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    logs = logged(tmp_path / "logs")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for arguments, sentence in [
        (("check", tmp_path / "nowhere"), "is no directory"),
        (("check", tmp_path / "empty"), "holds nothing"),
        (("check", "nonsense://logs"), "cannot be read"),
        (("export", "--inline", logs, logs), "exists already"),
        (("export", "--inline", logs, "gs://bucket/out"), "no local directory"),
        (("export", "--inline", logs, tmp_path / "file" / "below"), "Not a directory"),
    ]:
        result = llmdebug_command(*arguments)
        assert result.returncode == 2
        assert sentence in result.stderr and result.stderr.count("\n") == 1, result.stderr
        assert "Traceback" not in result.stderr
    assert llmdebug_command("export", logs, tmp_path / "out").returncode == 2


def test_a_writer_refuses_what_it_cannot_append_to() -> None:
    with pytest.raises(llmdebug.InvalidRecordError, match="log to a local directory"):
        llmdebug.Writer("gs://bucket/logs")
