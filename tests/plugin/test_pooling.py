"""Thumbnails pooled from stored levels, against every weight decoded and pooled one block after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from werkzeug.datastructures import MultiDict

import tb_llmdebug as llmdebug
from tb_llmdebug.plugin import maps, view_pb2
from tb_llmdebug.plugin.thumbnails import thumbnails
from tb_llmdebug.reading import payload
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.entries import Location
from tb_llmdebug.stats.sinks import set_aside, sink_keys
from tb_llmdebug.wire.tiles import Strip
from tests.data import softmax_maps

FIRST, APART = (), (0, 7, -6)


def plain(
    stored: StoredAttention, layer: view_pb2.LayerView, pool: str, aside: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the blocks of every head, and the mean mass set aside."""
    known = stored.example(0)
    keys = sink_keys(layer.keys, known.key_tokens, known.key_mask) if aside else np.empty(0, int)
    mask = stored.real_rows(layer.layer)
    real = np.ones(layer.queries, bool) if mask is None else mask
    pictures, masses = [], []
    for head in layer.heads:
        whole = stored.weights(layer.layer, head)
        weights, mass = set_aside(whole, keys)
        masses.append(mass[real & whole.any(axis=-1)].mean())
        picture = np.zeros((layer.thumb_rows, layer.thumb_cols))
        for row, column in np.ndindex(picture.shape):
            rows = slice(row * layer.pooled_rows, (row + 1) * layer.pooled_rows)
            block = weights[rows, column * layer.pooled : (column + 1) * layer.pooled][real[rows]]
            if block.size:
                picture[row, column] = block.max() if pool == "max" else block.mean()
        pictures.append(picture)
    return np.array(pictures), np.array(masses)


def overview(logdir: Path, **args: str) -> tuple[StoredAttention, view_pb2.Map]:
    opened = llmdebug.open_logdir(logdir)
    (series,) = (s for run in opened.index.runs() for s in run.all_series())
    (found,) = maps.MapsAnswer(opened).answer(MultiDict({"at": f"{series.id}.0.0", **args})).maps
    return opened.attention(".", "probe", 0), found


def levels(layer: view_pb2.LayerView) -> np.ndarray:
    shape = len(layer.heads), layer.thumb_rows, layer.thumb_cols
    return np.frombuffer(layer.thumbs, np.uint8).reshape(shape).astype(int)


@pytest.mark.parametrize("pool", ["max", "mean"])
@pytest.mark.parametrize("sinks", ["aside", "shown"])
@pytest.mark.parametrize("special", [FIRST, APART], ids=["first", "apart"])
@pytest.mark.parametrize("precision", ["u8", "f16"])
@pytest.mark.parametrize(
    ("heads", "size"),
    [
        (2, 90),  # all heads in one frame
        (40, 150),  # several maps at once
        (40, 270),  # several tiles per head, the last ones narrow, and blocks across them
    ],
    ids=["frame", "frames", "tiles"],
)
def test_every_block_is_what_its_weights_say(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    heads: int,
    size: int,
    precision: str,
    special: tuple[int, ...],
    sinks: str,
    pool: str,
) -> None:
    monkeypatch.setattr(StoredAttention, "pooled_factors", lambda self, layer: ())  # from the weights
    weights = softmax_maps(queries=size, heads=heads, batch=1)
    # Sums that are not 1, a row without weight, and rows of padding.
    weights *= np.linspace(0.5, 1.5, size, dtype=np.float32)[:, None]
    weights[:, 1, 5] = 0
    mask = np.arange(size)[None] < size - 4
    tokens = None
    if special:
        flags = np.zeros(size, bool)
        flags[list(special)] = True
        tokens = [llmdebug.Tokens(("w",) * size, special=tuple(flags.tolist()))]
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_attention(
            "probe", (weights,), step=0, precision=precision, mask=mask, tokens=tokens
        )
    stored, found = overview(tmp_path, pool=pool, sinks=sinks)
    (layer,) = found.layers
    expected, masses = plain(stored, layer, pool, sinks == "aside")
    peak = expected.max()
    assert layer.thumb_peak == pytest.approx(peak, rel=1e-4)
    assert np.abs(levels(layer) - np.round(255 * np.sqrt(expected / peak))).max() <= 1
    if sinks == "aside":
        assert len(layer.aside) == max(1, len(special))
        assert np.frombuffer(layer.aside_mass, "<f4") == pytest.approx(masses, abs=1e-5)


@pytest.mark.parametrize("sums", [[np.inf, 1], [np.nan, 1]])
def test_a_sum_that_is_not_finite_marks_its_head_only(sums: list[float]) -> None:
    whole = Strip(0, np.full((2, 4), 9, np.uint8), np.ones(2, np.float32))
    faulty = whole._replace(sums=np.array(sums, np.float32))
    made = thumbnails([[whole], [faulty]], (2, 4), 16, "max", None, np.array([0]))
    assert made.not_finite == b"\0\1"
    assert np.frombuffer(made.data, np.uint8).reshape(2, 2, 3)[1].any(axis=-1).tolist() == [False, True]
    assert made.aside.tolist() == [0.25, 0.25]


def test_heads_without_a_strip_are_blank_beside_others() -> None:
    some = Strip(1, np.ones((1, 4), np.float32))
    made = thumbnails([[], [some], []], (2, 4), 16, "max", None, np.array([0]))
    assert np.frombuffer(made.data, np.uint8).reshape(3, 2, 3).any(axis=-1).tolist() == [
        [False, False],
        [False, True],
        [False, False],
    ]
    assert np.isnan(made.aside[[0, 2]]).all() and made.aside[1] == 0.25


def test_a_large_record_is_read_once_though_sums_lie_before_the_maps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = softmax_maps(queries=256, heads=12, batch=1)
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_attention("probe", (weights,), step=0, precision="u8")
    # As if it were too large for the memory, and read in pieces of which none holds the sums and all maps.
    monkeypatch.setattr(payload, "WHOLE_BYTES", 0)
    monkeypatch.setattr(payload, "_AHEAD", 100_000)
    sizes: list[int] = []
    read = payload._read

    def counted(location: Location, start: int, length: int) -> bytes:
        sizes.append(length)
        return read(location, start, length)

    monkeypatch.setattr(payload, "_read", counted)
    stored, _ = overview(tmp_path, sinks="aside")
    assert len(sizes) > 4
    assert sum(sizes) < 2 * sum(stored.message.frame_bytes)
