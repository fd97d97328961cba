"""What could not be written is told in the log itself, once per burst."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.writing.losses import RULE
from tests.data import layers_of

pytestmark = pytest.mark.filterwarnings("ignore:llmdebug")


def losses(logdir: Path) -> list[tuple[int, llmdebug.Anomaly]]:
    found = llmdebug.open_logdir(logdir).anomalies("run")
    return [(step, anomaly) for step, anomaly in found if anomaly.rule == RULE]


def log(writer: llmdebug.Writer, *steps: int) -> None:
    for step in steps:
        assert llmdebug.log_attention("decoder", layers_of(), step=step, writer=writer)
    assert writer.flush(10)


def test_each_burst_of_losses_is_one_anomaly_where_it_began(tmp_path: Path) -> None:
    blocked = tmp_path / "run"
    blocked.write_text("in the way")
    with llmdebug.Writer(blocked) as writer:
        log(writer, 10, 11, 12)
        blocked.unlink()
        log(writer, 13, 14)
        blocked.rename(tmp_path / "first")
        writer._files.close()
        blocked.write_text("in the way again")
        log(writer, 15)
        blocked.unlink()
        (tmp_path / "first").rename(blocked)
        log(writer, 16)
    assert [(step, anomaly.observed) for step, anomaly in losses(tmp_path)] == [(10, 3.0), (15, 1.0)]
    assert (
        losses(tmp_path)[0][1].message == "3 records from this step on could not be written: Not a directory."
    )
    assert writer.status().lost_records == 4 and writer.status().written == 3


def test_losses_at_the_end_of_training_are_told_when_the_writer_is_closed(tmp_path: Path) -> None:
    blocked = tmp_path / "run"
    blocked.write_text("in the way")
    writer = llmdebug.Writer(blocked)
    log(writer, 1, 2)
    blocked.unlink()
    writer.close()
    ((step, anomaly),) = losses(tmp_path)
    assert (step, anomaly.observed) == (1, 2.0)


def test_the_reason_quotes_nothing_that_was_to_be_redacted(tmp_path: Path) -> None:
    def redact(text: str) -> str:
        if text == "my secret":
            raise ValueError(f"cannot redact {text}")
        return text

    with llmdebug.Writer(tmp_path / "run", redact=redact) as writer:
        llmdebug.log_anomaly("loss", "my secret", rule="r", step=4)
        llmdebug.log_anomaly("loss", "harmless", rule="r", step=5)
    assert writer.status().lost_records == 1
    ((step, anomaly),) = losses(tmp_path)
    assert (step, anomaly.message) == (4, "1 record from this step on could not be written: ValueError.")
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.rglob("records.*"))


def test_a_loss_that_cannot_be_told_yet_is_told_with_the_next_record(tmp_path: Path) -> None:
    failures = ["my secret", "1 record from this step on could not be written: ValueError."]

    def redact(text: str) -> str:
        if text in failures:
            failures.remove(text)
            raise ValueError
        return text

    with llmdebug.Writer(tmp_path / "run", redact=redact) as writer:
        for step, text in [(4, "my secret"), (5, "harmless"), (6, "harmless")]:
            llmdebug.log_anomaly("loss", text, rule="r", step=step)
    assert [(step, anomaly.observed) for step, anomaly in losses(tmp_path)] == [(4, 1.0)]
    assert writer.status().lost_records == 1


def test_a_redact_that_always_fails_ends_in_no_loop(tmp_path: Path) -> None:
    def fail(text: str) -> str:
        raise ValueError

    with llmdebug.Writer(tmp_path / "run", redact=fail) as writer:
        for step in range(3):
            llmdebug.log_anomaly("loss", "text", rule="r", step=step)
    assert writer.status() == llmdebug.WriterStatus(lost_records=3, last_error="ValueError: ")


def test_a_disk_that_has_room_again_says_what_was_lost(tmp_path: Path) -> None:
    code = """
        import resource, signal, sys, warnings
        import numpy as np, tb_llmdebug as llmdebug
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        maps = np.random.default_rng(0).random((1, 2, 32, 32)).astype("f4")
        with llmdebug.Writer(sys.argv[1]) as writer:
            for step in range(20):
                llmdebug.log_attention("decoder", (maps,), step=step)
            writer.flush()
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            llmdebug.log_attention("decoder", (maps,), step=20)
        print(writer.status().lost_records)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "run")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lost = int(result.stdout)
    assert lost > 0
    steps = llmdebug.open_logdir(tmp_path).steps("run", "decoder")
    assert len(steps) == 21 - lost
    # A small record, such as this anomaly, may still find room where no map does: the sum is what counts.
    assert sum(anomaly.observed or 0 for _, anomaly in losses(tmp_path)) == lost
    assert losses(tmp_path)[0][0] == min(set(range(21)) - set(steps))


def test_half_a_record_that_cannot_be_taken_off_again_ends_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full and refuses to truncate cannot be had here, so its calls are replaced."""
    write, full = os.write, [False]

    def write_half(file: int, data: bytes) -> int:
        if not full[0]:
            return write(file, data)
        write(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse(file: int, size: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "write", write_half)
    monkeypatch.setattr(os, "ftruncate", refuse)
    with llmdebug.Writer(tmp_path / "run") as writer:
        log(writer, 0, 1)
        full[0] = True
        log(writer, 2)
        full[0] = False
        log(writer, 3, 4)
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps("run", "decoder") == [0, 1, 3, 4]
    assert [(step, anomaly.observed) for step, anomaly in losses(tmp_path)] == [(2, 1.0)]
    assert len(list(tmp_path.rglob("records.*"))) == 2
