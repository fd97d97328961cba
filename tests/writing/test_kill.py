"""`kill -9` without `flush()`: what was logged a second ago is there."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import tb_llmdebug as llmdebug

CODE = """
    import signal, sys
    import numpy as np, tb_llmdebug as llmdebug
    maps = np.full((4, 1, 8, 128, 128), 1 / 128, np.float32)
    writer = llmdebug.Writer(sys.argv[1], inline=sys.argv[2] == "inline")
    for step in range(5):
        llmdebug.log_attention("decoder", tuple(maps), step=step, writer=writer)
    llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=5, writer=writer)
    print("logged", flush=True)
    signal.pause()  # the loop goes quiet: nothing comes that could push the records out
"""


@pytest.mark.parametrize("kind", ["files", "inline"])
def test_a_second_after_the_call_a_record_survives_without_flush(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CODE), str(tmp_path), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        time.sleep(1)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == [0, 1, 2, 3, 4]
    assert [step for step, _ in logdir.anomalies(".")] == [5]
    assert logdir.problems == []
