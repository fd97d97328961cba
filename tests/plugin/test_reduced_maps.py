"""What the maps route says of pooled maps and of chosen rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zstandard
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.plugin.maps import MapsAnswer
from tb_llmdebug.plugin.thumbnails import thumbnails
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.tiles import Strip
from tests.data import softmax_maps
from tests.durability.test_bounds import attention, layer, of_layers, record_file

MASK = np.array([[1] * 300, [0] * 40 + [1] * 260])


def ask(logdir: Path, *at: str, **args: str) -> view_pb2.MapsResponse:
    opened = llmdebug.open_logdir(logdir)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    pairs = [("at", f"{series.id}.{place}") for place in at]
    return MapsAnswer(opened).answer(MultiDict([*pairs, *args.items()]))


def log(logdir: Path, maps: np.ndarray, steps: int = 1, **settings: object) -> None:
    with llmdebug.Writer(logdir):
        for step in range(steps):
            assert llmdebug.log_attention("probe", (maps,), step=step, **settings)


def picture(layer: view_pb2.LayerView) -> np.ndarray:
    levels = np.frombuffer(layer.thumbs, np.uint8)
    shape = len(layer.heads), layer.thumb_rows, layer.thumb_cols
    return layer.thumb_peak * (levels.reshape(shape) / 255) ** 2


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb_llmdebug.log.reduction.BUDGET_BYTES", 1 << 16)


@pytest.mark.parametrize("pool", ["max", "mean"])
@pytest.mark.usefixtures("small_budget")
def test_pooled_maps_are_drawn_and_sent_as_what_they_are(tmp_path: Path, pool: str) -> None:
    maps = softmax_maps(queries=300, heads=2, mask=MASK)
    log(tmp_path, maps, mask=MASK)
    overview, focus = ask(tmp_path, "0.1", "0.1.0.1", pool=pool).maps
    (layer,) = overview.layers
    assert overview.map_state == record_pb2.REDUCED and "pooled" in overview.reduction
    assert (layer.kept_rows, layer.kept_keys) == (4, 4)
    assert layer.pooled_rows == layer.pooled == 4 and layer.thumb_rows == 75
    real = np.where(MASK[1].astype(bool)[:, None], maps[1], 0)
    reduce = np.maximum if pool == "max" else np.add
    blocks = reduce.reduceat(reduce.reduceat(real, range(0, 300, 4), axis=1), range(0, 300, 4), axis=2)
    expected = blocks if pool == "max" else blocks / 16
    assert np.allclose(picture(layer), expected, atol=expected.max() / 100)
    head = focus.head
    assert (head.pooled_rows, head.pooled_keys, head.queries, head.keys) == (4, 4, 300, 300)
    assert not head.row_sums and len(head.tiles) == 1 and head.frame_heads == 2 and head.frame_slot == 1
    levels = np.frombuffer(zstandard.decompress(head.tiles[0]), _dtype(head)).reshape(2, 75, 75)[1]
    values = levels.astype(np.float32)
    if head.codec == record_pb2.SQRT_U8:
        values = head.peak * (values / 255) ** 2
    assert np.allclose(values, expected[1], atol=expected.max() / 100)


def _dtype(head: view_pb2.HeadTiles) -> np.dtype:
    return np.dtype(np.uint8 if head.codec == record_pb2.SQRT_U8 else np.float16)


def test_an_overview_of_large_maps_comes_from_the_stored_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 100 heads leave room for thumbnails of 38 x 38; the stored overview has 38 x 38 blocks of 8.
    maps = np.repeat(softmax_maps(queries=300, heads=2, batch=1), 50, axis=1)
    log(tmp_path, maps)

    def untouched(*args: object) -> None:
        raise AssertionError("weights were decoded")

    monkeypatch.setattr("tb_llmdebug.reading.attention.StoredAttention.head_frames", untouched)
    (overview,) = ask(tmp_path, "0.0").maps
    (layer,) = overview.layers
    assert (layer.kept_rows, layer.pooled, layer.pooled_rows) == (1, 8, 8)
    largest = maps[0, :, :8, :8].max(axis=(1, 2))
    assert np.allclose(picture(layer)[:, 0, 0], largest, atol=0.01)


def test_chosen_rows_are_named_and_not_pooled_into_one(tmp_path: Path) -> None:
    rows = np.arange(0, 2000, 31)[:64]
    maps = softmax_maps(queries=64, keys=2000, heads=1, batch=1)
    log(tmp_path, maps, rows=rows.tolist(), values=(np.ones((1, 1, 2000, 4), np.float32),))
    overview, focus = ask(tmp_path, "0.0", "0.0.0.0").maps
    (layer,) = overview.layers
    assert list(layer.rows) == rows.tolist() and layer.queries == 2000 and layer.has_values
    assert (layer.thumb_rows, layer.pooled_rows, layer.pooled) == (16, 4, 16)
    assert list(focus.head.rows) == rows.tolist()
    assert (focus.head.pooled_rows, focus.head.pooled_keys) == (1, 1)
    assert len(np.frombuffer(focus.head.row_sums, np.float16)) == 64
    assert np.frombuffer(focus.head.value_norms, np.float32).tolist() == [2.0] * 2000


@pytest.mark.usefixtures("small_budget")
def test_pooled_maps_have_no_distance_and_say_so(tmp_path: Path) -> None:
    log(tmp_path, softmax_maps(queries=300, heads=2), steps=2)
    (comparison,) = ask(tmp_path, "0.0", "1.0", compare="0.1").comparisons
    assert comparison.error.startswith("Only pooled maps of these steps were kept")


def test_chosen_rows_are_compared_with_the_same_rows_only(tmp_path: Path) -> None:
    mask = np.array([0, 0] + [1] * 18)
    maps = softmax_maps(queries=20, heads=2, batch=1)
    with llmdebug.Writer(tmp_path):
        for step, rows in enumerate([[1, 5], [1, 5], [1, 6]]):
            # Row 1 is padding: its difference must not count.
            moved = maps.copy()
            moved[:, :, 1] = np.roll(maps[:, :, 1], step, axis=-1)
            assert llmdebug.log_attention("probe", (moved,), rows=rows, mask=mask, step=step)
    same, other = ask(tmp_path, "0.0", "1.0", "2.0", compare="0.1").comparisons[0], None
    assert list(same.layers[0].distance) == [0, 0]
    other = ask(tmp_path, "0.0", "2.0", compare="0.1").comparisons[0]
    assert other.error == "The two have no layer of the same number and shape."


def test_a_thumbnail_counts_rows_of_strips_that_are_left_out() -> None:
    strip = np.ones((1, 4), np.float32)
    made = thumbnails([[Strip(1, strip)]], (32, 4), 2, "mean")
    assert made.rows == 16 and made.blocks == (2, 1)
    levels = np.frombuffer(made.data, np.uint8).reshape(16, 4)
    assert made.peak == 0.5 and levels[0].tolist() == [255] * 4 and not levels[1:].any()


def test_a_thumbnail_marks_heads_that_are_not_finite_and_pools_the_last_narrow_column() -> None:
    broken = np.full((3, 5), 0.2, np.float32)
    broken[1, 2] = np.nan
    wide = np.zeros((64, 70), np.float32)
    wide[:, 68:] = 0.5
    made = thumbnails([[Strip(0, broken)]], (3, 5), 16, "max")
    assert made.not_finite == b"\1"
    mean = thumbnails([[Strip(0, wide)]], (64, 70), 16, "mean")
    levels = np.frombuffer(mean.data, np.uint8).reshape(mean.rows, mean.columns)
    assert mean.blocks == (4, 4) and mean.columns == 18
    assert mean.peak == 0.5 and (levels[:, -1] == 255).all() and not levels[:, :-1].any()


def test_an_overview_that_would_take_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(tmp_path, softmax_maps(queries=6))
    monkeypatch.setattr("tb_llmdebug.plugin.maps.MAX_OVERVIEW_WEIGHTS", 3 * 36)
    assert ask(tmp_path, "0.0").maps[0].layers
    monkeypatch.setattr("tb_llmdebug.plugin.maps.MAX_OVERVIEW_WEIGHTS", 3 * 36 - 1)
    assert "too large to be drawn" in ask(tmp_path, "0.0").maps[0].error


def test_what_is_decoded_is_bounded_not_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A level too coarse to be drawn does not make the weights any fewer."""
    monkeypatch.setattr("tb_llmdebug.plugin.maps.MAX_OVERVIEW_WEIGHTS", 8 * 8 - 1)
    for edge, refused in ((8, True), (1, False)):
        monkeypatch.setattr("tb_llmdebug.plugin.maps.edge_for", lambda _, edge=edge: edge)
        entry = layer(8, 8, codec="F16", heads_together=True)
        entry.pooled.add(rows=4, keys=4, max_codec="F16", mean_codec="F16", heads_together=True)
        record_file(tmp_path).write_bytes(attention(of_layers(entry, frames=[0] * 4)))
        (found,) = ask(tmp_path, "0.0").maps
        assert ("too large to be drawn" in found.error) == refused, found.error


@pytest.mark.usefixtures("small_budget")
@pytest.mark.parametrize("sinks", ["aside", "shown"])
def test_maps_without_weights_are_bounded_by_their_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sinks: str
) -> None:
    log(tmp_path, softmax_maps(queries=300, heads=2, batch=1))
    monkeypatch.setattr("tb_llmdebug.plugin.maps.MAX_OVERVIEW_WEIGHTS", 2 * 300 * 300 - 1)
    (found,) = ask(tmp_path, "0.0", sinks=sinks).maps
    assert found.error == "" and picture(found.layers[0]).shape[0] == 2
