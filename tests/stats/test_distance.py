"""Distances of many maps at once are those of each pair."""

from __future__ import annotations

import numpy as np
import pytest

from tb_llmdebug.stats.distance import jensen_shannon_distance, jensen_shannon_distances
from tests.data import softmax_maps

MASK = np.array([True, False, True, True, True, True])


@pytest.mark.parametrize("mask", [None, MASK], ids=["all rows", "padding"])
def test_each_pair_has_its_own_distance(mask: np.ndarray | None) -> None:
    a, b = softmax_maps(1, causal=True)[0].copy(), softmax_maps(2, heads=4)[0].copy()
    a[0, 3] = np.nan  # a row that does not count
    b[1] = np.inf  # a map without one that does
    b[2, 4] = 0
    b[3] *= 0.7  # rows are normalised first
    found = jensen_shannon_distances(list(a), list(b), mask)
    expected = [[jensen_shannon_distance(one, other, mask) for other in b] for one in a]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert np.isnan(found[:, 1]).all() and np.isfinite(np.delete(found, 1, axis=1)).all()


def test_equal_maps_are_at_no_distance() -> None:
    maps = list(softmax_maps(queries=50)[0])
    assert (np.diag(jensen_shannon_distances(maps, maps)) == 0).all()


def test_maps_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        jensen_shannon_distances([np.eye(2, dtype=np.float32)], [np.eye(3, dtype=np.float32)])
