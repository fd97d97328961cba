"""Rollout against its definition, and what it cannot follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tests.data import layers_of, softmax_maps


def logged(logdir: Path, maps: object, **settings: object) -> StoredAttention:
    with llmdebug.Writer(logdir):
        assert llmdebug.log_attention("probe", maps, step=0, precision="f32", **settings)
    return llmdebug.open_logdir(logdir).attention(".", "probe", step=0)


def test_rollout_is_the_product_of_the_layers_with_their_residuals(tmp_path: Path) -> None:
    maps = layers_of(3, causal=True)
    stored = logged(tmp_path, maps)
    expected = np.eye(6)
    for layer in maps:
        expected = (0.5 * layer[1].mean(axis=0) + 0.5 * np.eye(6)) @ expected
    assert np.allclose(llmdebug.rollout(stored, 1), expected, atol=1e-6)
    assert np.allclose(llmdebug.rollout(stored, 1).sum(axis=-1), 1, atol=1e-6)
    one = 0.5 * maps[0][0].mean(axis=0) + 0.5 * np.eye(6)
    assert np.allclose(llmdebug.rollout(stored, 0, upto=0), one, atol=1e-6)
    with pytest.raises(KeyError):
        llmdebug.rollout(stored, 2)


def test_a_row_that_is_not_finite_stays_so(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, causal=True)
    maps[0, 0, 2, 1] = np.nan
    found = llmdebug.rollout(logged(tmp_path, (maps,)))
    assert np.isnan(found[2]).any() and np.isfinite(found[[0, 1, 3, 4, 5]]).all()


def test_a_broken_row_spoils_only_the_rows_that_look_at_it(tmp_path: Path) -> None:
    first, second = (softmax_maps(seed, batch=1, heads=1, queries=4, causal=True) for seed in range(2))
    first[0, 0, 3] = np.nan  # nobody but itself looks at the last
    healthy = llmdebug.rollout(logged(tmp_path / "last", (np.nan_to_num(first), second)))
    found = llmdebug.rollout(logged(tmp_path / "broken", (first, second)))
    assert np.array_equal(found[:3], healthy[:3]) and np.isnan(found[3]).all()
    later = softmax_maps(2, batch=1, heads=1, queries=4, causal=True)
    first[0, 0, 1], second[0, 0, 2, 1] = np.nan, 0
    second[0, 0, 2] /= second[0, 0, 2].sum()
    first[0, 0, 3], second[0, 0, 3] = [0, 0, 0, 1], [0, 0, 1, 0]
    later[0, 0, 2], later[0, 0, 3] = [0.5, 0.5, 0, 0], [1, 0, 0, 0]
    found = llmdebug.rollout(logged(tmp_path / "through", (first, second, later)))
    # Row 2 looks at row 1 in the last layer only, row 3 at nobody who did before.
    assert np.isnan(found).all(axis=-1).tolist() == [False, True, True, False]
    assert np.allclose(found[[0, 3]].sum(axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("maps", "settings"),
    [((softmax_maps(keys=9),), {}), ((softmax_maps(),), {"rows": [1, 2]}), (layers_of(1), {"layers": [0]})],
)
def test_what_cannot_be_followed_says_why(tmp_path: Path, maps: object, settings: dict) -> None:
    stored = logged(tmp_path, maps, **settings)
    if settings == {"layers": [0]}:
        with pytest.raises(InvalidRecordError, match="no layer that is to be followed"):
            llmdebug.rollout(stored, upto=-1)
    else:
        with pytest.raises(InvalidRecordError, match="no square map with every row"):
            llmdebug.rollout(stored)
