"""A disk that is slower than the training: writes that take their time, below Python where that can be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tb_llmdebug as llmdebug
from tests.writing import slow_disk


@pytest.fixture(params=["below Python", "in Python"])
def slow_writes(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a process in which writes to record files are slow."""
    if request.param == "in Python":
        return {slow_disk.SLOW_WRITES: "1"}
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux":
        pytest.skip("a library that slows writes down can be put before the system's on Linux only")
    if compiler is None:
        pytest.skip("no C compiler makes the library that slows writes down")
    library = tmp_path / "slow_write.so"
    source = Path(__file__).with_name("slow_write.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def test_the_loop_does_not_wait_for_a_slow_disk_and_every_step_is_there(
    tmp_path: Path, slow_writes: dict[str, str]
) -> None:
    logdir = tmp_path / "run"
    environment = {**os.environ, **slow_writes, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, slow_disk.__file__, str(logdir)],
        capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # Had the calls waited, all but the last few would have been written by then.
    assert all(found["accepted"]) and found["meanwhile"] < slow_disk.STEPS / 4
    assert found["dropped"] > 0 and found["lost"] == 0
    run = llmdebug.open_logdir(logdir)
    assert run.steps(".", "decoder") == list(range(slow_disk.STEPS))
    records = [run.attention(".", "decoder", step).record() for step in range(slow_disk.STEPS)]
    assert [record.map_state.name for record in records].count("DROPPED") == found["dropped"]
    assert all(record.layers[0].statistics.shape[:2] == (1, 4) for record in records)
