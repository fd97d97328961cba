"""A queue that is full: the caller goes on, statistics are kept, nothing grows without bound."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.records import AnomalyRecord
from tests.data import layers_of

MAPS = layers_of()
NBYTES = sum(layer.nbytes for layer in MAPS)


@contextmanager
def stuck(writer: llmdebug.Writer, nbytes: int = 0) -> Iterator[None]:
    """Hold the background thread, and `nbytes` of its queue, inside the block."""
    gate, begun = threading.Event(), threading.Event()

    def wait() -> list[AnomalyRecord]:
        begun.set()
        gate.wait(60)
        return []

    writer.submit(wait, nbytes)
    assert begun.wait(10)
    try:
        yield
    finally:
        gate.set()


def states(logdir: Path) -> dict[int, str]:
    run = llmdebug.open_logdir(logdir)
    return {
        step: run.attention(".", "decoder", step).record().map_state.name
        for step in run.steps(".", "decoder")
    }


def test_a_dropped_maps_statistics_are_left_to_the_background_while_a_quarter_more_lasts(
    tmp_path: Path,
) -> None:
    with llmdebug.Writer(tmp_path, queue_bytes=4 * NBYTES) as writer:
        made_by: list[str] = []

        def build() -> list[AnomalyRecord]:
            made_by.append(threading.current_thread().name)
            return []

        with stuck(writer, 4 * NBYTES):
            assert writer.submit(build, NBYTES, build)
            assert made_by == []
            assert writer.submit(build, NBYTES, build)
            assert made_by == [threading.current_thread().name]
        writer.flush(10)
        assert made_by[1:] == ["llmdebug-writer"]
        assert writer.status().dropped_maps == 2


def test_every_step_is_kept_whether_its_map_is_or_not(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path, queue_bytes=4 * NBYTES) as writer:
        with stuck(writer, 2 * NBYTES):
            for step in range(8):
                assert llmdebug.log_attention("decoder", MAPS, step=step)
        writer.flush(10)
        llmdebug.log_attention("decoder", MAPS, step=8)
    dropped = writer.status().dropped_maps
    found = states(tmp_path)
    assert sorted(found) == list(range(9))
    assert list(found.values()).count("DROPPED") == dropped == 6
    assert {found[step] for step in (0, 1, 8)} == {"FULL"}
    run = llmdebug.open_logdir(tmp_path)
    for step in range(1, 9):
        statistics = run.attention(".", "decoder", step).record().layers[0].statistics
        first = run.attention(".", "decoder", 0).record().layers[0].statistics
        assert np.array_equal(statistics, first, equal_nan=True)


def test_waiting_for_room_ends_when_the_writer_is_closed(tmp_path: Path) -> None:
    writer = llmdebug.Writer(tmp_path, queue_bytes=1, on_full="wait")
    accepted: list[bool] = []
    with stuck(writer, 1):
        caller = threading.Thread(
            target=lambda: accepted.append(llmdebug.log_attention("decoder", MAPS, step=0, writer=writer))
        )
        caller.start()
        time.sleep(0.05)
        writer.close(0)
        caller.join(10)
        assert accepted == [False]


def test_close_with_a_timeout_comes_back_and_what_is_queued_is_still_written(tmp_path: Path) -> None:
    writer = llmdebug.Writer(tmp_path)
    with stuck(writer):
        assert llmdebug.log_attention("decoder", MAPS, step=0, writer=writer)
        writer.close(0.05)
        assert not writer.flush(0.05)
    assert writer.flush(10)
    assert states(tmp_path) == {0: "FULL"}


def test_flush_says_that_it_was_not_in_time(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path) as writer:
        with stuck(writer):
            assert not writer.flush(0.01)
        assert writer.flush(10)


def test_the_memory_of_a_map_is_free_once_it_is_written(tmp_path: Path) -> None:
    class Arrays(list[AnomalyRecord]):
        pass

    arrays = Arrays()
    alive = weakref.ref(arrays)
    with llmdebug.Writer(tmp_path) as writer:
        with stuck(writer):
            writer.submit(lambda arrays=arrays: arrays, NBYTES)  # type: ignore[misc]
            del arrays
            assert alive() is not None
        assert writer.flush(10)
        assert alive() is None


def test_status_counts_what_many_threads_log(tmp_path: Path) -> None:
    def work(writer: llmdebug.Writer, number: int) -> None:
        for step in range(100):
            llmdebug.log_anomaly(f"thread {number}", "text", rule="r", step=step, writer=writer)
            writer.status()

    with llmdebug.Writer(tmp_path) as writer:
        threads = [threading.Thread(target=work, args=(writer, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert writer.flush(30)
        assert writer.status() == llmdebug.WriterStatus(written=800)
    assert len(llmdebug.open_logdir(tmp_path).anomalies(".")) == 800


@pytest.mark.parametrize("inline", [False, True])
def test_only_files_of_our_own_are_rolled(
    inline: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorBoard follows one event file of a run: a second one would end what it sees of the first."""
    monkeypatch.setattr("tb_llmdebug.writing.files.ROLL_BYTES", 4096)
    with llmdebug.Writer(tmp_path, inline=inline):
        for step in range(20):
            llmdebug.log_attention("decoder", MAPS, step=step)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (len(files) == 1) == inline
    assert llmdebug.open_logdir(tmp_path).steps(".", "decoder") == list(range(20))
