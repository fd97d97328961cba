"""Files that come, go, are replaced, or are none; and directories that are links."""

from __future__ import annotations

import mmap
import os
import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.wire.errors import DamagedRecordError
from tests.data import layers_of, write_run

EVENTS = "events.out.tfevents.1700000000.host.1.x"


def event_file(folder: Path, *, steps: range, seed: int = 0) -> bytes:
    """Return the bytes of an ordinary event file with records of ours."""
    with llmdebug.Writer(folder, inline=True):
        for step in steps:
            llmdebug.log_attention("decoder", layers_of(1, queries=6 + seed), step=step)
    (file,) = folder.glob("events*")
    return file.read_bytes()


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("steps", [range(1), range(3), range(9)], ids=["shorter", "as long", "longer"])
def test_a_replaced_file_is_read_anew_in_the_same_refresh(
    tmp_path: Path, steps: range, in_place: bool
) -> None:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    (run / EVENTS).write_bytes(event_file(tmp_path / "old", steps=range(3)))
    new = event_file(tmp_path / "new", steps=steps, seed=1)
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    before = logdir.attention("run", "decoder", 0)
    if in_place:
        (run / EVENTS).write_bytes(new)
    else:
        (tmp_path / "other").write_bytes(new)
        (tmp_path / "other").replace(run / EVENTS)
    logdir.refresh()
    assert logdir.runs == ["run"]
    assert logdir.steps("run", "decoder") == list(steps)
    assert before.weights(0, 0).shape == (6, 6)
    assert logdir.attention("run", "decoder", 0).weights(0, 0).shape == (7, 7)
    assert logdir.problems == []


def test_a_new_file_under_the_number_of_the_old_one_is_known(tmp_path: Path) -> None:
    data = event_file(tmp_path / "logs", steps=range(3))
    (file,) = (tmp_path / "logs").iterdir()
    new = event_file(tmp_path / "new", steps=range(5, 12), seed=1)
    assert len(new) > len(data)
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    with file.open("r+b") as same:  # the same inode, and longer than before
        same.write(new)
    logdir.refresh()
    assert logdir.steps(".", "decoder") == list(range(5, 12))


def test_what_was_found_in_a_file_that_is_another_now_is_not_shown(tmp_path: Path) -> None:
    event_file(tmp_path / "logs", steps=range(2))
    (file,) = (tmp_path / "logs").iterdir()
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    shutil.copy(file, tmp_path / "copy")
    (tmp_path / "copy").replace(file)
    with pytest.raises(DamagedRecordError, match="replaced"):
        logdir.attention(".", "decoder", 0)
    logdir.refresh()
    assert logdir.attention(".", "decoder", 0).has_map


def test_a_run_is_shown_until_it_was_read_anew(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(400), attention=lambda step: layers_of(1))
    extra = tmp_path / "plugins" / "llmdebug" / "records.1.a.1"
    extra.write_bytes(b"")
    logdir = llmdebug.open_logdir(tmp_path)
    extra.unlink()
    seen = []
    refreshing = threading.Thread(target=logdir.refresh)
    refreshing.start()
    while refreshing.is_alive():
        seen.append(len(logdir.steps(".", "decoder")))
    assert set(seen) <= {400}
    assert logdir.steps(".", "decoder") == list(range(400))


def test_a_restarted_run_that_was_deleted_first_shows_only_the_new_one(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(5))
    logdir = llmdebug.open_logdir(tmp_path)
    shutil.rmtree(tmp_path / "run")
    write_run(str(tmp_path / "run"), steps=range(2))
    logdir.refresh()
    assert (logdir.runs, logdir.steps("run", "decoder")) == (["run"], [0, 1])
    assert len(logdir.sessions("run", "decoder")) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are another thing on Windows")
def test_runs_below_a_directory_that_cannot_be_listed_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(str(tmp_path / "group" / "run"), steps=range(2))
    logdir = llmdebug.open_logdir(tmp_path)
    real = os.scandir

    def failing(path: str) -> object:
        # Root may list anything, so the failure of the disk cannot be had otherwise.
        if str(path).endswith("group"):
            raise OSError(5, "Input/output error")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", failing)
        logdir.refresh()
    assert logdir.runs == ["group/run"]
    assert "group cannot be listed" in logdir.problems[0]
    logdir.refresh()
    assert (logdir.runs, logdir.problems) == (["group/run"], [])


@pytest.mark.parametrize("own", [False, True])
def test_a_link_out_of_the_log_directory_is_not_read(tmp_path: Path, own: bool) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(event_file(tmp_path / "made", steps=range(1)))
    folder = tmp_path / "logs" / "run" / "plugins" / "llmdebug" if own else tmp_path / "logs" / "run"
    folder.mkdir(parents=True)
    (folder / ("records.1.a.1" if own else EVENTS)).symlink_to(secret)
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    assert logdir.runs == []
    (problem,) = logdir.problems
    assert "leads out of the log directory" in problem


