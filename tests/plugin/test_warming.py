"""What is made before it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import warming
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.plugin.warming import Warming
from tb_llmdebug.reading.logdir import Logdir
from tests.data import layers_of


class Counted(MapsAnswer):
    """Counts what is asked."""

    def __init__(self, logdir: Logdir) -> None:
        super().__init__(logdir)
        self.asked: list[str] = []

    def answer(self, args: MultiDict[str, str]):  # type: ignore[no-untyped-def]  # as its base
        self.asked.append(args["at"])
        return super().answer(args)


def logs(folder: Path, runs: int, steps: int) -> Logdir:
    for run in range(runs):
        with llmdebug.Writer(str(folder / f"run{run}")):
            for step in range(steps):
                llmdebug.log_attention("decoder", layers_of(), step=step)
    logdir = Logdir(str(folder))
    logdir.refresh()
    return logdir


def test_the_newest_step_is_made_once_and_the_page_need_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logdir = logs(tmp_path, runs=1, steps=3)
    maps = Counted(logdir)
    warmed = Warming(logdir.index, maps)
    warmed.warm()
    warmed.warm()
    (series,) = logdir.index.runs()[0].all_series()
    assert maps.asked == [f"{series.id}.2.0"]
    monkeypatch.setattr(maps, "_make", lambda *_: pytest.fail("it was not there"))
    found = maps.answer(MultiDict([("at", f"{series.id}.2.0"), ("pool", "max"), ("sinks", "aside")]))
    assert found.maps[0].step == 2 and found.maps[0].layers[0].thumbs


def test_a_few_series_are_enough_and_large_records_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logdir = logs(tmp_path, runs=warming.MOST_SERIES + 2, steps=1)
    maps = Counted(logdir)
    Warming(logdir.index, maps).warm()
    assert len(maps.asked) == warming.MOST_SERIES
    monkeypatch.setattr(warming, "LARGEST_BYTES", 10)
    Warming(logdir.index, maps).warm()
    assert len(maps.asked) == warming.MOST_SERIES


def test_a_series_that_cannot_be_made_does_not_keep_the_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logdir = logs(tmp_path, runs=2, steps=1)
    maps = Counted(logdir)
    newest = max(
        (s for run in logdir.index.runs() for s in run.all_series()), key=lambda s: s.entries.last_time
    )

    def make(at, look):  # type: ignore[no-untyped-def]
        if at.series == newest.id:
            raise IndexError("a fault of ours")
        return MapsAnswer._make(maps, at, look)

    monkeypatch.setattr(maps, "_make", make)
    warmed = Warming(logdir.index, maps)
    warmed.warm()
    warmed.warm()
    assert len(maps.asked) == 2 and len(caplog.records) == 1
