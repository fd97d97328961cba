"""What the heads route says: every statistic of every head at every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import heads, view_pb2
from tb_llmdebug.plugin.heads import HeadsAnswer
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError
from tb_llmdebug.reading import payload
from tb_llmdebug.reading.index import Series
from tb_llmdebug.reading.logdir import Logdir
from tb_llmdebug.wire import messages, record_pb2, seal
from tb_llmdebug.wire.event import EncodedRecord
from tests.data import layers_of, softmax_maps, write_run
from tests.plugin.server import serving

NAME = "decoder"


def opened(logdir: Path) -> tuple[Logdir, Series]:
    found = llmdebug.open_logdir(logdir)
    (series,) = (one for run in found.index.runs() for one in run.all_series())
    return found, series


def ask(logdir: Path, **args: str) -> view_pb2.HeadsResponse:
    found, series = opened(logdir)
    return HeadsAnswer(found).answer(MultiDict({"series": series.id, **args}))


def values_of(answer: view_pb2.HeadsResponse, spreads: bool = False) -> np.ndarray:
    count = sum(len(layer.heads) for layer in answer.layers)
    data = answer.spreads if spreads else answer.values
    return np.frombuffer(data, "<f4").reshape(len(answer.steps), count, len(answer.statistics))


def stored(logdir: Path, step: int) -> np.ndarray:
    """Return [examples, heads of all layers, statistics] as Python's own reader has them."""
    record = llmdebug.open_logdir(logdir).attention(".", NAME, step).record()
    return np.concatenate([layer.statistics for layer in record.layers], axis=1)


def test_each_number_is_the_one_that_python_reads(tmp_path: Path) -> None:
    write_run(tmp_path, attention=lambda step: layers_of(2, sharpness=1 + step / 10))
    answer = ask(tmp_path, example="1")
    assert list(answer.steps) == [0, 10, 20] and (answer.first, answer.end) == (0, 3)
    assert [(layer.layer, list(layer.heads)) for layer in answer.layers] == [(0, [0, 1, 2]), (1, [0, 1, 2])]
    assert "entropy" in answer.statistics and answer.gaps == bytes(3) and not answer.spreads
    for place, step in enumerate(answer.steps):
        assert np.array_equal(values_of(answer)[place], stored(tmp_path, step)[1], equal_nan=True)


def test_the_mean_is_over_the_examples_in_which_a_statistic_is_defined(tmp_path: Path) -> None:
    maps = softmax_maps(batch=3)
    maps[1, 2] = np.nan
    write_run(tmp_path, steps=range(1), attention=lambda _: (maps,))
    answer = ask(tmp_path)
    expected = stored(tmp_path, 0).astype(np.float64)
    entropy = list(answer.statistics).index("entropy")
    assert np.isnan(expected[1, 2, entropy]) and not np.isnan(expected[0, 2, entropy])
    ours, theirs = values_of(answer)[0, :, entropy], expected[..., entropy]
    np.testing.assert_allclose(ours, np.nanmean(theirs, 0), 1e-6)
    np.testing.assert_allclose(
        values_of(answer, spreads=True)[0, :, entropy], np.nanstd(theirs, 0), 1e-5, 1e-7
    )


def test_what_is_defined_nowhere_stays_nan(tmp_path: Path) -> None:
    maps = softmax_maps()
    maps[:, 0] = np.nan
    write_run(tmp_path, steps=range(1), attention=lambda _: (maps,))
    answer = ask(tmp_path, statistic="entropy")
    assert np.isnan(values_of(answer)[0, 0]).all() and np.isfinite(values_of(answer)[0, 1:]).all()
    assert np.isnan(values_of(answer, spreads=True)[0, 0]).all()


def test_parts_and_chosen_statistics_make_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path, steps=range(7))
    whole = ask(tmp_path, example="0")
    parts = [
        ask(tmp_path, example="0", **{"from": first, "to": to}) for first, to in (("0", "4"), ("4", "7"))
    ]
    assert np.array_equal(np.concatenate(list(map(values_of, parts))), values_of(whole), equal_nan=True)
    one = ask(tmp_path, example="0", statistic="distance")
    assert list(one.statistics) == ["distance"]
    place = list(whole.statistics).index("distance")
    assert np.array_equal(values_of(one)[..., 0], values_of(whole)[..., place])
    monkeypatch.setattr(heads, "MAX_VALUES", 3 * values_of(whole)[0].size)
    short = ask(tmp_path, example="0")
    assert (short.first, short.end, len(short.steps)) == (0, 3, 3)


def test_only_statistics_that_are_known_or_logged_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path)
    found, series = opened(tmp_path)
    answers = HeadsAnswer(found)

    def see(*names: str) -> view_pb2.HeadsResponse:
        return answers.answer(MultiDict([("series", series.id), *(("statistic", name) for name in names)]))

    one = see("entropy", "distance")
    assert see("distance", "entropy", "distance") is one
    for name in ("", "x", "Entropy", "entropy ", "x" * 50_000):
        with pytest.raises(BadRequestError, match="A statistic is none of this series: ask for some of "):
            see("entropy", name)
    # As a version knows it that was before "distance".
    monkeypatch.setattr(heads, "STATISTICS", ("entropy",))
    assert see("distance").statistics == ["distance"]
    with pytest.raises(BadRequestError):
        see("x")


