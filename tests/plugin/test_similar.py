"""The route for similar heads against the public function, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError
from tb_llmdebug.plugin.similar import SimilarAnswer
from tb_llmdebug.stats.rounding import rounding_distance
from tests.data import layers_of, softmax_maps


def log(logdir: Path, *layers: np.ndarray, **settings: object) -> None:
    with llmdebug.Writer(logdir):
        assert llmdebug.log_attention("probe", layers, step=0, **settings)


def ask(logdir: Path, at: str) -> view_pb2.SimilarResponse:
    opened = llmdebug.open_logdir(logdir)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    return SimilarAnswer(opened).answer(MultiDict([("at", f"{series.id}.{at}")]))


def test_it_is_the_public_answer(tmp_path: Path) -> None:
    log(tmp_path, *layers_of(3), softmax_maps(heads=1, keys=9), precision="u8")
    stored = llmdebug.open_logdir(tmp_path).attention(".", "probe", step=0)
    for at, example, count in (("0.0", 0, 1), ("0.1", 1, 1), ("0.all", None, 2)):
        answer = ask(tmp_path, at)
        assert not answer.error and answer.examples == count
        found = [
            (one.layer, one.head, None if one.alone else (one.other_layer, one.other_head), one.distance)
            for one in answer.heads
        ]
        public = llmdebug.most_similar_heads(stored, example)
        assert found[:-1] == [tuple(one) for one in public[:-1]]
        assert found[-1] == (3, 0, None, 0) and public[-1].other is None
        floor = math.hypot(rounding_distance(stored, 0), rounding_distance(stored, 1))
        assert [one.floor for one in answer.heads if not one.alone] == pytest.approx([floor] * 9)


def test_answers_that_are_kept_are_told_apart(tmp_path: Path) -> None:
    log(tmp_path, *layers_of(2))
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    answers = SimilarAnswer(opened)

    def see(at: str) -> view_pb2.SimilarResponse:
        return answers.answer(MultiDict([("at", f"{series.id}.{at}")]))

    first = [see(f"0.{example}") for example in ("0", "1", "all")]
    assert len({one.heads[0].distance for one in first}) == 3
    assert all(see(f"0.{example}") is one for example, one in zip(("0", "1", "all"), first, strict=True))


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("MAX_WEIGHTS", 215, "too many or too large"), ("MAX_PRODUCTS", 6 * 216 - 1, "too many or too large"),
     ("MAX_COMPARED", 36, "ore than 1 pairs")],
)  # fmt: skip
def test_beyond_its_limits_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, said: str
) -> None:
    log(tmp_path, *layers_of(2))
    monkeypatch.setattr("tb_llmdebug.plugin.similar.LEAST_COMPARED", 1)
    monkeypatch.setattr(f"tb_llmdebug.plugin.similar.{limit}", value)
    answer = ask(tmp_path, "0.0")
    assert said in answer.error and answer.error.endswith(".") and not answer.heads
    if limit != "MAX_COMPARED":
        monkeypatch.setattr(f"tb_llmdebug.plugin.similar.{limit}", value + 1)
        assert not ask(tmp_path, "0.0").error
        assert said in ask(tmp_path, "0.all").error


def test_what_holds_no_weights_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1 << 14)
    log(tmp_path, softmax_maps(queries=300))
    assert "only pooled maps" in ask(tmp_path, "0.0").error.lower()


@pytest.mark.parametrize("at", ["", "x", "0", "0.", "0.0.0", "0.some", "-1.0", "0.0 "])
def test_a_malformed_request_is_told_so(tmp_path: Path, at: str) -> None:
    log(tmp_path, softmax_maps())
    with pytest.raises(BadRequestError):
        ask(tmp_path, at)
    assert "There is no such record" in ask(tmp_path, "9.0").error
    assert "Example 9" in ask(tmp_path, "0.9").error
