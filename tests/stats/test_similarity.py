"""The most similar head of each head, held against comparing every pair."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats import distance, jensen_shannon_distance, lower_bounds, similarity
from tb_llmdebug.stats.distance import PreparedMap, jensen_shannon_distances
from tests.data import layers_of, softmax_maps

MASK = np.array([[1] * 12, [0, 0, 0] + [1] * 9])


def logged(logdir: Path, *layers: np.ndarray, **settings: object) -> StoredAttention:
    with llmdebug.Writer(logdir):
        assert llmdebug.log_attention("probe", layers, step=0, **{"precision": "f32", **settings})
    return llmdebug.open_logdir(logdir).attention(".", "probe", step=0)


def bounds_of(maps: np.ndarray) -> np.ndarray:
    """Return the bounds of all pairs of maps [maps, rows, keys]."""

    def prepared(weights: np.ndarray) -> PreparedMap:
        return PreparedMap(lambda rows: weights[rows.start : rows.stop], weights.shape)

    return lower_bounds.lower_bounds([prepared(weights) for weights in maps])


def by_brute_force(stored: StoredAttention, example: int | None) -> dict[tuple, tuple]:
    """Compare every pair with the plain definition; return the nearest of each head and its distance."""
    count = len(stored.message.examples)
    examples = range(count) if example is None else [example]
    heads = [(layer.layer, head) for layer in stored.message.layers for head in layer.heads]
    found = {}
    for one in heads:
        distances = {}
        for other in heads:
            maps = [[stored.weights(*head, place) for place in examples] for head in (one, other)]
            if one == other or maps[0][0].shape != maps[1][0].shape:
                continue
            each = [
                jensen_shannon_distance(maps[0][i], maps[1][i], stored.real_rows(one[0], place))
                for i, place in enumerate(examples)
            ]
            known = [distance for distance in each if not np.isnan(distance)]
            if known:
                distances[other] = np.mean(known)
        other = min(distances, key=distances.__getitem__, default=None)
        found[one] = (other, distances.get(other, np.nan))
    return found


def check(stored: StoredAttention, example: int | None = 0) -> list[llmdebug.SimilarHead]:
    similar = llmdebug.most_similar_heads(stored, example)
    expected = by_brute_force(stored, example)
    assert [(one.layer, one.head) for one in similar] == list(expected)
    for one in similar:
        other, distance = expected[one.layer, one.head]
        assert one.distance == pytest.approx(distance, abs=1e-6, nan_ok=True)
        assert one.other == other
    return similar


@pytest.mark.parametrize("sharpness", [0.02, 1.0, 4.0])
@pytest.mark.parametrize("precision", ["f32", "u8"])
def test_it_is_the_nearest_of_all_heads(tmp_path: Path, sharpness: float, precision: str) -> None:
    layers = layers_of(4, heads=8, queries=12, causal=True, mask=MASK, sharpness=sharpness)
    stored = logged(tmp_path, *layers, mask=MASK, causal=True, precision=precision)
    for example in (0, 1, None):
        check(stored, example)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize(
    ("decoded", "turned", "pairs", "at_once"),
    # Some rows at once, some keys of a row, some heads: none of it changes what is found.
    [(1 << 22, 1 << 17, 3 * 32, 1 << 19), (32 * 12 * 5, 1 << 17, 1 << 21, 12 * 7), (32 * 5, 32 * 2, 320, 12)],
)
def test_what_is_worked_on_piece_by_piece_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: np.ndarray | None, decoded: int, turned: int,
    pairs: int, at_once: int,
) -> None:  # fmt: skip
    maps = layers_of(4, heads=8, queries=12, mask=mask)
    maps[1][0, 2, 4] = np.nan
    maps[2][1, 3, 7, 0] = -0.5
    stored = logged(tmp_path, *maps, mask=mask)
    whole = [llmdebug.most_similar_heads(stored, example) for example in (0, None)]
    monkeypatch.setattr(lower_bounds, "DECODED", decoded)
    monkeypatch.setattr(lower_bounds, "TURNED", turned)
    monkeypatch.setattr(similarity, "PAIRS", pairs)
    monkeypatch.setattr(distance, "AT_ONCE", at_once)
    assert [llmdebug.most_similar_heads(stored, example) for example in (0, None)] == whole
    check(stored)


def test_rows_of_several_tiles_are_decoded_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = softmax_maps(batch=1, heads=3, queries=520, causal=True, sharpness=1)
    maps[0, 1, :256] = 0  # a whole row of tiles, of which nothing is stored
    stored = logged(tmp_path, maps, precision="u8")
    whole = llmdebug.most_similar_heads(stored)
    assert not np.isnan([one.distance for one in whole]).any()
    monkeypatch.setattr(distance, "AT_ONCE", 100 * 520)
    monkeypatch.setattr(lower_bounds, "DECODED", 70 * 3 * 520)
    assert llmdebug.most_similar_heads(stored) == whole
    for rows in (range(250, 260), range(300, 520), range(10)):
        found = np.zeros((len(rows), 520), np.float32)
        for first, strip in stored.strips(0, 1, rows=rows):
            found[first - rows.start :][: len(strip)] = strip
        assert np.array_equal(found, stored.weights(0, 1)[rows.start : rows.stop])


def test_large_records_take_little_memory(tmp_path: Path) -> None:
    """Their maps would take 134 MB, those of twice as many heads as much as the whole plugin may and more."""
    one = softmax_maps(batch=1, heads=16, queries=256, causal=True, sharpness=1)
    stored = logged(tmp_path, *[one] * 32, precision="u8")
    tracemalloc.start()
    try:
        similar = llmdebug.most_similar_heads(stored)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(similar) == 512 and {one.distance for one in similar} == {0}
    assert peak < 64 << 20, peak


def test_sinks_and_copies(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, heads=6, queries=20, causal=True)
    sink = np.zeros((20, 20), np.float32)
    sink[:, 0] = 1
    almost = 0.999 * sink + 0.001 * maps[0, 0]
    copies = np.stack([maps[0, 3], sink, almost, maps[0, 5]])[None]
    similar = {
        (one.layer, one.head): one for one in llmdebug.most_similar_heads(logged(tmp_path, maps, copies))
    }
    assert similar[0, 3][2:] == ((1, 0), 0) and similar[1, 3][2:] == ((0, 5), 0)
    assert similar[1, 1].other == (1, 2) and 0 < similar[1, 1].distance < 0.1


def test_only_maps_of_one_shape_are_compared(tmp_path: Path) -> None:
    stored = logged(
        tmp_path, softmax_maps(), softmax_maps(1, queries=9), softmax_maps(2), softmax_maps(heads=1, keys=5)
    )
    similar = check(stored)
    assert [one.other[0] for one in similar[3:6]] == [1, 1, 1]
    assert similar[-1].other is None and np.isnan(similar[-1].distance)


def test_rows_that_are_no_distribution_are_left_out_pair_by_pair(tmp_path: Path) -> None:
    maps = softmax_maps(batch=2, heads=7, queries=10)
    maps[0, 0, 3] = np.nan
    maps[0, 1, 4:] = np.inf
    maps[0, 2] = np.nan
    maps[1, 3] = 0
    maps[0, 4, 2] = 0
    stored = logged(tmp_path, maps)
    similar = check(stored)
    assert similar[2].other is None
    assert check(stored, None)[2].other is not None


def test_negative_weights_rule_nothing_out(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, heads=4, queries=10, sharpness=1)
    maps[0, 3] = maps[0, 1]
    maps[0, 3, :, 0] = -0.01
    stored = logged(tmp_path, maps)
    distances = jensen_shannon_distances(list(maps[0]), list(maps[0]))
    np.fill_diagonal(distances, np.inf)
    assert np.all(bounds_of(maps[0]) <= distances + 1e-6)
    found = llmdebug.most_similar_heads(stored)
    assert [one.distance for one in found] == pytest.approx(distances.min(axis=0), abs=1e-6)


def test_chosen_rows_and_examples_of_padding(tmp_path: Path) -> None:
    mask = np.array([[1] * 12, [0] * 12])
    stored = logged(tmp_path, *layers_of(3, queries=12, mask=MASK), mask=mask, rows=[2, 5, 11])
    check(stored)
    assert all(one.other is None for one in llmdebug.most_similar_heads(stored, 1))


def test_the_bound_holds_and_is_close() -> None:
    ratio = np.concatenate([np.logspace(-6, 0, 2001), np.linspace(1, 60, 20_001)])
    p = np.array([np.exp(ratio / 2), np.exp(-ratio / 2)]).T.astype(np.float32)
    least = []
    for sharpness in (0.01, 0.3, 1.0, 3.0, 20.0):
        maps = softmax_maps(batch=1, heads=12, queries=30, causal=True, sharpness=sharpness)[0]
        bounds = bounds_of(maps)
        for a, b in zip(*np.triu_indices(12, 1), strict=True):
            distance = jensen_shannon_distance(maps[a], maps[b])
            assert bounds[a, b] <= distance
            least.append(bounds[a, b] / distance)
    assert min(least) > 0.99
    # Of two tokens, whatever their odds.
    pairs = np.stack([p, p[:, ::-1]])
    bounds = [bounds_of(pairs[:, [i]])[0, 1] for i in range(0, len(p), 97)]
    exact = [jensen_shannon_distance(pairs[0, [i]], pairs[1, [i]]) for i in range(0, len(p), 97)]
    assert np.all(np.array(bounds) <= np.array(exact) + 1e-12)


def test_few_pairs_are_compared_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = logged(tmp_path, *layers_of(8, batch=1, heads=8, queries=16, causal=True))
    calls = []
    real = similarity.distances_from

    def counted(one: PreparedMap, others: list[PreparedMap]) -> np.ndarray:
        calls.append(len(others))
        return real(one, others)

    monkeypatch.setattr(similarity, "distances_from", counted)
    llmdebug.most_similar_heads(stored)
    assert 32 <= sum(calls) < 128  # of 2,016 pairs
    with pytest.raises(InvalidRecordError, match="more than 31 pairs"):
        llmdebug.most_similar_heads(stored, most_pairs=31)


def test_without_weights_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = logged(tmp_path / "a", softmax_maps())
    with pytest.raises(KeyError, match="example 2"):
        llmdebug.most_similar_heads(stored, 2)
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1 << 14)
    with pytest.raises(InvalidRecordError, match="only pooled maps"):
        llmdebug.most_similar_heads(logged(tmp_path / "b", softmax_maps(queries=300)))
