"""What was worked out once is not worked out again."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import maps, view_pb2
from tb_llmdebug.plugin.lens import LensAnswer
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.plugin.similar import SimilarAnswer
from tb_llmdebug.reading import payload
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.wire.errors import DamagedRecordError
from tests.data import softmax_maps, write_run


def test_two_maps_are_compared_once_wherever_they_stand_in_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(str(tmp_path), attention=lambda step: (softmax_maps(queries=6, sharpness=1 + step),))
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (one for run in opened.index.runs() for one in run.all_series())
    answer = MapsAnswer(opened)

    def ask(*ordinals: int, pair: str) -> view_pb2.Comparison:
        places = [("at", f"{series.id}.{ordinal}.0") for ordinal in ordinals]
        return answer.answer(MultiDict([*places, ("compare", pair)])).comparisons[0]

    compared: list[tuple[int, int]] = []
    original = maps.comparison

    def counted(a: StoredAttention, b: StoredAttention, *examples: int) -> view_pb2.Comparison:
        compared.append((a.step, b.step))
        if len(compared) == 1:
            raise DamagedRecordError("It was being written.")
        return original(a, b, *examples)

    monkeypatch.setattr(maps, "comparison", counted)
    assert ask(0, 1, pair="0.1").error == "It was being written."
    first = ask(0, 1, pair="0.1")
    again = ask(2, 0, 1, pair="1.2")
    assert (first.a, first.b, again.a, again.b) == (0, 1, 1, 2)
    assert first.layers and list(first.layers) == list(again.layers)
    back = ask(1, 0, pair="0.1")
    other = ask(0, 2, pair="0.1")
    assert not back.error and other.layers[0].distance != first.layers[0].distance
    # What failed is tried again, each pair in each direction.
    assert compared == [(0, 10), (0, 10), (10, 0), (0, 20)]


@pytest.mark.parametrize(
    ("answers", "written", "settings"),
    [
        (MapsAnswer, ("0.0", "00.000"), []),
        (MapsAnswer, ("0.0.1.0", "0.0.01.00"), []),
        (MapsAnswer, ("0.0", "00.0"), [("at", "{series}.1.0"), ("compare", "0.1")]),
        (LensAnswer, ("0.0.1.0", "00.0.01.0"), [("lens", "mean")]),
        (LensAnswer, ("0.0.1.0", "0.00.01.0"), [("lens", "rollout")]),
        (SimilarAnswer, ("0.0", "00.00"), []),
    ],
)
def test_a_place_written_with_more_zeros_is_the_same_place(
    tmp_path: Path, answers: type, written: tuple[str, str], settings: list[tuple[str, str]]
) -> None:
    write_run(str(tmp_path), attention=lambda step: (softmax_maps(), softmax_maps(sharpness=2)))
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (one for run in opened.index.runs() for one in run.all_series())
    answer = answers(opened)

    def ask(at: str) -> tuple[bytes, int]:
        more = [(name, value.format(series=series.id)) for name, value in settings]
        found = answer.answer(MultiDict([("at", f"{series.id}.{at}"), *more]))
        assert 'error: "' not in str(found)
        return found.SerializeToString(), len(opened.budget.entries)

    first, second = map(ask, written)
    assert first == second


def test_large_records_push_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "WHOLE_BYTES", 0)  # as if they were too large to be held
    write_run(str(tmp_path), steps=range(16), attention=lambda step: (softmax_maps(),))
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (one for run in opened.index.runs() for one in run.all_series())
    answer = MapsAnswer(opened)
    compared: list[StoredAttention] = []

    def counted(a: StoredAttention, *_: object) -> view_pb2.Comparison:
        compared.append(a)
        return view_pb2.Comparison(a=1)

    monkeypatch.setattr(maps, "comparison", counted)
    pair = MultiDict([("at", f"{series.id}.0.0"), ("at", f"{series.id}.1.0"), ("compare", "0.1")])
    answer.answer(pair)
    for ordinal in range(2, 16):
        answer.answer(MultiDict([("at", f"{series.id}.{ordinal}.0.0.0")]))
    assert len(answer.answer(pair).comparisons) == len(compared) == 1
    assert opened.budget.held < 1 << 20
    assert len(opened.payloads.ahead.pieces) == 8
