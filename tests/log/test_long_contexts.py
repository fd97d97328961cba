"""Maps over the budget, chosen rows, layers one at a time: what is kept, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import AttentionRecord, InvalidRecordError, MapState
from tb_llmdebug.stats import STATISTICS, layer_statistics
from tests.data import softmax_maps
from tests.durability.counts import count

LEFT = np.array([[0, 0, 0, *[1] * 47], [1] * 50])


def logged(logdir: Path, attention: object, **settings: object) -> tuple[StoredAttention, AttentionRecord]:
    with llmdebug.Writer(logdir) as writer:
        assert llmdebug.log_attention("probe", attention, step=0, **settings)
        assert writer.flush(60)
        assert writer.status().lost_records == 0, writer.status().last_error
    stored = llmdebug.open_logdir(logdir).attention(".", "probe", step=0)
    return stored, stored.record()


def blocks_of(head: np.ndarray, row: int, key: int) -> Iterator[tuple[int, int, np.ndarray]]:
    for r in range(0, head.shape[0], row):
        for k in range(0, head.shape[1], key):
            yield r // row, k // key, head[r : r + row, k : k + key]


def with_budget(monkeypatch: pytest.MonkeyPatch, budget: int, block: int = 1 << 21) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", budget)
    monkeypatch.setattr("tb_llmdebug.log.layer_input.BLOCK_WEIGHTS", block)


@pytest.mark.parametrize(
    ("block", "budget", "factor"),
    # With the last budget the first layer fits by itself, and is pooled when the second one comes.
    [(1 << 21, 5000, 4), (333, 5000, 4), (1 << 21, 16_000, 2)],
)
def test_over_the_budget_the_largest_and_mean_weights_of_blocks_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, budget: int, factor: int
) -> None:
    maps = tuple(softmax_maps(seed, queries=50, mask=LEFT) for seed in range(2))
    # 30,000 weights; of 4 x 4 blocks there are 169 per map, 4,056 in all, of 2 x 2 blocks 15,000.
    with_budget(monkeypatch, budget, block)
    stored, record = logged(tmp_path, maps, mask=LEFT)
    assert record.map_state is MapState.REDUCED
    assert record.reduction.startswith(f"Max- and mean-pooled {factor} x {factor}: ")
    for layer, original in zip(record.layers, maps, strict=True):
        assert layer.weights is None and [level.factors for level in layer.pooled] == [(factor, factor)]
        for example, mask in enumerate(LEFT.astype(bool)):
            real = np.where(mask[:, None], original[example], 0)
            rows = np.add.reduceat(mask.astype(int), range(0, 50, factor))
            for head in range(3):
                largest = stored.pooled(layer.layer, head, example, "max")
                mean = stored.pooled(layer.layer, head, example, "mean")
                for row, column, piece in blocks_of(real[head], factor, factor):
                    assert largest[row, column] == pytest.approx(piece.max(), abs=1e-3)
                    expected = piece.sum() / max(1, rows[row] * piece.shape[1])
                    assert mean[row, column] == pytest.approx(expected, abs=1e-3)
            statistics = layer_statistics(original[example], mask, mask)[0]
            assert np.allclose(layer.statistics[example], statistics, atol=1e-5, equal_nan=True)
    with pytest.raises(KeyError, match="only pooled maps were stored"):
        stored.weights(0, 0)


@pytest.mark.parametrize("chunk", [1 << 21, 60])
def test_chosen_rows_are_kept_exactly_with_their_positions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    with_budget(monkeypatch, 1 << 20, chunk)
    maps = (softmax_maps(queries=50, causal=True),)
    stored, record = logged(tmp_path, maps, rows=[49, 3, 7], causal=True, tokens=[list("x" * 50)] * 2)
    assert record.map_state is MapState.REDUCED and record.reduction == (
        "3 of 50 query rows, chosen with rows=."
    )
    assert stored.rows(0) == (3, 7, 49)
    chosen = maps[0][:, :, [3, 7, 49]]
    assert np.array_equal(record.layers[0].weights, chosen.astype(np.float16).astype(np.float32))
    statistics = dict(zip(STATISTICS, record.layers[0].statistics[0, 0], strict=True))
    assert statistics["diagonal"] == pytest.approx(
        np.mean([maps[0][0, 0, p, p] for p in (3, 7, 49)]), abs=1e-6
    )
    distance = [sum(maps[0][0, 0, p] * abs(p - np.arange(50))) for p in (3, 7, 49)]
    assert statistics["distance"] == pytest.approx(np.mean(distance), abs=1e-5)
    assert statistics["above_diagonal"] == 0 and not record.anomalies
    assert all(check.state.name != "FAILED" for check in record.checks)


def test_chosen_or_few_rows_are_pooled_over_keys_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_budget(monkeypatch, 600)
    maps = softmax_maps(queries=50, batch=1, heads=1)
    rows = list(range(0, 50, 2))
    stored, record = logged(tmp_path / "chosen", (maps,), rows=rows, precision="u8")
    assert stored.pooled_factors(0) == ((1, 8),)
    assert record.reduction.startswith("25 of 50 query rows, chosen with rows=. Max- and mean-pooled 1 x 8")
    largest = stored.pooled(0, 0)
    for place, row in enumerate(rows):
        assert largest[place, 2] == pytest.approx(maps[0, 0, row, 16:24].max(), abs=1e-3)
    few = softmax_maps(queries=4, keys=400, batch=1, heads=1)
    stored, _ = logged(tmp_path / "few", (few,))
    assert stored.pooled_factors(0) == ((1, 8),)
    assert stored.pooled(0, 0)[3, 1] == pytest.approx(few[0, 0, 3, 8:16].max(), abs=1e-3)


def test_small_maps_have_no_overview(tmp_path: Path) -> None:
    _, record = logged(tmp_path, (softmax_maps(queries=256, batch=1, heads=1),))
    assert record.layers[0].pooled == ()


def test_a_leak_in_a_chosen_row_names_the_position(tmp_path: Path) -> None:
    maps = softmax_maps(batch=1, heads=2, queries=20, causal=True)
    maps[0, 1, 11, 15] = 0.5
    maps[0, 1, 11, 5] = 0.9  # an earlier key, which it may look at
    _, record = logged(tmp_path, (maps,), rows=[2, 11], causal=True)
    leak = next(a for a in record.anomalies if a.rule == "attention.above_diagonal")
    assert (leak.head, leak.query, leak.key, leak.heads_affected) == (1, 11, 15, 1)


def test_documents_of_chosen_rows_are_those_of_their_positions(tmp_path: Path) -> None:
    maps = np.zeros((1, 1, 8, 8), np.float32)
    maps[0, 0, :4, 0] = maps[0, 0, 4:, 4] = 1
    documents = np.array([0] * 4 + [1] * 4)
    _, healthy = logged(tmp_path / "a", (maps,), rows=[5, 6], document_ids=documents)
    assert not healthy.anomalies
    maps[0, 0, 6] = np.eye(8)[2]
    _, leaking = logged(tmp_path / "b", (maps,), rows=[5, 6], document_ids=documents)
    (leak,) = leaking.anomalies
    assert (leak.rule, leak.query, leak.key) == ("attention.cross_document", 6, 2)


def test_a_leak_is_counted_once_per_head_however_many_blocks_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_budget(monkeypatch, 1 << 20, block=40)
    maps = softmax_maps(batch=1, heads=2, queries=20)
    _, record = logged(tmp_path, (maps,), causal=True)
    leak = next(a for a in record.anomalies if a.rule == "attention.above_diagonal")
    assert (leak.heads_affected, leak.heads_checked) == (2, 2)


def test_an_array_that_holds_only_the_chosen_rows_is_taken_as_these(tmp_path: Path) -> None:
    rows = [5, 17, 30]
    maps = softmax_maps(queries=40, causal=True)
    stored, record = logged(tmp_path, (np.ascontiguousarray(maps[:, :, rows]),), rows=rows, causal=True)
    assert stored.rows(0) == (5, 17, 30) and record.layers[0].queries == 40
    assert not record.anomalies
    assert np.array_equal(stored.weights(0, 2), maps[0, 2, rows].astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("rows", [[-1], [40], [3, 50]])
def test_rows_that_are_not_there_are_a_mistake(tmp_path: Path, rows: list[int]) -> None:
    with llmdebug.Writer(tmp_path), pytest.raises(InvalidRecordError, match="which has 40 query rows"):
        llmdebug.log_attention("probe", (softmax_maps(queries=40),), rows=rows, step=0)


def test_an_iterator_is_read_one_layer_at_a_time_and_pooled_once_the_budget_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_budget(monkeypatch, 8000)
    maps = [softmax_maps(seed, queries=50, batch=1) for seed in range(4)]  # 7,500 weights each
    alive = 0

    def layers() -> Iterator[np.ndarray]:
        nonlocal alive
        for layer in maps:
            alive += 1
            yield layer
            alive -= 1

    stored, record = logged(tmp_path, layers())
    assert alive == 0 and len(record.layers) == 4
    assert record.map_state is MapState.REDUCED
    (factors,) = {level.factors for layer in record.layers for level in layer.pooled}
    assert factors == (4, 4)  # 2 x 2 takes 3,750 each, 4 x 4 takes 1,014
    for number, original in enumerate(maps):
        largest = stored.pooled(number, 1)
        for row, column, piece in blocks_of(original[0, 1], 4, 4):
            assert largest[row, column] == pytest.approx(piece.max(), abs=1e-3)


def test_faults_stay_visible_in_pooled_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_budget(monkeypatch, 1000)
    maps = softmax_maps(queries=40, batch=1)
    maps[0, 0, 21, 9] = np.nan
    stored, record = logged(tmp_path, (maps,))
    row, key = stored.pooled_factors(0)[0]
    assert np.isnan(stored.pooled(0, 0)[21 // row, 9 // key])
    assert np.isnan(stored.pooled(0, 0)).sum() == 1
    assert [a.rule for a in record.anomalies] == ["attention.not_finite"]


def test_a_large_map_within_the_budget_keeps_its_weights_and_an_overview(tmp_path: Path) -> None:
    maps = softmax_maps(queries=300, heads=1, batch=1)
    stored, record = logged(tmp_path, (maps,))
    assert record.map_state is MapState.FULL and record.reduction == ""
    assert stored.pooled_factors(0) == ((8, 8),)
    for row, column, piece in blocks_of(maps[0, 0], 8, 8):
        assert stored.pooled(0, 0, 0, "mean")[row, column] == pytest.approx(piece.mean(), abs=1e-3)
    assert np.allclose(stored.weights(0, 0), maps[0, 0], atol=2e-3)


def test_32768_tokens_of_which_64_query_rows_are_logged(tmp_path: Path) -> None:
    rows = np.sort(np.random.default_rng(0).choice(32_768, 64, replace=False))
    logits = np.random.default_rng(1).normal(size=(1, 2, 64, 32_768)).astype(np.float32)
    logits[:, :, np.arange(32_768) > rows[:, None]] = -np.inf
    weights = np.exp(logits)
    weights /= weights.sum(axis=-1, keepdims=True)
    stored, record = logged(tmp_path, (weights,), rows=rows.tolist(), causal=True)
    assert record.map_state is MapState.REDUCED
    assert record.reduction == "64 of 32,768 query rows, chosen with rows=."
    assert stored.rows(0) == tuple(rows) and record.layers[0].queries == 32_768
    assert not record.anomalies
    error = np.abs(stored.weights(0, 1) - weights[0, 1]).sum(axis=-1)
    # Rows of thousands of small weights, which 256 levels (0.2) would not keep.
    assert error.mean() < 0.001
    entropy = record.layers[0].statistics[0, 1, STATISTICS.index("entropy")]
    row_entropy = [-(row[row > 0] * np.log2(row[row > 0])).sum() for row in weights[0, 1].astype(np.float64)]
    assert entropy == pytest.approx(np.mean(row_entropy), abs=1e-3)


def test_value_norms_are_of_the_values_that_each_kept_head_looks_at(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 2, 6, 5)).astype(np.float32)
    maps = softmax_maps(heads=4)
    stored, record = logged(tmp_path, (maps,), values=(values,), heads=[1, 2, 3])
    norms = np.linalg.norm(values, axis=-1)
    for example in range(2):
        expected = norms[example, [0, 1, 1]]
        assert np.allclose(stored.value_norms(0, example), expected, atol=1e-6)
    assert record.layers[0].key_value_heads == 2
    with pytest.raises(InvalidRecordError, match="with 6 keys and a number of heads that divides 4"):
        logged(tmp_path / "b", (maps,), values=(values[:, :, :5],))
    with pytest.raises(InvalidRecordError, match="values hold no layer 1"):
        logged(tmp_path / "c", (maps, maps), values=(values,))


def test_64_x_64_heads_of_2048_tokens_are_pooled_within_the_budget(tmp_path: Path) -> None:
    """Synthetic: every head is one broadcast map, so that only the reduction takes memory."""
    head = np.tril(np.ones((2048, 2048), np.float32)) / np.arange(1, 2049, dtype=np.float32)[:, None]
    some = np.broadcast_to(head, (1, 64, 2048, 2048))

    class Layers(Iterator[np.ndarray]):
        left = count(2, 64)

        def __next__(self) -> np.ndarray:
            if self.left == 0:
                raise StopIteration
            self.left -= 1
            return some

    stored, record = logged(tmp_path, Layers(), causal=True)
    assert record.map_state is MapState.REDUCED and not record.anomalies
    row, key = stored.pooled_factors(0)[0]
    kept = count(2, 64) * 64 * 2 * math.ceil(2048 / row) * math.ceil(2048 / key)
    assert kept <= 64 << 20 and row == key
    assert stored.pooled(1, 63, 0, "max")[3, 2] == pytest.approx(head[3 * row, 2 * key], rel=0.02)


def test_the_budget_counts_the_bytes_that_a_weight_is_stored_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_budget(monkeypatch, 2 * 3 * 36 * 2)  # as much as these maps take as f16
    maps = (softmax_maps(queries=6),)
    for precision, state in [("u8", "FULL"), ("f16", "FULL"), ("f32", "REDUCED")]:
        _, record = logged(tmp_path / precision, maps, precision=precision)
        assert record.map_state.name == state
