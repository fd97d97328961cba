"""Generations as the routes answer them when a record of theirs cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin.lens import LensAnswer
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.reading.index import Entry, Series
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tests.durability.test_bounds import attention, record_file
from tests.plugin.server import serving


def log(logdir: Path) -> tuple[Logdir, str]:
    with llmdebug.Writer(logdir):
        for step, end in enumerate((4, 5, 6)):
            even = np.tril(np.ones((end, end), np.float32))
            rows = (even / even.sum(-1, keepdims=True))[None, None, 0 if step == 0 else end - 1 :]
            assert llmdebug.log_attention("generation", (np.repeat(rows, 2, 0),), causal=True, step=step)
    opened = llmdebug.open_logdir(logdir)
    (series,) = (one for run in opened.index.runs() for one in run.all_series())
    return opened, series.id


def failing_once(opened: Logdir, at_step: int) -> Callable[[Series, Entry], object]:
    real, left = opened.stored_attention, [1]

    def stored_attention(series: Series, entry: Entry) -> object:
        if entry.step == at_step and left:
            left.pop()
            raise DamagedRecordError("too many files are open.")
        return real(series, entry)

    return stored_attention


def test_a_moment_in_which_a_record_cannot_be_read_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, series = log(tmp_path)
    monkeypatch.setattr(opened, "stored_attention", failing_once(opened, 1))
    maps = MapsAnswer(opened)
    ask = MultiDict([("at", f"{series}.2.0")])
    first, second = maps.answer(ask).maps[0], maps.answer(ask).maps[0]
    assert "cannot be read" in first.gap and first.gap_may_pass and list(first.layers[0].rows) == [5]
    assert (
        not second.gap and not second.gap_may_pass and second.continued == 2 and second.layers[0].queries == 6
    )


def test_nothing_is_computed_of_rows_that_may_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, series = log(tmp_path)
    monkeypatch.setattr(opened, "stored_attention", failing_once(opened, 1))
    lenses = LensAnswer(opened)
    ask = MultiDict([("at", f"{series}.2.0.0.0"), ("lens", "mean")])
    assert "cannot be read" in lenses.answer(ask).error
    assert lenses.answer(ask).rows == 6


def hostile_generation(logdir: Path) -> None:
    """A record without queries, and one that continues it."""
    empty, row = (
        record_pb2.Layer(heads=[0], queries=queries, keys=4, codec="F16", heads_together=True)
        for queries in (0, 4)
    )
    row.rows.append(3)
    records = b""
    for entry, continues in ((empty, False), (row, True)):
        message = record_pb2.Attention(
            layers=[entry], examples=[record_pb2.Example()], tile=64, frame_bytes=[0, 0], continues=continues
        )
        records += attention(message)
    record_file(logdir).write_bytes(records)


def test_a_record_without_queries_is_damaged_and_what_continues_it_is_shown(tmp_path: Path) -> None:
    hostile_generation(tmp_path)
    with serving("--logdir", tmp_path) as server:
        (series,) = server.index().runs[0].series
        path = f"plugin/llmdebug/maps?at={series.id}"
        status, body, headers = server.get(f"{path}.1.0")
        assert status == 200 and b"cannot be read" in body and headers["Cache-Control"] == "no-cache"
        assert b"without queries or keys" in server.get(f"{path}.0.0")[1]
        assert "Traceback" not in server.output
