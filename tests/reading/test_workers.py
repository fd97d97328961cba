"""Several processes that log into one run."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import answers
from tb_llmdebug.reading.workers import Span, together
from tests.data import layers_of

RANKS = """
import sys, time
import numpy as np
import tb_llmdebug as llmdebug
rank, folder = int(sys.argv[1]), sys.argv[2]
with llmdebug.Writer(folder, worker=rank) as writer:
    llmdebug.log_anomaly("ready", "It is.", rule="r", step=0)
    writer.flush()
    print("ready", flush=True)
    sys.stdin.readline()  # until all are there
    for step in range(rank, 12, 3):
        maps = np.full((1, 1, 2, 2), rank / 8, np.float32)
        llmdebug.log_attention("decoder", (maps,), step=step)
"""


def run_ranks(folder: Path) -> None:
    """Log from three processes at the same time."""
    command = [sys.executable, "-c", RANKS]
    ranks = [
        subprocess.Popen(
            [*command, str(rank), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for rank in range(3)
    ]
    for process in ranks:
        assert process.stdout.readline() == "ready\n"
    for process in ranks:
        process.communicate("go\n", timeout=60)
        assert process.returncode == 0


def test_workers_of_one_run_are_one_series_by_step(tmp_path: Path) -> None:
    run_ranks(tmp_path / "run")
    logdir = llmdebug.open_logdir(tmp_path)
    assert len(logdir.sessions("run", "decoder")) == 1
    assert logdir.steps("run", "decoder") == list(range(12))
    assert logdir.workers("run", "decoder") == [0, 1, 2] * 4
    for step in range(12):
        weights = logdir.attention("run", "decoder", step).weights(0, 0)
        assert np.all(weights == np.float32(step % 3 / 8))
    (shown,) = answers.index(logdir.index, scanning=False).runs
    series = {one.name: one for one in shown.series}
    assert list(series["decoder"].workers) == [0, 1, 2] * 4
    assert list(series["decoder"].steps) == list(range(12))
    (group,) = [g for g in answers.anomalies(logdir.index).groups if g.name == "ready"]
    assert (group.series, list(group.ordinals)) == (series["ready"].id, [0, 1, 2])
    found = logdir.index.series(series["decoder"].id)
    assert [found.entries[i].worker for i in range(12)] == [0, 1, 2] * 4


def test_a_restarted_run_of_workers_shows_the_newest(tmp_path: Path) -> None:
    run_ranks(tmp_path)
    run_ranks(tmp_path)
    logdir = llmdebug.open_logdir(tmp_path)
    older, newer = logdir.sessions(".", "decoder")
    assert logdir.steps(".", "decoder") == list(range(12))
    assert logdir.workers(".", "decoder", older) == [0, 1, 2] * 4
    (shown,) = answers.index(logdir.index, scanning=False).runs
    assert [(one.session, one.newest) for one in shown.series if one.name == "decoder"] == [
        (older, False),
        (newer, True),
    ]


def test_a_record_keeps_its_place_while_workers_go_on(tmp_path: Path) -> None:
    logdir = llmdebug.open_logdir(tmp_path)
    seen: list[tuple[str, list[int]]] = []
    with llmdebug.Writer(tmp_path, worker=0) as first, llmdebug.Writer(tmp_path, worker=1) as second:
        for step in range(3):
            for number, writer in ((0, first), (1, second)):
                llmdebug.log_attention("decoder", layers_of(1), step=10 * step + number, writer=writer)
                writer.flush()
                logdir.refresh()
                (series,) = logdir.index.run(".").all_series()
                seen.append((series.id, series.entries.steps().tolist()))
    merged = seen[1:]
    assert len({series_id for series_id, _ in merged}) == 1
    for (_, before), (_, after) in itertools.pairwise(merged):
        assert after[: len(before)] == before
    assert merged[-1][1] == [0, 1, 10, 11, 20, 21]
    assert logdir.index.series(seen[0][0]) is None  # what was cached under it is not shown for another
    assert logdir.index.series(merged[0][0]) is not None


def test_which_sessions_belong_together() -> None:
    one_launch = [Span("a", 0, 0, 9), Span("b", 1, 1, 8), Span("c", 2, 9, 12)]
    assert together(one_launch) == [["a", "b", "c"]]
    restarted = [Span("d", 0, 20, 29), Span("e", 1, 20, 28)]
    assert together([*restarted, *one_launch]) == [["a", "b", "c"], ["d", "e"]]
    one_worker_restarted = [Span("a", 0, 0, 9), Span("b", 1, 0, 3), Span("c", 1, 5, 9)]
    assert together(one_worker_restarted) == [["a", "b", "c"]]
    old_writes_its_last = [
        Span("a", 0, 0, 9),
        Span("b", 1, 0, 12),
        Span("c", 0, 11, 20),
        Span("d", 1, 13, 20),
    ]
    assert together(old_writes_its_last) == [["a", "b"], ["c", "d"]]
    late_of_three = [*old_writes_its_last, Span("e", 2, 0, 8), Span("f", 2, 12, 20)]
    assert together(late_of_three) == [["a", "b", "e"], ["c", "f", "d"]]
    two_of_one_worker = [Span("a", 0, 0, 9), Span("b", 0, 1, 8)]
    assert together(two_of_one_worker) == [["a"], ["b"]]


def test_a_worker_has_a_number() -> None:
    with pytest.raises(llmdebug.InvalidRecordError, match="worker is -1"):
        llmdebug.Writer("anywhere", worker=-1)
