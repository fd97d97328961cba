"""The writer against real disks: full, read-only, killed."""

from __future__ import annotations

import gc
import inspect
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.writing import files
from tests.data import layers_of, write_run


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_files_stand_below_the_run_and_are_no_event_files_to_tensorboard(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"))
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.parent == tmp_path / "run" / "plugins" / "llmdebug"
    assert "tfevents" not in file.name


def test_inline_writes_an_ordinary_event_file(tmp_path: Path) -> None:
    write_run(str(tmp_path), inline=True)
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.parent == tmp_path
    assert file.name.startswith("events.out.tfevents.")


def test_making_a_writer_touches_no_disk(tmp_path: Path) -> None:
    llmdebug.Writer(tmp_path / "run").close()
    assert list(tmp_path.iterdir()) == []


def test_files_are_rolled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROLL_BYTES", 4096)
    write_run(str(tmp_path), steps=range(20))
    assert len(list(tmp_path.rglob("records.*"))) > 2
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.steps(".", "decoder") == list(range(20))
    assert len(logdir.sessions(".", "decoder")) == 1


def test_the_caller_may_change_its_array_after_the_call(tmp_path: Path) -> None:
    maps = [np.full((1, 1, 4, 4), 0.25, np.float32)]
    with llmdebug.Writer(tmp_path) as writer:
        gate = threading.Event()
        writer.submit(lambda: (gate.wait(10) and []) or [], 0)
        llmdebug.log_attention("decoder", maps, step=0)
        maps[0][:] = 7
        gate.set()
    stored = llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0)
    assert np.all(stored.weights(0, 0) == 0.25)


def test_a_full_queue_drops_the_map_and_keeps_its_statistics(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path, queue_bytes=5000) as writer:
        gate = threading.Event()
        writer.submit(lambda: (gate.wait(10) and []) or [], 5000)
        assert llmdebug.log_attention("decoder", layers_of(), step=0)
        gate.set()
        writer.flush(10)
        assert llmdebug.log_attention("decoder", layers_of(), step=1)
        writer.flush(10)
        assert writer.status().dropped_maps == 1
    logdir = llmdebug.open_logdir(tmp_path)
    dropped = logdir.attention(".", "decoder", 0).record()
    kept = logdir.attention(".", "decoder", 1).record()
    assert (dropped.map_state.name, kept.map_state.name) == ("DROPPED", "FULL")
    assert dropped.layers[0].weights is None
    assert np.array_equal(dropped.layers[0].statistics, kept.layers[0].statistics, equal_nan=True)
    assert "queue was full" in dropped.reduction


def test_waiting_drops_nothing(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path, queue_bytes=1, on_full="wait") as writer:
        for step in range(20):
            llmdebug.log_attention("decoder", layers_of(), step=step)
    assert writer.status() == llmdebug.WriterStatus(written=20)


def test_a_path_that_cannot_be_written_is_counted_and_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with llmdebug.Writer(tmp_path / "file" / "run") as writer:
            for step in range(5):
                assert llmdebug.log_attention("decoder", layers_of(), step=step)
            writer.flush(10)
    assert writer.status().lost_records == 5
    assert "Not a directory" in writer.status().last_error
    assert len([w for w in caught if "was lost" in str(w.message)]) == 1


@pytest.mark.parametrize("inline", [False, True])
def test_a_full_disk_neither_raises_nor_leaves_half_a_record(tmp_path: Path, inline: bool) -> None:
    """A limit of the size of files needs no privilege, as the real disk of test_full_disk.py does."""
    code = """
        import resource, signal, sys, warnings
        import numpy as np, tb_llmdebug as llmdebug
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
        maps = np.random.default_rng(0).random((2, 1, 2, 32, 32)).astype("f4")
        with llmdebug.Writer(sys.argv[1], inline=sys.argv[2] == "True") as writer:
            for step in range(20):
                assert llmdebug.log_attention("decoder", tuple(maps), step=step)
                writer.flush()
            full = writer.status()
            assert "File too large" in full.last_error, full
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            llmdebug.log_attention("decoder", tuple(maps), step=99)
        print(full.written, full.lost_records)
    """
    result = run_python(code, str(tmp_path), str(inline))
    assert result.returncode == 0, result.stderr
    written, lost = map(int, result.stdout.split())
    assert written > 0 and lost > 0 and written + lost == 20
    logdir = llmdebug.open_logdir(tmp_path)
    steps = logdir.steps(".", "decoder")
    assert steps == [*range(written), 99]
    assert logdir.problems == []
    for step in steps:
        logdir.attention(".", "decoder", step).record()
    told = [anomaly.observed for _, anomaly in logdir.anomalies(".") if anomaly.rule == "log.records_lost"]
    assert told == [lost]


