"""What is kept of query, key and value vectors, and whether the weights follow from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.log import reduction
from tb_llmdebug.records import InvalidRecordError, MapState
from tests.tapped import log_tapped, stored_of, tapped_layer

EXACT = 1e-5
"""recomputed from float32 vectors, weights stored as float32 come out within this"""


def logged(root: Path, *layers: object, **choices: object):
    with llmdebug.Writer(root):
        assert log_tapped("probe", layers, **{"precision": "f32", **choices})
    return stored_of(root)


SLOPES = np.array([0.5, 0.25, 0.125, 0.0625]).reshape(1, 4, 1, 1)
BACK = np.arange(6)[None, :] - np.arange(6)[:, None]
ARITHMETIC = {
    "plain": {},
    "its own scale, said": {"scale": 0.3, "told": 0.3},
    "its own scale, not said": {"scale": 0.3},
    "said wrongly": {"scale": 0.3, "told": 0.5},
    "soft cap": {"softcap": 2.0},
    "bias per head": {"bias": SLOPES * BACK},
    "the same bias for all": {"bias": 0.1 * BACK[None, None]},
    "sinks": {"sinks": np.array([0.0, 1.0, -2.0, 3.0], np.float32)},
    "masked by a large number": {"masked_with": -1e4},
    "float16": {"dtype": np.float16},
    "everything to be seen": {"causal": False},
    "cross": {"causal": False, "queries": 3, "keys": 9},
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_weights_follow_from_the_vectors(tmp_path: Path, name: str) -> None:
    settings = ARITHMETIC[name]
    taps = tapped_layer(**settings)
    stored = logged(tmp_path, taps)
    for example, head in np.ndindex(2, 4):
        found = stored.vectors(0, head, example)
        assert np.array_equal(found.q, taps.q[example, head])
        assert np.array_equal(found.k, taps.k[example, head // 2])
        assert np.array_equal(found.v, taps.v[example, head // 2])
        assert found.q.dtype == taps.q.dtype
        weights = stored.weights(0, head, example)
        assert np.abs(found.weights() - weights).max() < EXACT
        assert np.allclose(found.output(), weights @ taps.v[example, head // 2], atol=1e-4)


def test_what_the_layer_does_is_told_apart(tmp_path: Path) -> None:
    def vectors(**settings: object):
        return logged(tmp_path / str(len(list(tmp_path.iterdir()))), tapped_layer(**settings)).vectors(0, 1)

    plain = vectors()
    assert (plain.scale, plain.scale_fitted, plain.bias, plain.sink) == (0.5, False, None, None)
    assert np.array_equal(plain.masked, BACK > 0)
    fitted = vectors(scale=0.3)
    assert fitted.scale_fitted and abs(fitted.scale - 0.3) < 1e-6 and fitted.bias is None
    assert vectors(scale=0.3, told=0.3).scale_fitted is False
    assert vectors(softcap=2.0).softcap == 2.0
    biased = vectors(bias=SLOPES * BACK, told=0.5)
    assert np.allclose(np.where(BACK > 0, 0, biased.bias), np.where(BACK > 0, 0, 0.25 * BACK), atol=1e-5)
    assert vectors(sinks=np.arange(4, dtype=np.float32)).sink == 1.0
    assert vectors(causal=False).masked is None
    layer = stored_of(tmp_path / "0").message.layers[0].vectors
    assert (layer.masked_planes, layer.bias_planes, layer.key_value_heads) == (1, 0, 2)
    assert stored_of(tmp_path / "4").message.layers[0].vectors.bias_planes == 4


def test_chosen_heads_rows_examples_and_layers(tmp_path: Path) -> None:
    layers = [tapped_layer(number) for number in range(3)]
    stored = logged(tmp_path, *layers, heads=[3], rows=[1, 4], examples=[1], vectors=[0, 2])
    assert [stored.has_vectors(layer) for layer in range(3)] == [True, False, True]
    found = stored.vectors(2, 3)
    assert np.array_equal(found.q, layers[2].q[1, 3, [1, 4]])
    assert np.array_equal(found.k, layers[2].k[1, 1]) and found.masked.shape == (2, 6)
    assert np.abs(found.weights() - stored.weights(2, 3)).max() < EXACT
    assert stored.message.layers[0].vectors.key_value_heads == 1, (
        "keys that no kept head looks at were stored"
    )
    with pytest.raises(KeyError, match="vectors=True"):
        stored.vectors(1, 3)
    with pytest.raises(KeyError, match="head 0"):
        stored.vectors(2, 0)
    with pytest.raises(KeyError, match="example 1"):
        stored.vectors(2, 3, example=1)


def test_everything_comes_back_as_a_record(tmp_path: Path) -> None:
    taps = tapped_layer(bias=SLOPES * BACK, sinks=np.ones(4, np.float32))
    layer = logged(tmp_path, taps, tapped_layer(1)).record().layers[0]
    assert np.array_equal(layer.vectors.q, taps.q) and np.array_equal(layer.vectors.v, taps.v)
    assert layer.vectors.groups == (0, 0, 1, 1) and layer.vectors.bias.shape == (2, 4, 6, 6)


def test_without_asking_nothing_is_stored(tmp_path: Path) -> None:
    stored = logged(tmp_path, tapped_layer(), vectors=False)
    assert not stored.has_vectors(0) and not stored.message.vector_bytes
    assert stored.message.vectors_left_out == ""


def test_over_the_budget_the_vectors_go_first_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [tapped_layer(number, size=64, value_size=64) for number in range(4)]
    maps = 4 * 2 * 4 * 6 * 6 * 4
    one = 4 * (2 * 4 * 6 * 64 + 2 * 2 * 6 * 128) + 2 * 6 * 6 // 8
    monkeypatch.setattr(reduction, "BUDGET_BYTES", maps + 2 * one + one // 2)
    stored = logged(tmp_path, *layers)
    assert [stored.has_vectors(layer) for layer in range(4)] == [True, True, False, False]
    assert all(stored.has_weights(layer) for layer in range(4))
    assert stored.head.map_state == MapState.FULL
    said = stored.message.vectors_left_out
    assert "2 of 4 layers" in said and "vectors=" in said and said in stored.message.reduction
    with pytest.raises(KeyError, match="left out"):
        stored.vectors(3, 0)


def test_maps_that_come_later_take_the_room_of_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [tapped_layer(number) for number in range(4)]
    monkeypatch.setattr(reduction, "BUDGET_BYTES", 4 * 2 * 4 * 6 * 6 * 4)
    stored = logged(tmp_path, *layers)
    assert not any(stored.has_vectors(layer) for layer in range(4))
    assert all(stored.has_weights(layer) for layer in range(4)), "maps were pooled for the sake of vectors"
    assert "4 of 4 layers" in stored.message.vectors_left_out


def test_a_layer_that_shows_no_queries_is_said(tmp_path: Path) -> None:
    from dataclasses import replace

    stored = logged(tmp_path, tapped_layer(), replace(tapped_layer(1), q=None))
    assert stored.has_vectors(0) and not stored.has_vectors(1)
    assert "layers.1 shows no queries" in stored.message.vectors_left_out


def test_a_full_queue_leaves_them_out_with_the_maps(tmp_path: Path) -> None:
    record = logged(tmp_path, tapped_layer()).record()
    left = record.without_maps("The queue was full.")
    assert left.layers[0].vectors is None and left.vectors_left_out == "The queue was full."
    assert record.nbytes() > record.layers[0].vectors.nbytes() > 0 and left.nbytes() == 0


def test_mistakes_raise(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        with pytest.raises(InvalidRecordError, match=r"vectors=\[7\].*there are \[0\]"):
            log_tapped("probe", [tapped_layer()], vectors=[0, 7])
        with pytest.raises(InvalidRecordError, match="vectors is"):
            log_tapped("probe", [tapped_layer()], vectors="all")


def test_a_row_of_padding_may_look_nowhere() -> None:
    from tb_llmdebug.records import HeadVectors

    blind = HeadVectors(np.ones((1, 2)), np.ones((3, 2)), np.ones((3, 2)), 1.0, masked=np.ones((1, 3), bool))
    assert blind.weights().tolist() == [[0.0, 0.0, 0.0]]
