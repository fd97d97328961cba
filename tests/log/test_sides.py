"""What stands beside the weights counts for the right positions: cross-attention, values, rows, numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.capture.taps import Captured, LayerTaps
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats import STATISTICS
from tests.data import softmax_maps

SOURCE, TARGET = [list("abcdef")], [list("uvwxyz")]


def logged(logdir: Path, attention: Any, **settings: Any) -> StoredAttention:
    with llmdebug.Writer(logdir) as writer:
        assert llmdebug.log_attention("probe", attention, step=0, **settings)
        assert writer.flush(60)
        assert writer.status().lost_records == 0, writer.status().last_error
    return llmdebug.open_logdir(logdir).attention(".", "probe", step=0)


def statistics(stored: StoredAttention, head: int = 0) -> dict[str, float]:
    return dict(zip(STATISTICS, stored.statistics(0)[head].tolist(), strict=True))


def test_cross_attention_of_equal_lengths_has_no_diagonal_and_no_padded_queries(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1)
    maps[0, 1, 4, 0] = np.nan
    given = {"query_tokens": TARGET, "key_tokens": SOURCE, "mask": [1, 1, 1, 0, 0, 0]}
    stored = logged(tmp_path, (maps,), **given)
    found = statistics(stored)
    undefined = {"diagonal", "previous_token", "distance", "above_diagonal", "induction"}
    assert {name for name in undefined if np.isnan(found[name])} == undefined
    assert statistics(stored, head=1)["nan"] == 1
    record = stored.record()
    assert record.examples[0].query_mask is None
    assert "attention.not_finite" in [anomaly.rule for anomaly in record.anomalies]
    entropy = [-(row * np.log2(row)).sum() for row in maps[0, 0].astype(float)]
    assert found["entropy"] == pytest.approx(np.mean(entropy), abs=1e-5)


def test_equal_tokens_on_both_sides_are_self_attention(tmp_path: Path) -> None:
    stored = logged(tmp_path, (softmax_maps(batch=1),), query_tokens=SOURCE, key_tokens=SOURCE)
    assert not np.isnan(statistics(stored)["diagonal"])


def test_values_in_a_dict_are_paired_by_name(tmp_path: Path) -> None:
    maps, ones = softmax_maps(batch=1), np.ones((1, 3, 6, 3), np.float32)
    stored = logged(tmp_path, {"a": maps, "b": maps}, values={"b": 100 * ones, "a": ones})
    assert stored.value_norms(0)[0, 0] == pytest.approx(np.sqrt(3))
    assert stored.value_norms(1)[0, 0] == pytest.approx(100 * np.sqrt(3))
    with pytest.raises(InvalidRecordError, match="values hold no layer 'b'"):
        logged(tmp_path, {"a": maps, "b": maps}, values={"a": ones, "c": ones})


def test_the_first_rows_of_a_long_context_are_known_as_such(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, queries=40, causal=True)[:, :, :4].copy()
    maps[0, 0, 2, 30] = 0.5
    record = logged(tmp_path, (maps,), rows=[0, 1, 2, 3], causal=True).record()
    assert (record.layers[0].queries, record.layers[0].rows) == (40, (0, 1, 2, 3))
    leak = next(a for a in record.anomalies if a.rule == "attention.above_diagonal")
    assert (leak.query, leak.key) == (2, 30) and record.reduction


@pytest.mark.parametrize("name", ["layers", "heads", "examples", "rows"])
@pytest.mark.parametrize("wrong", [[], 1, [0.5], "ab", [None]])
def test_what_is_chosen_is_a_list_of_whole_numbers(tmp_path: Path, name: str, wrong: Any) -> None:
    with llmdebug.Writer(tmp_path), pytest.raises(InvalidRecordError, match=f"{name} is .*: pass a list"):
        llmdebug.log_attention("probe", (softmax_maps(),), step=0, **{name: wrong})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"causal": "no"}, "causal is 'no'"),
        ({"causal": np.array([True, False])}, "causal is "),
        ({"document_ids": [0.5] * 6}, "document_ids are of type float64"),
    ],
)
def test_other_mistakes_raise_at_once(tmp_path: Path, settings: dict, sentence: str) -> None:
    with llmdebug.Writer(tmp_path), pytest.raises(InvalidRecordError, match=sentence):
        llmdebug.log_attention("probe", (softmax_maps(),), step=0, **settings)


def test_rows_of_tiny_weights_come_back(tmp_path: Path) -> None:
    maps = np.full((1, 1, 4, 5000), 2e-7, np.float32)
    stored = logged(tmp_path, (maps,), precision="u8")
    assert np.allclose(stored.weights(0, 0), maps[0, 0])


def test_a_block_of_negative_weights_is_not_shown_as_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1000)
    maps = -5 * softmax_maps(batch=1, queries=50)
    stored = logged(tmp_path, (maps,))
    row, key = stored.pooled_factors(0)[0]
    assert stored.pooled(0, 0)[1, 1] == pytest.approx(
        maps[0, 0, row : 2 * row, key : 2 * key].max(), rel=1e-2
    )


def test_rows_that_are_all_too_heavy_are_no_dropout(tmp_path: Path) -> None:
    maps = (np.tri(6, dtype=np.float32) / np.arange(1, 7, dtype=np.float32)[:, None])[None, None]
    maps[..., 1] = 0
    maps = maps / maps.sum(axis=-1, keepdims=True) * 1.08
    record = logged(tmp_path, (maps.astype(np.float32),)).record()
    assert [(a.rule, a.severity.name) for a in record.anomalies] == [("attention.row_sum", "ERROR")]


def test_of_several_replicas_the_first_is_logged(tmp_path: Path) -> None:
    captured = Captured()
    for replica in (1, 0):
        maps = softmax_maps(replica, batch=1)
        captured.add(
            LayerTaps(
                layer=0,
                label="a",
                shape=maps.shape,
                replica=replica,
                block=lambda example, heads, rows, maps=maps: maps[example, heads][:, rows],
            )
        )
    record = logged(tmp_path, captured, precision="f32").record()
    assert [layer.layer for layer in record.layers] == [0]
    assert np.array_equal(record.layers[0].weights, softmax_maps(0, batch=1))
