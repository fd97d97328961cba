"""Statistics against their definitions, written out plainly in float64."""

from __future__ import annotations

import numpy as np
import pytest

from tb_llmdebug.stats import (
    STATISTICS,
    HeadStatistics,
    KnownTokens,
    jensen_shannon_distance,
    layer_statistics,
)
from tests.data import softmax_maps

IDS = np.array([5, 6, 7, 5, 6, 7, 8, 5, 5, 6, 9, 8])
SPECIAL = IDS == 7


def repeats(place: int, keys: np.ndarray) -> list[int]:
    return [k + 1 for k in range(place - 1) if keys[k] and IDS[k] == IDS[place]]


def by_definition(head: np.ndarray, queries: np.ndarray, keys: np.ndarray) -> dict[str, float]:
    rows = [(place, head[place].astype(np.float64)) for place in np.flatnonzero(queries)]
    columns = np.arange(head.shape[1])
    return {
        "entropy": np.mean([-sum(w * np.log2(w) for w in row if w > 0) for _, row in rows]),
        "max": np.mean([row.max() for _, row in rows]),
        "first_token": np.mean([row[np.flatnonzero(keys)[0]] for _, row in rows]),
        "diagonal": np.mean([row[place] for place, row in rows]),
        "previous_token": np.mean([row[p - 1] for p, row in rows if p > np.flatnonzero(keys)[0]]),
        "distance": np.mean([sum(row * np.abs(place - columns)) for place, row in rows]),
        "padding": np.mean([row[~keys].sum() for _, row in rows]),
        "above_diagonal": np.mean([row[columns > place].sum() for place, row in rows]),
        "row_sum_error": np.max([abs(row.sum() - 1) for _, row in rows]),
        "nan": 0.0,
        "inf": 0.0,
        "effective": np.mean([2 ** -sum(w * np.log2(w) for w in row if w > 0) for _, row in rows]),
        "special": np.mean([row[SPECIAL & keys].sum() for _, row in rows]),
        "induction": np.mean([row[repeats(p, keys)].sum() for p, row in rows if repeats(p, keys)]),
    }


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("causal", [False, True])
def test_every_statistic_is_what_its_definition_says(padding: int, causal: bool) -> None:
    real = np.arange(12) >= padding
    weights = softmax_maps(heads=4, queries=12, causal=causal)[0]
    statistics = HeadStatistics(4)
    for rows in (slice(0, 5), slice(5, 12)):
        places = np.arange(12)[rows]
        statistics.add(weights[:, rows], places, real[rows], real, tokens=KnownTokens(IDS, SPECIAL))
    computed = statistics.result()
    for head in range(4):
        expected = by_definition(weights[head], real, real)
        for place, name in enumerate(STATISTICS):
            assert computed[head, place] == pytest.approx(expected[name], abs=2e-6), name


def test_the_worst_row_sum_counts_whichever_block_it_is_in() -> None:
    weights = softmax_maps(batch=1, heads=1, queries=4)[0]
    weights[0, 1] *= 0.5
    statistics = HeadStatistics(1)
    for rows in (slice(0, 2), slice(2, 4)):
        statistics.add(weights[:, rows], np.arange(4)[rows])
    assert statistics.result()[0, STATISTICS.index("row_sum_error")] == pytest.approx(0.5, abs=1e-6)


def test_padding_rows_do_not_count() -> None:
    real = np.array([False, False, True, True])
    weights = softmax_maps(queries=4)[0]
    spoiled = weights.copy()
    spoiled[:, :2] = np.nan
    healthy, broken = (layer_statistics(maps, real, real)[0] for maps in (weights, spoiled))
    assert np.array_equal(healthy, broken, equal_nan=True)


def test_a_perfect_head_for_the_token_before_scores_1_wherever_the_text_begins() -> None:
    for padding in (0, 3):
        real = np.arange(4 + padding) >= padding
        weights = np.eye(len(real), k=-1, dtype=np.float32)[None]
        weights[0, padding] = np.eye(len(real))[padding]  # the first has but itself
        found = dict(zip(STATISTICS, layer_statistics(weights, real, real)[0][0], strict=True))
        assert found["previous_token"] == 1 and found["diagonal"] == 0.25


def test_rows_that_are_not_finite_are_counted_and_left_out() -> None:
    weights = softmax_maps(batch=1, heads=2, queries=5)[0]
    whole = layer_statistics(weights)[0]
    weights[0, 1, 2], weights[0, 3, 0], weights[0, 3, 1] = np.nan, np.inf, -np.inf
    statistics = dict(zip(STATISTICS, layer_statistics(weights)[0][0], strict=True))
    assert (statistics["nan"], statistics["inf"]) == (1, 2)
    assert np.isfinite(statistics["entropy"])
    assert np.array_equal(layer_statistics(weights)[0][1], whole[1], equal_nan=True)
    weights[0] = np.nan
    assert np.isnan(dict(zip(STATISTICS, layer_statistics(weights)[0][0], strict=True))["entropy"])


def test_what_a_rectangular_map_or_no_mask_leaves_undefined_is_nan() -> None:
    statistics = layer_statistics(softmax_maps(queries=4, keys=7)[0])[0]
    undefined = {name for name, value in zip(STATISTICS, statistics[0], strict=True) if np.isnan(value)}
    positions = {"diagonal", "previous_token", "distance", "above_diagonal"}
    assert undefined == positions | {"padding", "special", "induction"}


def test_without_a_real_row_nothing_is_defined_but_the_counts() -> None:
    nobody = np.zeros(6, bool)
    statistics = layer_statistics(softmax_maps()[0], nobody, nobody)[0]
    defined = {name for name, value in zip(STATISTICS, statistics[0], strict=True) if not np.isnan(value)}
    assert defined == {"nan", "inf"}


def test_distance_of_maps() -> None:
    a, b = softmax_maps(1, queries=8)[0, 0], softmax_maps(2, queries=8)[0, 0]
    assert jensen_shannon_distance(a, a) == 0
    assert jensen_shannon_distance(a, b) == jensen_shannon_distance(b, a)
    assert 0 < jensen_shannon_distance(a, b) < 1
    scipy_value = 0.0  # the same rows by the definition, as scipy.spatial.distance.jensenshannon has it
    for p, q in zip(a.astype(float), b.astype(float), strict=True):
        p, q = p / p.sum(), q / q.sum()
        m = (p + q) / 2
        divergence = (sum(p * np.log2(p / m)) + sum(q * np.log2(q / m))) / 2
        scipy_value += np.sqrt(divergence) / len(a)
    assert jensen_shannon_distance(a, b) == pytest.approx(scipy_value, abs=1e-9)


def test_distance_leaves_padding_and_broken_rows_out() -> None:
    a, b = softmax_maps(1, queries=4)[0, 0], softmax_maps(1, queries=4)[0, 0].copy()
    b[0], b[1] = np.nan, 0
    assert jensen_shannon_distance(a, b) == 0
    assert np.isnan(jensen_shannon_distance(a, b, np.array([True, True, False, False])))
    with pytest.raises(ValueError, match="log equal inputs"):
        jensen_shannon_distance(a, a[:2])
