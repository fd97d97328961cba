"""`kill -9` without `flush()`: what was logged reaches the operating system by itself."""

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


def wait_for_quiet(logdir: Path) -> None:
    """Wait until the process has written all that it writes by itself.

    On a machine with time to spare that is well under a second; how long it takes is not what is tested.
    """
    size, since = -1, time.monotonic()
    deadline = since + 60
    while time.monotonic() < min(deadline, since + 3):
        now = sum(path.stat().st_size for path in logdir.rglob("*") if path.is_file())
        if now != size or now == 0:
            size, since = now, time.monotonic()
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["files", "inline"])
def test_a_loop_that_goes_quiet_loses_nothing_that_nobody_flushed(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CODE), str(tmp_path), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        wait_for_quiet(tmp_path)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == [0, 1, 2, 3, 4]
    assert [step for step, _ in logdir.anomalies(".")] == [5]
    assert logdir.problems == []
