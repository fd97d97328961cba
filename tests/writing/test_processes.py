"""Two processes that log into one run at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug

STEPS = 40
# Each says that it is ready and begins when it is told to, so that both write at once.
LOG = """
import sys
import numpy as np
import tb_llmdebug as llmdebug

folder, name, share, inline = sys.argv[1:]
with llmdebug.Writer(folder, inline=inline == "True", on_full="wait"):
    print("ready", flush=True)
    sys.stdin.readline()
    for step in range({steps}):
        maps = np.full((1, 2, 8, 8), 1 / 8, np.float32)
        maps[..., 0], maps[..., 1] = float(share) + step / 1000, 1 / 4 - float(share) - step / 1000
        llmdebug.log_attention(name, [maps], tokens=[list("abcdefgh")], step=step, precision="f16")
"""


def log_at_once(folder: Path, names: list[str], inline: bool) -> None:
    shares = ["0.01", "0.02"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOG.format(steps=STEPS), str(folder), name, share, str(inline)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, share in zip(names, shares, strict=True)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait() for process in processes] == [0, 0]


def first_shares(logdir: llmdebug.LogDir, name: str, session: str | None = None) -> list[float]:
    steps = logdir.steps(".", name, session)
    assert steps == list(range(STEPS))
    return [
        float(logdir.attention(".", name, step, session).weights(layer=0, head=1, example=0)[5, 0])
        for step in steps
    ]


def expected(share: float) -> np.ndarray:
    return share + np.arange(STEPS) / 1000


@pytest.mark.parametrize("inline", [False, True])
def test_what_two_processes_log_under_names_of_their_own_is_all_there(inline, tmp_path: Path) -> None:
    log_at_once(tmp_path, ["one", "other"], inline)
    logdir = llmdebug.open_logdir(tmp_path)
    assert not logdir.problems
    for name, share in (("one", 0.01), ("other", 0.02)):
        np.testing.assert_allclose(first_shares(logdir, name), expected(share), atol=1e-4)


def test_under_one_name_each_process_is_a_session_of_its_own(tmp_path: Path) -> None:
    log_at_once(tmp_path, ["decoder", "decoder"], False)
    logdir = llmdebug.open_logdir(tmp_path)
    sessions = logdir.sessions(".", "decoder")
    found = sorted(first_shares(logdir, "decoder", session) for session in sessions)
    np.testing.assert_allclose(found, [expected(0.01), expected(0.02)], atol=1e-4)