def test_killing_the_process_after_flush_loses_nothing(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        import numpy as np, tb_llmdebug as llmdebug
        maps = (np.full((1, 2, 8, 8), 1 / 8, np.float32),)
        writer = llmdebug.Writer(sys.argv[1])
        for step in range(30):
            llmdebug.log_attention("decoder", maps, step=step, writer=writer)
        assert writer.flush(30)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code, str(tmp_path)).returncode == -signal.SIGKILL
    assert llmdebug.open_logdir(tmp_path).steps(".", "decoder") == list(range(30))


def test_the_end_of_the_process_writes_what_is_queued(tmp_path: Path) -> None:
    code = """
        import sys
        import numpy as np, tb_llmdebug as llmdebug
        writer = llmdebug.Writer(sys.argv[1])
        for step in range(30):
            llmdebug.log_attention("d", (np.full((1, 8, 64, 64), 1 / 64, "f4"),), step=step, writer=writer)
    """
    result = run_python(code, str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert llmdebug.open_logdir(tmp_path).steps(".", "d") == list(range(30))


def test_a_closed_writer_takes_nothing_and_says_so_once(tmp_path: Path) -> None:
    writer = llmdebug.Writer(tmp_path)
    writer.close()
    writer.close()
    with pytest.warns(RuntimeWarning, match="is closed: make a new one") as caught:
        assert not llmdebug.log_attention("decoder", layers_of(), step=0, writer=writer)
        assert not llmdebug.log_attention("decoder", layers_of(), step=1, writer=writer)
    assert len(caught) == 1


def test_warnings_as_errors_do_not_reach_the_training_loop(tmp_path: Path) -> None:
    writer = llmdebug.Writer(tmp_path)
    writer.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not llmdebug.log_attention("decoder", layers_of(), step=0, writer=writer)


def test_every_text_goes_through_redact(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path, redact=lambda text: text.replace("Ada", "***")):
        tokens = ["Ada", "Ada", "Lovelace", "x", "y", "z"]
        llmdebug.log_attention("decoder", layers_of(), tokens=[tokens, tokens], step=0)
        llmdebug.log_attribution("next", [1.0], tokens=["Ada"], target="Ada", method="m", step=0)
        llmdebug.log_anomaly("loss", "Ada again", why="Ada", advice="Ada", rule="r", step=0)
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Ada" not in data
    assert b"Lovelace" in data


def test_a_redact_that_fails_stores_nothing(tmp_path: Path) -> None:
    def fail(text: str) -> str:
        raise ValueError("no")

    with pytest.warns(RuntimeWarning, match="was lost"):
        with llmdebug.Writer(tmp_path, redact=fail) as writer:
            llmdebug.log_anomaly("loss", "secret", rule="r", step=0)
    assert writer.status().lost_records == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_tokens_whose_record_was_lost_are_stored_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    tokens = [["a", "b", "c", "d", "e", "f"]] * 2
    with llmdebug.Writer(tmp_path / "run") as writer, pytest.warns(RuntimeWarning, match="was lost"):
        llmdebug.log_attention("decoder", layers_of(), tokens=tokens, step=0)
        writer.flush()
        (tmp_path / "run").unlink()
        llmdebug.log_attention("decoder", layers_of(), tokens=tokens, step=1)
    stored = llmdebug.open_logdir(tmp_path).attention("run", "decoder", 1)
    assert stored.example(0).key_tokens.text == tuple(tokens[0])


def test_tokens_are_stored_once(tmp_path: Path) -> None:
    tokens = [["a very particular token", "b", "c", "d", "e", "f"]] * 2
    write_run(str(tmp_path), steps=range(10), tokens=tokens)
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert data.count(b"a very particular token") == 1


@pytest.mark.parametrize("arguments", [{"on_full": "block"}, {"queue_bytes": 0}])
def test_mistaken_arguments_are_refused(arguments: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(llmdebug.InvalidRecordError):
        llmdebug.Writer(tmp_path, **arguments)  # type: ignore[arg-type]


def test_an_exit_inside_redact_does_not_end_the_thread(tmp_path: Path) -> None:
    def leave(text: str) -> str:
        sys.exit(1)

    writer = llmdebug.Writer(tmp_path, redact=leave)
    with pytest.warns(RuntimeWarning, match="was lost"):
        llmdebug.log_anomaly("loss", "text", rule="r", step=0, writer=writer)
        assert writer.flush(10)
    assert writer.status().lost_records == 1


def test_a_thread_that_cannot_start_is_a_lost_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    writer = llmdebug.Writer(tmp_path)
    with pytest.warns(RuntimeWarning, match="can't start new thread"):
        assert not llmdebug.log_anomaly("loss", "text", rule="r", step=0, writer=writer)
    assert writer.flush(1)


def test_flush_does_not_wait_for_what_comes_after_it(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path) as writer:
        gate = threading.Event()
        llmdebug.log_attention("decoder", layers_of(), step=0)
        flushed = threading.Thread(target=writer.flush)
        flushed.start()
        writer.submit(lambda: (gate.wait(30) and []) or [], 0)
        flushed.join(10)
        assert not flushed.is_alive()
        gate.set()


def test_a_forgotten_writer_leaves_neither_thread_nor_file(tmp_path: Path) -> None:
    threads, files_open = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for number in range(10):
        writer = llmdebug.Writer(tmp_path / str(number))
        llmdebug.log_anomaly("loss", "text", rule="r", step=0, writer=writer)
        writer.flush()
        del writer
    gc.collect()
    for _ in range(100):
        if threading.active_count() == threads:
            break
        time.sleep(0.05)
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) <= files_open


def test_a_run_that_was_deleted_while_written_starts_anew(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path / "run") as writer:
        llmdebug.log_attention("decoder", layers_of(), step=0)
        writer.flush()
        shutil.rmtree(tmp_path / "run")
        llmdebug.log_attention("decoder", layers_of(), step=1)
    assert llmdebug.open_logdir(tmp_path).steps("run", "decoder") == [1]


def test_after_a_fork_the_child_logs_nothing_and_does_not_hang(tmp_path: Path) -> None:
    code = """
        import os, sys, warnings
        import tb_llmdebug as llmdebug
        writer = llmdebug.Writer(sys.argv[1])
        llmdebug.log_anomaly("a", "parent", rule="r", step=0, writer=writer)
        warnings.simplefilter("ignore")
        if os.fork() == 0:
            os._exit(int(llmdebug.log_anomaly("a", "child", rule="r", step=1, writer=writer)))
        _, status = os.wait()
        writer.close()
        print(status)
    """
    result = run_python(code, str(tmp_path))
    assert result.stdout.split() == ["0"], result.stderr
    assert [step for step, _ in llmdebug.open_logdir(tmp_path).anomalies(".")] == [0]


@pytest.mark.parametrize("end", ["flush", "close", "with", "exit", "collect"])
def test_the_child_of_a_fork_ends_at_once_while_a_job_of_its_parent_waits(tmp_path: Path, end: str) -> None:
    code = """
        import gc, os, sys, threading, warnings
        import tb_llmdebug as llmdebug
        go = threading.Event()
        writer = llmdebug.Writer(sys.argv[1], redact=lambda text: text if go.wait() else "")
        scope = writer.__enter__()
        llmdebug.log_anomaly("a", "waits", rule="r", step=0)
        llmdebug.log_anomaly("a", "behind it", rule="r", step=1)
        # Held by the thread that does not come along.
        writer._worker._changed.acquire()
        warnings.simplefilter("ignore")
        child = os.fork()
        if child == 0:
            end = sys.argv[2]
            if end == "flush": assert writer.flush()
            if end == "close": writer.close()
            if end == "with": writer.__exit__(None, None, None)
            if end == "exit": sys.exit(0)
            if end == "collect":
                scope = writer.__exit__(None, None, None)
                del writer
                gc.collect()
            os._exit(0)
        writer._worker._changed.release()
        for _ in range(100):
            done, status = os.waitpid(child, os.WNOHANG)
            if done: break
            threading.Event().wait(0.1)
        else:
            os.kill(child, 9)
            status = "hung"
        go.set()
        writer.close()
        print(status)
    """
    result = run_python(code, str(tmp_path), end)
    assert result.stdout.split() == ["0"], result.stderr
    assert [step for step, _ in llmdebug.open_logdir(tmp_path).anomalies(".")] == [0, 1]


def test_files_and_queue_end_where_the_documentation_says(tmp_path: Path) -> None:
    assert inspect.signature(llmdebug.Writer).parameters["queue_bytes"].default == 256 << 20
    assert files.ROLL_BYTES == 64 << 20


def test_event_files_of_one_second_sort_as_they_were_begun(tmp_path: Path) -> None:
    for step in range(6):
        with llmdebug.Writer(tmp_path, inline=True):
            llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=step)
    files = sorted(tmp_path.iterdir())
    steps = [llmdebug.open_logdir(_alone(file, tmp_path)).anomalies(".")[0][0] for file in files]
    assert steps == list(range(6))


def _alone(file: Path, folder: Path) -> Path:
    """Return a folder that holds just this file."""
    alone = folder.parent / f"{folder.name}-{file.name}"
    alone.mkdir()
    file.rename(alone / file.name)
    return alone


@pytest.mark.parametrize("logdir", [None, 3, b"logs"])
def test_what_is_no_directory_is_refused(logdir: Any) -> None:
    with pytest.raises(llmdebug.InvalidRecordError, match=r"^logdir is .*: give the run's directory"):
        llmdebug.Writer(logdir)


def test_a_writer_says_where_it_writes_and_how_much(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path) as writer:
        llmdebug.log_anomaly("loss", "It jumped.", rule="r", step=0)
        assert writer.flush(60)
        assert repr(writer) == f"<Writer '{tmp_path}': 1 written, 0 lost>"
    assert repr(writer) == f"<Writer '{tmp_path}': 1 written, 0 lost, closed>"
