"""Sinks that are set aside: the maps route against the public function, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.http import BadRequestError
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.plugin.thumbnails import thumbnails
from tb_llmdebug.stats.sinks import LEAST_REST, set_aside, sink_keys
from tb_llmdebug.wire.tiles import Strip
from tests.data import softmax_maps
from tests.plugin.test_reduced_maps import ask, log, picture

LEFT = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])


def masses(layer: view_pb2.LayerView) -> np.ndarray:
    return np.frombuffer(layer.aside_mass, "<f4")


def special(*flags: int) -> llmdebug.Tokens:
    return llmdebug.Tokens(tuple("abcdef"[: len(flags)]), special=tuple(map(bool, flags)))


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_thumbnails_are_pooled_from_what_the_public_function_returns(tmp_path: Path, pool: str) -> None:
    # 300 keys: blocks of 5 in the picture, and the stored overview would do without decoding.
    maps = softmax_maps(queries=300, heads=20, batch=2, causal=True)
    maps[:, 3, :, 0] += 40
    maps /= maps.sum(-1, keepdims=True)
    log(tmp_path, maps, precision="f32")
    (overview,) = ask(tmp_path, "0.1", pool=pool, sinks="aside").maps
    (layer,) = overview.layers
    assert list(layer.aside) == [0] and layer.keys == 300
    stored = llmdebug.open_logdir(tmp_path).attention(".", "probe", step=0)
    for head in (0, 3):
        found = llmdebug.without_sinks(stored, layer=0, head=head, example=1)
        block = layer.pooled
        assert block == layer.pooled_rows > 1
        rows, columns = range(0, 300, block), range(0, 299, block)
        reduce = np.maximum if pool == "max" else np.add
        blocks = reduce.reduceat(reduce.reduceat(found.weights, columns, axis=1), rows, axis=0)
        if pool == "mean":
            widths = np.diff([*columns, 299])
            blocks = blocks / (np.diff([*rows, 300])[:, None] * widths)
        assert np.allclose(picture(layer)[head], blocks, atol=layer.thumb_peak / 100)
        assert masses(layer)[head] == pytest.approx(found.mass.mean(), rel=1e-5)
    assert masses(layer)[3] > 0.95 > masses(layer)[0]


def test_the_first_real_key_and_special_tokens_are_set_aside_but_not_padding(tmp_path: Path) -> None:
    maps = softmax_maps(batch=2, mask=LEFT)
    words = [["[CLS]", "a", "b", "c", "d", "[SEP]"], ["<pad>", "<pad>", "x", "y", "z", "w"]]
    with llmdebug.Writer(tmp_path):
        tokens = [
            llmdebug.Tokens(tuple(words[0]), special=(True, False, False, False, False, True)),
            llmdebug.Tokens(tuple(words[1]), special=(True, True, False, False, False, False)),
        ]
        assert llmdebug.log_attention("probe", (maps,), tokens=tokens, mask=LEFT, step=0, precision="f32")
    bert, left = ask(tmp_path, "0.0", "0.1", sinks="aside").maps
    assert list(bert.layers[0].aside) == [0, 5] and bert.layers[0].thumb_cols == 4
    assert list(left.layers[0].aside) == [2]
    # Padding keeps its columns, so that weight on it would be seen.
    assert left.layers[0].thumb_cols == 5 and (picture(left.layers[0])[:, :2] == 0).all()
    # Rows of padding count for nothing.
    expected = maps[1, :, 2:, 2].mean(axis=-1)
    assert masses(left.layers[0]) == pytest.approx(expected, rel=1e-5)


def test_of_another_text_only_special_tokens_are_set_aside(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, queries=4, keys=4)
    text = llmdebug.Tokens(("der", "Hund", "bellt", "</s>"), special=(False, False, False, True))
    log(tmp_path / "rectangular", softmax_maps(batch=1, queries=4, keys=9))
    with llmdebug.Writer(tmp_path / "square"):
        sides = {"query_tokens": [["the", "dog", "barks", "."]], "key_tokens": [text]}
        assert llmdebug.log_attention("cross", (maps,), step=0, precision="f32", **sides)
    with llmdebug.Writer(tmp_path / "self"):
        assert llmdebug.log_attention("self", (maps,), tokens=[text], step=0, precision="f32")
    (found,) = ask(tmp_path / "rectangular", "0.0", sinks="aside").maps
    assert not found.layers[0].aside and found.layers[0].thumb_cols == 9
    for run, expected in (("square", [3]), ("self", [0, 3])):
        (found,) = ask(tmp_path / run, "0.0", sinks="aside").maps
        assert list(found.layers[0].aside) == expected
        name = "cross" if run == "square" else "self"
        stored = llmdebug.open_logdir(tmp_path / run).attention(".", name, step=0)
        assert sorted({0, 1, 2, 3} - set(llmdebug.without_sinks(stored, 0, 0).keys.tolist())) == expected


def test_while_decoding_the_first_token_of_the_text_stays_a_sink(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_attention(
            "step", (softmax_maps(batch=1, queries=1, keys=9),), causal=True, step=0
        )
    (found,) = ask(tmp_path, "0.0", sinks="aside").maps
    assert list(found.layers[0].aside) == [0]


def test_nothing_is_set_aside_unless_asked_for_nor_where_nothing_would_be_left(tmp_path: Path) -> None:
    log(tmp_path, softmax_maps(batch=1, queries=4, keys=1))
    (shown,) = ask(tmp_path, "0.0").maps
    (aside,) = ask(tmp_path, "0.0", sinks="aside").maps
    assert shown.layers == aside.layers and not aside.layers[0].aside and not aside.layers[0].aside_mass
    with pytest.raises(BadRequestError, match="sinks must be aside or shown"):
        ask(tmp_path, "0.0", sinks="gone")


def test_blocks_of_weights_are_shown_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1 << 16)
    log(tmp_path, softmax_maps(queries=300, heads=2))
    shown, aside = (ask(tmp_path, "0.0", sinks=sinks).maps[0] for sinks in ("shown", "aside"))
    assert aside.layers[0].kept_keys > 1 and shown.layers == aside.layers


def test_both_ways_are_kept_apart(tmp_path: Path) -> None:
    log(tmp_path, softmax_maps(batch=1))
    opened = llmdebug.open_logdir(tmp_path)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    answers = MapsAnswer(opened)
    columns = [
        answers.answer(MultiDict([("at", f"{series.id}.0.0"), ("sinks", sinks)])).maps[0].layers[0].thumb_cols
        for sinks in ("shown", "aside", "shown")
    ]
    assert columns == [6, 5, 6]


def test_rows_of_nothing_but_sink_are_blank_and_not_noise() -> None:
    rows = np.zeros((3, 4), np.float32)
    rows[:, 0] = 1
    rows[:, 1] = LEAST_REST / 4, 2 * LEAST_REST, 1
    rows /= rows.sum(axis=1, keepdims=True)
    rest, mass = set_aside(rows, np.array([0]))
    assert rest[0].tolist() == [0, 0, 0]
    assert rest[1].tolist() == pytest.approx([1, 0, 0]) and rest[2].tolist() == [1, 0, 0]
    assert mass.tolist() == pytest.approx([1 / 1.0025, 1 / 1.02, 0.5])


def test_a_row_that_does_not_sum_to_one_keeps_its_sum() -> None:
    rest, mass = set_aside(np.array([[1, 0.5, 0.5]], np.float32), np.array([0]))
    assert rest.sum() == 2 and mass.tolist() == [0.5]


def test_a_fault_in_what_is_set_aside_is_not_hidden() -> None:
    rows = np.full((3, 4), 0.25, np.float32)
    rows[0, 0] = np.nan
    rows[1, 2] = np.inf
    rows[2] = 0
    rest, mass = set_aside(rows, np.array([0]))
    assert np.isnan(mass[:2]).all() and mass[2] == 0
    assert rest[0].tolist() == [0.25] * 3 and rest[1].tolist() == [0.25, np.inf, 0.25]
    made = thumbnails([[Strip(0, rows[:1])]], (1, 4), 16, "max", None, np.array([0]))
    assert made.not_finite == b"\1" and np.isnan(made.aside).all()


def test_sink_keys_of_odd_inputs() -> None:
    assert sink_keys(3).tolist() == [0]
    assert sink_keys(3, None, np.array([False, True, True])).tolist() == [1]
    assert sink_keys(3, None, np.zeros(3, bool)).tolist() == []
    assert sink_keys(3, special(1, 1, 1)).tolist() == []
    assert sink_keys(3, special(0, 1)).tolist() == [0]  # tokens of another length
    assert sink_keys(0).tolist() == []
    assert sink_keys(3, special(0, 0, 1), first=False).tolist() == [2]
