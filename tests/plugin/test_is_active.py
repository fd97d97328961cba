"""Whether the tab is there: a flag that the scan sets."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest
from tensorboard.plugins import base_plugin

from tb_llmdebug.plugin.plugin import LLMDebugPlugin
from tb_llmdebug.reading.index import Index
from tb_llmdebug.reading.scan import FileScan
from tests.data import write_run


def test_no_lock_of_the_index_is_waited_for(tmp_path: Path) -> None:
    write_run(str(tmp_path / "run"))
    plugin = LLMDebugPlugin(base_plugin.TBContext(logdir=str(tmp_path)))
    for _ in range(300):
        if plugin.is_active():
            break
        time.sleep(0.1)
    index = plugin._logdir.index
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(plugin.is_active()), daemon=True)
    with index._refreshing, index._state, plugin._one_index:
        asking.start()
        asking.join(10)
        assert answers == [True]


def test_a_run_counts_while_the_others_are_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in "ab":
        write_run(str(tmp_path / run))
    index = Index(str(tmp_path))
    flags, read = [], FileScan.batches

    def batches(self: FileScan):
        flags.append(index.holds_runs)
        yield from read(self)

    monkeypatch.setattr(FileScan, "batches", batches)
    index.refresh()
    assert flags == [False, True]


def test_the_flag_says_what_the_index_holds_whatever_becomes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "events.out.tfevents.1.host").touch()
    index = Index(str(tmp_path))

    def refreshed() -> bool:
        index.refresh()
        assert index.holds_runs == bool(index.runs())
        return index.holds_runs

    assert not refreshed()
    with monkeypatch.context() as patched:
        patched.setattr(FileScan, "batches", _unreadable)
        assert refreshed()
        shown = index.generation
    assert not refreshed()
    assert index.generation > shown, "the page would go on showing the problem"
    write_run(str(tmp_path / "run"))
    assert refreshed()
    shutil.rmtree(tmp_path / "run")
    assert not refreshed()


def _unreadable(self: FileScan):
    raise PermissionError("not yours")