def test_layers_and_heads_that_come_and_go_are_gaps(tmp_path: Path) -> None:
    write_run(tmp_path, steps=range(2), attention=lambda step: layers_of(2 - step, heads=2 + step))
    answer = ask(tmp_path, example="0", statistic="entropy")
    assert [(layer.layer, list(layer.heads)) for layer in answer.layers] == [(0, [0, 1, 2]), (1, [0, 1])]
    known = ~np.isnan(values_of(answer)[..., 0])
    assert known.tolist() == [[True, True, False, True, True], [True, True, True, False, False]]


def test_an_example_that_a_step_lacks_is_a_gap(tmp_path: Path) -> None:
    write_run(tmp_path, steps=range(2), attention=lambda step: layers_of(1, batch=1 + step))
    answer = ask(tmp_path, example="1")
    assert answer.gaps == bytes([heads.NO_EXAMPLE, 0]) and heads.is_final(answer)
    assert np.isnan(values_of(answer)[0]).all() and np.isfinite(values_of(answer)[1, :, 0]).all()


def test_tiles_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path, steps=range(3), attention=lambda _: layers_of(2, heads=8, queries=150))
    found, series = opened(tmp_path)
    read: list[int] = []
    real = payload.opened

    def counted(location: payload.Location) -> object:
        context = real(location)
        file = context.__enter__()

        class Counting:
            def read(self, offset: int, length: int) -> bytes:
                read.append(length)
                return file.read(offset, length)

        class Context:
            def __enter__(self) -> Counting:
                return Counting()

            def __exit__(self, *_: object) -> None:
                context.__exit__(None, None, None)

        return Context()

    monkeypatch.setattr("tb_llmdebug.reading.first_blob.opened", counted)
    monkeypatch.setattr("tb_llmdebug.reading.payload.opened", counted)
    answer = HeadsAnswer(found).answer(MultiDict({"series": series.id}))
    assert len(answer.steps) == 3 and answer.gaps == bytes(3)
    total = sum(entry.location.length for entry in series.entries)
    assert read and sum(read) < total / 10


@pytest.mark.parametrize("sealed", [True, False], ids=["with its checksum", "of an earlier version"])
def test_a_damaged_record_is_a_gap_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    with monkeypatch.context() as patched:
        if not sealed:
            patched.setattr(messages, "_sealed", _as_earlier)
        write_run(tmp_path, steps=range(3), attention=lambda _: layers_of(2, heads=8, queries=150))
    found, series = opened(tmp_path)
    whole = values_of(HeadsAnswer(found).answer(MultiDict({"series": series.id, "example": "0"})))
    place = series.entries[1].location
    path = Path(place.source.path)
    data = bytearray(path.read_bytes())
    statistic = stored(tmp_path, 1)[0, 3, :1].tobytes()
    where = data.index(statistic, place.offset)
    assert where < place.offset + place.length
    data[where] ^= 1
    path.write_bytes(data)
    found, series = opened(tmp_path)
    asked = HeadsAnswer(found)
    for _ in range(2):  # what is damaged is not kept
        answer = asked.answer(MultiDict({"series": series.id, "example": "0"}))
        assert answer.gaps == bytes([0, heads.DAMAGED, 0]) and not heads.is_final(answer)
        assert "Step 1: a record's checksum does not match" in answer.problems[0]
        values = values_of(answer)
        assert np.isnan(values[1]).all()
        assert np.array_equal(values[[0, 2]], whole[[0, 2]], equal_nan=True)


def _as_earlier(
    tag: str, step: int, wall_time: float, head: record_pb2.RecordHead, blobs: tuple[bytes, ...]
) -> EncodedRecord:
    head.wall_time = wall_time
    data = head.SerializeToString()
    return EncodedRecord(tag, step, wall_time, seal.sealed(data, tag, step), (*blobs, data))


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"series": "0" * 16}, NotFoundError),
        ({"example": "x"}, BadRequestError),
        ({"example": "9999999"}, BadRequestError),
        ({"from": "-1"}, BadRequestError),
        ({"to": "4"}, BadRequestError),
        ({"from": "2", "to": "1"}, BadRequestError),
    ],
)
def test_bad_requests_are_refused(tmp_path: Path, args: dict[str, str], error: type[Exception]) -> None:
    write_run(tmp_path)
    with pytest.raises(error):
        ask(tmp_path, **args)


def test_the_route_says_what_may_be_kept(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with serving("--logdir", tmp_path) as server:
        (series,) = server.index().runs[0].series
        path = f"plugin/llmdebug/heads?series={series.id}&example=0"
        status, body, headers = server.get(path)
        assert status == 200 and headers["Cache-Control"] == "no-cache"
        _, part, kept = server.get(f"{path}&to=3", {"Accept-Encoding": "gzip"})
        assert "immutable" in kept["Cache-Control"] and kept["Content-Encoding"] == "gzip"
        assert len(part) < len(body)
        assert list(view_pb2.HeadsResponse.FromString(body).steps) == [0, 10, 20]
        assert server.get("plugin/llmdebug/heads?series=x")[0] == 404
        assert server.get(f"{path}&from=9")[0] == 400
