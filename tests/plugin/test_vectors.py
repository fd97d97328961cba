"""What the vectors route says: the vectors of one head for one query, or why there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.log import reduction
from tb_llmdebug.plugin import vectors, view_pb2
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import record_pb2
from tests.data import layers_of
from tests.plugin.server import serving
from tests.tapped import log_tapped, stored_of, tapped_layer


def series_of(logdir: Logdir) -> str:
    (series,) = (one for run in logdir.index.runs() for one in run.all_series())
    return series.id


def ask(root: Path, at: str) -> view_pb2.VectorsResponse:
    logdir = llmdebug.open_logdir(root)
    return vectors.answer(logdir, MultiDict([("at", f"{series_of(logdir)}.{at}")]))


def floats(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<f4")


def test_the_answer_is_what_python_reads(tmp_path: Path) -> None:
    bias = 0.1 * np.arange(6)[None, None, None, :]
    with llmdebug.Writer(tmp_path):
        for step in range(2):
            layer = tapped_layer(1, bias=bias, softcap=3.0, told=0.5, sinks=np.arange(4.0), seed=step)
            assert log_tapped("probe", [layer], step)
    found = ask(tmp_path, "1.1.1.3.2")
    head = stored_of(tmp_path, step=1).vectors(1, 3, 1)
    assert (found.found, found.left_out, found.error) == (True, "", "")
    assert (found.keys, found.size, found.value_size) == (6, 4, 3)
    assert np.array_equal(floats(found.q), head.q[2])
    assert np.array_equal(floats(found.k).reshape(6, 4), head.k)
    assert np.array_equal(floats(found.v).reshape(6, 3), head.v)
    assert (found.scale, found.scale_fitted, found.softcap, found.sink) == (0.5, False, 3.0, 3.0)
    assert list(found.masked) == [0, 0, 0, 1, 1, 1]
    assert np.array_equal(floats(found.bias), head.bias[2])
    assert np.array_equal(floats(found.weights), stored_of(tmp_path, step=1).weights(1, 3, 1)[2])
    assert found.codec == record_pb2.F16
    assert np.abs(head.weights()[2] - floats(found.weights)).max() < 2**-11 + 1e-5


def test_rows_are_named_by_their_position(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        log_tapped("probe", [tapped_layer()], rows=[1, 4], heads=[2])
    assert np.array_equal(floats(ask(tmp_path, "0.0.0.2.4").q), tapped_layer().q[0, 2, 4])
    with pytest.raises(NotFoundError, match="Query 3 of layer 0 was not looked at"):
        ask(tmp_path, "0.0.0.2.3")


def test_a_row_of_a_generation_is_found_in_the_record_that_has_it(tmp_path: Path) -> None:
    steps = [
        tapped_layer(queries=4, keys=4),
        *(tapped_layer(queries=1, keys=5 + n, seed=n) for n in range(2)),
    ]
    with llmdebug.Writer(tmp_path):
        for step, layer in enumerate(steps):
            log_tapped("probe", [layer], step, causal=True)
    assert stored_of(tmp_path, step=2).message.continues
    assert np.array_equal(floats(ask(tmp_path, "2.0.0.1.5").q), steps[2].q[0, 1, 0])
    assert np.array_equal(floats(ask(tmp_path, "2.0.0.1.4").q), steps[1].q[0, 1, 0])
    assert ask(tmp_path, "2.0.0.1.2").keys == 4
    with pytest.raises(NotFoundError, match="Query 6"):
        ask(tmp_path, "2.0.0.1.6")


def test_why_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with llmdebug.Writer(tmp_path):
        llmdebug.log_attention("probe", layers_of(), step=0)
        monkeypatch.setattr(reduction, "BUDGET_BYTES", 300)
        log_tapped("probe", [tapped_layer()], 1)
        monkeypatch.setattr(reduction, "BUDGET_BYTES", 1 << 20)
        log_tapped("probe", [replace(tapped_layer(), logit_block=None)], 2)
    plain, no_room, refused = (ask(tmp_path, f"{ordinal}.0.0.0.1") for ordinal in range(3))
    assert not plain.found and plain.left_out == plain.error == ""
    assert not no_room.found and "1 of 1 layers" in no_room.left_out
    assert not refused.found and "shows no queries" in refused.left_out


def test_without_stored_weights_there_is_nothing_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = tapped_layer()
    with llmdebug.Writer(tmp_path) as writer:
        log_tapped("probe", [layer])
        assert writer.flush(60)
    record = stored_of(tmp_path).record()
    bare = replace(record, layers=tuple(replace(one, weights=None) for one in record.layers), step=1)
    with llmdebug.Writer(tmp_path) as writer:
        writer.submit(lambda: [bare], 1)
    logdir = llmdebug.open_logdir(tmp_path)
    found = [
        vectors.answer(logdir, MultiDict([("at", f"{series.id}.0.0.0.0.1")]))
        for run in logdir.index.runs()
        for series in run.all_series()
    ]
    assert sorted(bool(one.weights) for one in found) == [False, True] and all(one.found for one in found)


def test_what_is_too_large_for_a_page_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with llmdebug.Writer(tmp_path):
        log_tapped("probe", [tapped_layer()])
    monkeypatch.setattr(vectors, "MAX_NUMBERS", 10)
    found = ask(tmp_path, "0.0.0.0.0")
    assert not found.found and "42 numbers" in found.error and not found.k


MALFORMED = [
    "",
    "0",
    "0.0.0.0",
    "0.0.0.0.0.0",
    "-1.0.0.0.0",
    "0.0.0.0.x",
    "0.0.0.0.٣",
    "9" * 30 + ".0.0.0.0",
    " 0.0.0.0.0",
]


@pytest.mark.parametrize("at", MALFORMED)
def test_malformed_requests_are_refused(tmp_path: Path, at: str) -> None:
    with llmdebug.Writer(tmp_path):
        log_tapped("probe", [tapped_layer()])
    with pytest.raises(BadRequestError, match="at must read"):
        ask(tmp_path, at)


def test_at_is_given_once(tmp_path: Path) -> None:
    logdir = llmdebug.open_logdir(tmp_path)
    for args in ([], [("at", f"{'0' * 16}.0.0.0.0.0")] * 2):
        with pytest.raises(BadRequestError):
            vectors.answer(logdir, MultiDict(args))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("7.0.0.0.0", "no such record"),
        ("0.5.0.0.0", "Example 5 of 2"),
        ("0.0.9.0.0", "Layer 9"),
        ("0.0.0.9.0", "no head 9"),
        ("0.0.0.0.9", "Query 9"),
    ],
)
def test_what_does_not_exist_is_named(tmp_path: Path, at: str, said: str) -> None:
    with llmdebug.Writer(tmp_path):
        log_tapped("probe", [tapped_layer()])
    with pytest.raises(NotFoundError, match=said):
        ask(tmp_path, at)


def test_over_http(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        log_tapped("probe", [tapped_layer()])
    with serving("--logdir", tmp_path) as server:
        series = server.index().runs[0].series[0].id
        found = server.message(view_pb2.VectorsResponse, f"vectors?at={series}.0.0.0.1.3")
        assert found.found and found.keys == 6
        status, _, headers = server.get(f"plugin/llmdebug/vectors?at={series}.0.0.0.1.3")
        assert status == 200 and "immutable" in headers["Cache-Control"]
        for path, wanted in (
            ("vectors", 400),
            ("vectors?at=1", 400),
            (f"vectors?at={series}.0.0.0.1.99", 404),
        ):
            status, said, _ = server.get(f"plugin/llmdebug/{path}")
            assert status == wanted and said.decode().endswith(".")
