"""Comparing logged attentions and matching their heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats import jensen_shannon_distance
from tests.data import layers_of, softmax_maps

WORDS = [list("abcdef"), list("uvwxyz")]


def logged(logdir: Path, name: str, maps: object, **settings: object) -> StoredAttention:
    with llmdebug.Writer(logdir / name):
        assert llmdebug.log_attention("probe", maps, step=0, precision="f32", **settings)
    return llmdebug.open_logdir(logdir).attention(name, "probe", step=0)


def test_distances_are_of_equal_inputs_wherever_they_stand_in_the_batch(tmp_path: Path) -> None:
    mask = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])
    first, second = layers_of(2, mask=mask), tuple(softmax_maps(9 + n, mask=mask) for n in range(2))
    a = logged(tmp_path, "a", first, tokens=WORDS, mask=mask)
    swapped = tuple(maps[::-1].copy() for maps in second)
    b = logged(tmp_path, "b", swapped, tokens=WORDS[::-1], mask=mask[::-1])
    found = llmdebug.compare(a, b)
    assert found.examples == ((0, 1), (1, 0))
    for layer, (mine, other) in zip(found.layers, zip(first, second, strict=True), strict=True):
        for example in range(2):
            real = mask[example].astype(bool)
            for head in range(3):
                expected = jensen_shannon_distance(mine[example, head], other[example, head], real)
                assert layer.distances[example, head] == pytest.approx(expected, abs=1e-6)
    changes = found.most_changed()
    assert len(changes) == 6 and [c.mean for c in changes] == sorted((c.mean for c in changes), reverse=True)
    top = changes[0]
    distances = found.layers[top.layer].distances[:, top.head]
    assert (top.mean, top.spread) == (pytest.approx(distances.mean()), pytest.approx(distances.std()))
    assert found.most_changed(2) == changes[:2]


def test_what_cannot_be_compared_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = logged(tmp_path, "a", layers_of(1), tokens=WORDS)
    other_text = logged(tmp_path, "b", layers_of(1), tokens=[list("ABCDEF"), list("UVWXYZ")])
    other_shape = logged(tmp_path, "c", layers_of(1, queries=5), tokens=[list("abcde"), list("uvwxy")])
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 10)
    pooled = logged(tmp_path, "d", layers_of(1), tokens=WORDS)
    for other, why in [(other_text, "different inputs"), (pooled, "only pooled maps")]:
        with pytest.raises(InvalidRecordError, match=why):
            llmdebug.compare(a, other)
    with pytest.raises(InvalidRecordError, match="no layer of the same number and shape"):
        llmdebug.compare(a, other_shape, [(0, 0)])


def test_a_head_without_a_real_row_comes_last(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, heads=2)
    broken = maps.copy()
    broken[0, 0] = np.nan
    changes = llmdebug.compare(
        logged(tmp_path, "a", (maps,)), logged(tmp_path, "b", (broken,))
    ).most_changed()
    assert [change.head for change in changes] == [1, 0] and np.isnan(changes[1].mean)


def test_shuffled_heads_are_found_again(tmp_path: Path) -> None:
    maps = softmax_maps(heads=6, queries=10, sharpness=4)
    order = [4, 2, 0, 5, 1, 3]
    noisy = softmax_maps(heads=6, queries=10, sharpness=4) * 0.9 + 0.01
    a, b = logged(tmp_path, "a", (maps,)), logged(tmp_path, "b", (noisy[:, order].copy(),))
    matches = llmdebug.match_heads(a, b)
    assert [(m.head, order[m.other]) for m in matches] == [(head, head) for head in range(6)]
    for match in matches:
        both = [jensen_shannon_distance(maps[e, match.head], noisy[e, match.head]) for e in range(2)]
        assert match.distance == pytest.approx(np.mean(both), abs=1e-6)


def test_one_broken_example_does_not_spoil_the_matching(tmp_path: Path) -> None:
    maps = softmax_maps(heads=4, queries=10, sharpness=4)
    order = [2, 0, 3, 1]
    shuffled = maps[:, order].copy()
    shuffled[1, 3] = np.nan  # head 1 of the other, in the second example
    matches = llmdebug.match_heads(logged(tmp_path, "a", (maps,)), logged(tmp_path, "b", (shuffled,)))
    assert [(m.head, order[m.other], m.distance) for m in matches] == [(head, head, 0) for head in range(4)]
    shuffled[:, 3] = np.nan
    matches = llmdebug.match_heads(logged(tmp_path, "a", (maps,)), logged(tmp_path, "c", (shuffled,)))
    assert [(m.head, order[m.other]) for m in matches] == [(head, head) for head in (0, 2, 3)]


def test_padding_of_either_side_does_not_count(tmp_path: Path) -> None:
    mask = np.array([[1, 1, 1, 1, 0, 0]] * 2)
    one, other = layers_of(1), tuple(softmax_maps(5) for _ in range(1))
    a, b = logged(tmp_path, "a", one), logged(tmp_path, "b", other, mask=mask)
    forth, back = llmdebug.compare(a, b).layers[0].distances, llmdebug.compare(b, a).layers[0].distances
    np.testing.assert_allclose(forth, back, atol=1e-12)
    expected = jensen_shannon_distance(one[0][0, 0], other[0][0, 0], mask[0].astype(bool))
    assert forth[0, 0] == pytest.approx(expected, abs=1e-6)
    there, again = (
        {(m.head, m.other): m.distance for m in llmdebug.match_heads(*both)} for both in ((a, b), (b, a))
    )
    assert {(one, two): pytest.approx(value) for (two, one), value in there.items()} == again


MAPS = layers_of(1)
TAKES_STORED = {
    "compare": lambda stored, other: llmdebug.compare(stored, other),
    "match_heads": lambda stored, other: llmdebug.match_heads(stored, other),
    "most_similar_heads": lambda _, other: llmdebug.most_similar_heads(other),
    "rollout": lambda _, other: llmdebug.rollout(other),
    "value_weighted": lambda _, other: llmdebug.value_weighted(other, layer=0, head=0),
    "mean_attention": lambda _, other: llmdebug.mean_attention(other, layer=0, head=0),
    "without_sinks": lambda _, other: llmdebug.without_sinks(other, layer=0, head=0),
}


@pytest.mark.parametrize("function", TAKES_STORED)
def test_arrays_are_no_logged_attention(function: str, tmp_path: Path) -> None:
    stored = logged(tmp_path, "a", MAPS)
    for other, kind in ((MAPS[0], "ndarray"), (stored.record(), "AttentionRecord")):
        with pytest.raises(InvalidRecordError, match=rf"^a {kind} is no .* open_logdir\(\.\.\.\)\.attention"):
            TAKES_STORED[function](stored, other)