def test_a_linked_folder_of_records_is_not_read(tmp_path: Path) -> None:
    write_run(str(tmp_path / "elsewhere"), steps=range(1))
    (tmp_path / "logs" / "run" / "plugins").mkdir(parents=True)
    (tmp_path / "logs" / "run" / "plugins" / "llmdebug").symlink_to(
        tmp_path / "elsewhere" / "plugins" / "llmdebug"
    )
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    assert logdir.runs == []
    assert "leads out of the log directory" in logdir.problems[0]


def test_a_link_put_in_the_place_of_a_read_file_is_not_followed(tmp_path: Path) -> None:
    write_run(str(tmp_path / "logs"), steps=range(1))
    (file,) = (tmp_path / "logs").rglob("records.*")
    logdir = llmdebug.open_logdir(tmp_path / "logs")
    (tmp_path / "secret").write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    with pytest.raises(DamagedRecordError, match="leads out"):
        logdir.attention(".", "decoder", 0)


def test_links_to_runs_and_to_files_inside_are_followed(tmp_path: Path) -> None:
    write_run(str(tmp_path / "elsewhere" / "run"), steps=range(2))
    logs = tmp_path / "logs"
    write_run(str(logs / "inside"), steps=range(3), inline=True)
    (file,) = (logs / "inside").iterdir()
    (logs / "linked").mkdir()
    (logs / "linked" / file.name).symlink_to(file)
    (logs / "tree").symlink_to(tmp_path / "elsewhere")
    logdir = llmdebug.open_logdir(logs)
    assert logdir.runs == ["inside", "linked", "tree/run"]
    assert logdir.attention("linked", "decoder", 2).has_map
    assert logdir.attention("tree/run", "decoder", 1).has_map


def test_a_maze_of_links_ends(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"), steps=range(1))
    for depth in range(12):
        folder = tmp_path / f"level{depth}"
        folder.mkdir()
        for name in "abc":
            (folder / name).symlink_to(tmp_path / (f"level{depth + 1}" if depth < 11 else "run"))
    assert "run" in llmdebug.open_logdir(tmp_path).runs


def test_what_is_no_file_is_passed_over_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.out.tfevents.1.fifo")
    (tmp_path / "events.out.tfevents.1.folder").mkdir()
    (tmp_path / "events.out.tfevents.1.device").symlink_to("/dev/zero")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "events.out.tfevents.1.socket"))
    write_run(str(tmp_path), steps=range(1))
    logdir = llmdebug.open_logdir(tmp_path)
    listening.close()
    assert logdir.steps(".", "decoder") == [0]
    assert len(logdir.problems) == 3


def test_names_that_are_no_text_stay_apart(tmp_path: Path) -> None:
    for name in (b"run-\xff", b"run-\xfe", "run-é".encode()):
        folder = os.path.join(os.fsencode(tmp_path), name)
        os.mkdir(folder)
        write_run(os.fsdecode(folder), steps=range(1))
    logdir = llmdebug.open_logdir(tmp_path)
    assert logdir.runs == ["run-\\xfe", "run-\\xff", "run-é"]
    assert all(np.array_equal(logdir.steps(run, "decoder"), [0]) for run in logdir.runs)


def test_a_large_record_is_read_in_pieces_and_verified(tmp_path: Path) -> None:
    maps = tuple(np.random.default_rng(0).random((1, 24, 600, 600), np.float32) for _ in range(1))
    write_run(str(tmp_path), steps=range(1), attention=lambda step: maps, precision="f16")
    (file,) = tmp_path.rglob("records.*")
    assert file.stat().st_size > 9 << 20
    logdir = llmdebug.open_logdir(tmp_path)
    stored = logdir.attention(".", "decoder", 0)
    for head in (0, 11, 23):
        assert np.array_equal(stored.weights(0, head), maps[0][0, head].astype(np.float16))
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    with file.open("r+b") as same:
        same.write(data)
    with pytest.raises(DamagedRecordError, match="checksum"):
        llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0)


@pytest.mark.parametrize(("tokens", "kept_in"), [(8, bytes), (300, mmap.mmap)])
def test_a_record_that_is_not_small_is_held_in_memory_that_goes_back(
    tmp_path: Path, tokens: int, kept_in: type
) -> None:
    maps = np.random.default_rng(0).random((1, 1, tokens, tokens), np.float32)
    write_run(str(tmp_path), steps=range(1), attention=lambda step: (maps,), precision="f16")
    logdir = llmdebug.open_logdir(tmp_path)
    (series,) = (one for run in logdir.index.runs() for one in run.all_series())
    blobs = logdir.payloads.blobs(series.entries[0].location)
    assert all(blob.readonly and isinstance(blob.obj, kept_in) for blob in blobs)
