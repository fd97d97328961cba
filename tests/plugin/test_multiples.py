"""What the multiples route says: one head at many steps, small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zstandard
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import multiples, view_pb2
from tb_llmdebug.plugin.http import BadRequestError, NotFoundError
from tb_llmdebug.plugin.multiples import MultiplesAnswer
from tb_llmdebug.wire import record_pb2
from tests.data import layers_of, softmax_maps, write_run
from tests.plugin.server import serving

NAME = "decoder"
AT = {"from": "0", "to": "3", "example": "1", "layer": "1", "head": "2"}


def ask(logdir: Path, **args: str) -> view_pb2.MultiplesResponse:
    found = llmdebug.open_logdir(logdir)
    (series,) = (one for run in found.index.runs() for one in run.all_series())
    return MultiplesAnswer(found).answer(MultiDict({"series": series.id, **AT, **args}))


def weights_of(picture: view_pb2.HeadPicture) -> np.ndarray:
    levels = np.frombuffer(zstandard.decompress(picture.thumb), np.uint8)
    return picture.peak * (levels.reshape(picture.rows, picture.cols) / 255) ** 2


def damage(logdir: Path) -> None:
    """Change a byte inside the second of three records."""
    (path,) = (one for one in logdir.rglob("records.*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_each_picture_holds_the_weights_and_statistics_of_its_step(tmp_path: Path) -> None:
    write_run(
        tmp_path, attention=lambda step: layers_of(2, sharpness=1 + step / 10), tokens=[list("abcdef")] * 2
    )
    answer = ask(tmp_path)
    assert [picture.step for picture in answer.pictures] == [0, 10, 20]
    assert list(answer.statistics) == ["entropy", "first_token"]
    logs = llmdebug.open_logdir(tmp_path)
    for picture in answer.pictures:
        stored = logs.attention(".", NAME, picture.step)
        exact = stored.weights(1, 2, 1)
        assert (picture.rows, picture.cols) == exact.shape
        assert np.abs(weights_of(picture) - exact).max() < 2 * picture.peak / 255
        places = [list(stored.message.statistics).index(name) for name in answer.statistics]
        assert list(picture.values) == stored.statistics(1, 1)[2, places].tolist()
        assert picture.map_state == record_pb2.FULL and picture.input and not picture.not_finite
    assert len({picture.input for picture in answer.pictures}) == 1
    assert len({picture.thumb for picture in answer.pictures}) == 3


def test_a_larger_map_is_pooled_and_says_how(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, heads=1, queries=200)
    write_run(tmp_path, steps=range(1), attention=lambda _: (maps,))
    where = {"to": "1", "example": "0", "layer": "0", "head": "0"}
    (largest,), (mean,) = (ask(tmp_path, pool=pool, **where).pictures for pool in ("max", "mean"))
    assert (largest.pooled_rows, largest.pooled_keys, largest.rows) == (3, 3, 67)
    assert abs(weights_of(largest)[0, 0] - maps[0, 0, :3, :3].max()) < 2 * largest.peak / 255
    assert abs(weights_of(mean)[0, 0] - maps[0, 0, :3, :3].mean()) < 2 * mean.peak / 255


def test_sinks_are_set_aside_as_by_the_public_function(tmp_path: Path) -> None:
    tokens = [llmdebug.Tokens(tuple("abcdef"), special=(False, False, False, False, True, False))] * 2
    write_run(tmp_path, attention=lambda step: layers_of(2, sharpness=1 + step / 10), tokens=tokens)
    stored = llmdebug.open_logdir(tmp_path).attention(".", NAME, 10)
    found = llmdebug.without_sinks(stored, layer=1, head=2, example=1)
    picture = ask(tmp_path, sinks="aside").pictures[1]
    assert list(picture.aside) == [0, 4] and (picture.rows, picture.cols) == (6, 4)
    assert np.abs(weights_of(picture) - found.weights).max() < 2 * picture.peak / 255
    assert picture.aside_mass == pytest.approx(found.mass.mean(), rel=1e-5)
    shown = ask(tmp_path).pictures[1]
    assert not shown.aside and shown.cols == 6 and list(shown.values) == list(picture.values)


def test_blocks_of_nothing_but_padding_are_counted(tmp_path: Path) -> None:
    mask = np.array([[1, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0]])
    maps = tuple(softmax_maps(seed, mask=mask) for seed in range(2))
    write_run(tmp_path / "few", steps=range(1), attention=lambda _: maps, mask=mask)
    where = {"to": "1"}
    (padded,) = ask(tmp_path / "few", **where).pictures
    assert list(padded.padding) == [2, 1, 2, 1] and not weights_of(padded)[:, [0, 1, 5]].any()
    (inside,) = ask(tmp_path / "few", example="0", **where).pictures
    assert list(inside.padding) == [0, 0, 0, 0]
    # The first real key is not among the columns any more: here what follows it comes first.
    (aside,) = ask(tmp_path / "few", example="0", sinks="aside", **where).pictures
    assert (aside.cols, list(aside.padding)) == (5, [0, 0, 2, 0])
    many = np.array([[0] * 10 + [1] * 180 + [0] * 10])
    large = (softmax_maps(batch=1, heads=1, queries=200, mask=many),)
    write_run(tmp_path / "many", steps=range(1), attention=lambda _: large, mask=many)
    (pooled,) = ask(tmp_path / "many", example="0", layer="0", head="0", **where).pictures
    # In blocks of 3: 9 of the first 10, and of the last 10 those after the block that ends the text.
    assert (pooled.pooled_keys, list(pooled.padding)) == (3, [3, 3, 3, 3])


def test_columns_of_padding_are_not_counted_where_any_weight_is_on_them(tmp_path: Path) -> None:
    mask = np.array([[0, 0, 1, 1, 1, 1]])
    clean = softmax_maps(batch=1, mask=mask)
    leaking = clean.copy()
    # In the real rows of one head; rows of padding look anywhere and do not count.
    leaking[0, 2, 2:, 0] = 3e-7
    clean[0, :, :2] = 1 / 6
    for name, maps in {"clean": clean, "leaking": leaking}.items():
        write_run(tmp_path / name, steps=range(1), attention=lambda _, maps=maps: (maps,), mask=mask)
    where = {"to": "1", "example": "0", "layer": "0"}
    (faithful,) = ask(tmp_path / "clean", **where).pictures
    (tiny,) = ask(tmp_path / "leaking", **where).pictures
    (beside,) = ask(tmp_path / "leaking", **where, head="1").pictures
    assert [list(one.padding) for one in (faithful, tiny, beside)] == [
        [2, 0, 2, 0],
        [2, 0, 0, 0],
        [2, 0, 2, 0],
    ]
    assert not weights_of(tiny)[:, :2].any()


def test_both_ways_are_kept_apart_and_blocks_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1 << 16)
    maps = softmax_maps(batch=1, heads=2, queries=300)
    write_run(tmp_path, steps=range(1), attention=lambda _: (maps,))
    where = {"to": "1", "example": "0", "layer": "0", "head": "0"}
    shown, aside = (ask(tmp_path, sinks=sinks, **where).pictures[0] for sinks in ("shown", "aside"))
    assert aside.map_state == record_pb2.REDUCED and shown == aside
    write_run(tmp_path / "whole")
    found = llmdebug.open_logdir(tmp_path / "whole")
    (series,) = (one for run in found.index.runs() for one in run.all_series())
    answer = MultiplesAnswer(found)
    asked = [MultiDict({"series": series.id, **AT, "sinks": sinks}) for sinks in ("shown", "aside", "shown")]
    assert [answer.answer(one).pictures[0].cols for one in asked] == [6, 5, 6]


def test_what_cannot_be_shown_is_a_gap_that_says_why(tmp_path: Path) -> None:
    few = tuple(layer[:1] for layer in layers_of(1))
    write_run(tmp_path, attention=lambda step: few if step == 10 else layers_of(2))
    first, second, third = ask(tmp_path).pictures
    assert "layer 1" in second.error.lower() and second.step == 10 and not second.rows
    assert first.rows and third.rows
    assert ask(tmp_path, layer="0", head="0").pictures[1].error == "Example 1 of 1."


def test_a_damaged_record_is_a_gap_and_is_read_again_once_it_is_mended(tmp_path: Path) -> None:
    write_run(tmp_path)
    found = llmdebug.open_logdir(tmp_path)
    (series,) = (one for run in found.index.runs() for one in run.all_series())
    answer = MultiplesAnswer(found)
    damage(tmp_path)
    broken = answer.answer(MultiDict({"series": series.id, **AT})).pictures
    assert [bool(picture.error) for picture in broken] == [False, True, False]
    assert broken[1].step == 10
    damage(tmp_path)
    mended = answer.answer(MultiDict({"series": series.id, **AT})).pictures
    assert not any(picture.error for picture in mended)


def test_nan_and_a_step_without_a_map_are_told(tmp_path: Path) -> None:
    broken = [layer.copy() for layer in layers_of(2)]
    broken[1][1, 2, 3] = np.nan
    with llmdebug.Writer(tmp_path) as writer:
        llmdebug.log_attention(NAME, tuple(broken), step=0, writer=writer)
    (picture,) = ask(tmp_path, to="1").pictures
    assert picture.not_finite and np.isfinite(weights_of(picture)).all()


def test_very_large_maps_are_answered_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path)
    monkeypatch.setattr(multiples, "MAX_WEIGHTS", 40)
    assert [picture.step for picture in ask(tmp_path).pictures] == [0, 10]
    assert [picture.step for picture in ask(tmp_path, **{"from": "2"}).pictures] == [20]


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "4"},
        {"to": "0"},
        {"from": "-1"},
        {"head": "x"},
        {"layer": ""},
        {"example": "9" * 12},
        {"pool": "sum"},
        {"sinks": "gone"},
    ],
)
def test_a_malformed_request_is_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    write_run(tmp_path)
    with pytest.raises(BadRequestError):
        ask(tmp_path, **wrong)


def test_no_more_records_than_allowed_at_once(tmp_path: Path) -> None:
    write_run(tmp_path, steps=range(multiples.MAX_RECORDS + 1), attention=lambda _: layers_of(2))
    assert len(ask(tmp_path, to=str(multiples.MAX_RECORDS)).pictures) == multiples.MAX_RECORDS
    with pytest.raises(BadRequestError, match="1 to 64"):
        ask(tmp_path, to=str(multiples.MAX_RECORDS + 1))


def test_an_unknown_series_is_not_found(tmp_path: Path) -> None:
    write_run(tmp_path)
    with pytest.raises(NotFoundError):
        MultiplesAnswer(llmdebug.open_logdir(tmp_path)).answer(MultiDict({"series": "0" * 16, **AT}))


def test_tensorboard_serves_it_and_lets_it_be_kept(tmp_path: Path) -> None:
    write_run(tmp_path)
    with serving("--logdir", tmp_path) as server:
        (run,) = server.index().runs
        asked = f"multiples?series={run.series[0].id}&from=0&to=3&example=0&layer=0&head=0"
        answer = server.message(view_pb2.MultiplesResponse, asked)
        assert len(answer.pictures) == 3 and all(picture.thumb for picture in answer.pictures)
        _, _, headers = server.get("plugin/llmdebug/" + asked)
        assert "immutable" in headers["Cache-Control"]
        _, _, headers = server.get("plugin/llmdebug/" + asked.replace("head=0", "head=9"))
        assert "immutable" not in headers["Cache-Control"]
