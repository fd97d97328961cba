"""A disk that is really full: a small tmpfs, where this process may mount one.

Elsewhere a disk is full for one file only: `test_a_full_disk_neither_raises_nor_leaves_half_a_record`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if shutil.which("mount") is None:
        pytest.skip("no file system may be mounted here: there is no mount program")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


@pytest.mark.parametrize("inline", [False, True])
def test_training_goes_on_over_a_full_disk_and_logging_once_there_is_room(
    small_disk: Path, inline: bool
) -> None:
    noise = np.random.default_rng(0).random((1, 4, 128, 128), np.float32)  # 130 kB compressed
    with pytest.warns(RuntimeWarning, match="was lost"):
        with llmdebug.Writer(small_disk, inline=inline) as writer:
            for step in range(20):
                llmdebug.log_attention("probe", (noise,), step=step)
            writer.flush(60)
            lost = writer.status().lost_records
            assert 5 < lost < 20 and "No space left" in writer.status().last_error
            full = llmdebug.open_logdir(small_disk)
            kept = full.steps(".", "probe")
            assert kept == list(range(20 - lost)) and not full.problems
            # Somebody makes room.
            subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
            assert llmdebug.log_attention("probe", (noise,), step=99)
            writer.flush(60)
            assert writer.status().lost_records == lost
    found = llmdebug.open_logdir(small_disk)
    assert found.steps(".", "probe") == [*kept, 99]
    assert found.attention(".", "probe", step=99).weights(0, 3).shape == (128, 128)
    told = [anomaly for _, anomaly in found.anomalies(".") if anomaly.rule == "log.records_lost"]
    assert [anomaly.observed for anomaly in told] == [lost]
    assert os.statvfs(small_disk).f_bavail > 0
