"""What the changes route says is what Python's compare and match_heads say."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.changes import ChangesAnswer
from tb_llmdebug.plugin.http import BadRequestError
from tests.data import layers_of, write_run
from tests.plugin.server import serving

WORDS = [list("abcdef"), list("uvwxyz")]


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Two runs of equal inputs, one of whose heads are in another order."""
    write_run(tmp_path / "a", attention=lambda step: layers_of(2, sharpness=1 + step / 10), tokens=WORDS)
    shuffled = lambda step: tuple(m[:, [2, 0, 1]].copy() for m in layers_of(2, sharpness=2 + step / 10))  # noqa: E731
    write_run(tmp_path / "b", attention=shuffled, tokens=WORDS)
    return tmp_path


def ask(logdir: Path, a: str, b: str, **args: str) -> view_pb2.ChangesResponse:
    """Ask for two records, each given as run.ordinal."""
    opened = llmdebug.open_logdir(logdir)
    ids = {run.name: series.id for run in opened.index.runs() for series in run.all_series()}
    places = {name: ".".join((ids[at.split(".")[0]], at.split(".")[1])) for name, at in (("a", a), ("b", b))}
    return ChangesAnswer(opened).answer(MultiDict({**places, **args}))


def test_numbers_are_those_of_compare(logdir: Path) -> None:
    opened = llmdebug.open_logdir(logdir)
    answer = ask(logdir, "a.0", "a.2")
    expected = llmdebug.compare(opened.attention("a", "decoder", 0), opened.attention("a", "decoder", 20))
    assert answer.examples == 2 and not answer.error and not answer.matches
    found = {
        (layer.layer, head): (mean, spread)
        for layer in answer.layers
        for head, mean, spread in zip(layer.heads, layer.mean, layer.spread, strict=True)
    }
    assert found == {(one.layer, one.head): (one.mean, one.spread) for one in expected.most_changed()}
    assert all(spread > 0 for _, spread in found.values())
    assert [layer.floor for layer in answer.layers] == [
        pytest.approx(layer.floor) for layer in expected.layers
    ]


def test_matches_are_those_of_match_heads(logdir: Path) -> None:
    opened = llmdebug.open_logdir(logdir)
    answer = ask(logdir, "a.1", "b.1", match="1")
    expected = llmdebug.match_heads(
        opened.attention("a", "decoder", 10), opened.attention("b", "decoder", 10)
    )
    assert [(m.layer, m.head, m.other, m.distance) for m in answer.matches] == [tuple(m) for m in expected]
    assert [(m.head, m.other) for m in answer.matches] == [(0, 1), (1, 2), (2, 0)] * 2
    assert answer.layers and not answer.no_matches


def test_without_scipy_there_are_changes_and_one_sentence(
    logdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    answer = ask(logdir, "a.0", "b.0", match="1")
    assert answer.layers and not answer.matches
    assert answer.no_matches.startswith("Heads are matched with SciPy, which is not installed")


def test_what_cannot_be_compared_says_why(logdir: Path) -> None:
    write_run(logdir / "c", attention=lambda _: layers_of(2), tokens=[list("ABCDEF"), list("UVWXYZ")])
    answer = ask(logdir, "a.0", "c.0")
    assert answer.error.startswith("The two are of different inputs") and not answer.layers
    assert ask(logdir, "a.0", "b.99").error == "There is no such record: reload the page."
    with pytest.raises(BadRequestError, match=r"series\.ordinal"):
        ask(logdir, "a.0", "b.x")
    with pytest.raises(BadRequestError, match="match"):
        ask(logdir, "a.0", "b.0", match="2")


def test_the_route_answers_and_may_be_kept(logdir: Path) -> None:
    with serving("--logdir", logdir) as server:
        ids = {run.name: run.series[0].id for run in server.index().runs}
        path = f"plugin/llmdebug/changes?a={ids['a']}.0&b={ids['b']}.0"
        status, body, headers = server.get(path)
        assert status == 200 and "immutable" in headers["Cache-Control"]
        assert np.isfinite(view_pb2.ChangesResponse.FromString(body).layers[1].mean).all()
        assert server.get(path + ".1")[0] == 400
        assert server.get(path.replace(".0&b", ".77&b"))[2]["Cache-Control"] == "no-cache"
