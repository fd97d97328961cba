"""Attention weights to compressed tiles and back.

The layout of the frames is described at `message Attention` in record.proto. Three codecs:

- F32 and F16 store the weights as they are (F16: rounded to float16);
- SQRT_U8 stores q = round(255 * sqrt(w / peak)). The square root spends the 256 levels where attention
  has most of its weights, near 0; decoding squares and then renormalises each row to its stored sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

TILE = 256
"""edge of a tile"""
TOGETHER_WEIGHTS = 65_536
"""up to so many weights per example and layer all heads share one frame"""
AUTO_F16_BYTES = 4 << 20
"""precision "auto": float16 while the maps of a step take less than this"""
ZSTD_LEVEL = 1

_DTYPES: dict[int, npt.DTypeLike] = {
    record_pb2.F32: np.dtype("<f4"),
    record_pb2.F16: np.dtype("<f2"),
    record_pb2.SQRT_U8: np.dtype("u1"),
}
_PRECISIONS = {"f32": record_pb2.F32, "f16": record_pb2.F16, "u8": record_pb2.SQRT_U8}
PRECISIONS = ("auto", *_PRECISIONS)


@dataclass(frozen=True)
class EncodedMaps:
    """One layer's maps as frames."""

    codec: int
    peak: float
    together: bool
    frames: tuple[tuple[bytes, ...], ...]
    """per example: the row sums, then the tiles"""


def codec_for(precision: str, weights: int) -> int:
    """Return the codec for `weights` weights at one step.

    Example:
        >>> codec_for("auto", 12 * 12 * 24 * 24) == record_pb2.F16
        True
    """
    if precision == "auto":
        return record_pb2.F16 if weights * 2 < AUTO_F16_BYTES else record_pb2.SQRT_U8
    return _PRECISIONS[precision]


def encode_maps(weights: npt.NDArray[np.floating], codec: int) -> EncodedMaps:
    """Encode `weights` [examples, heads, queries, keys] with `codec`, or one that can hold them.

    SQRT_U8 cannot hold NaN, infinities or negative weights, F16 nothing beyond 65504: such a layer is
    stored with the next codec that can, so that a fault is shown as it was.
    """
    values = weights if weights.dtype == np.float32 else weights.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = values.sum(axis=-1)
    codec, peak = _codec_that_fits(values, sums, codec)
    together = values[0].size <= TOGETHER_WEIGHTS if len(values) else True
    compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
    with np.errstate(over="ignore"):
        stored_sums = sums.astype("<f2")
    frames = []
    for example, example_sums in zip(values, stored_sums, strict=True):
        stored = _quantise(example, codec, peak)
        tiles = [compress(tile.tobytes()) if tile.any() else b"" for tile in _tiles(stored, together)]
        frames.append((compress(example_sums.tobytes()), *tiles))
    return EncodedMaps(codec, peak, together, tuple(frames))


def frames_per_example(layer: record_pb2.Layer, tile: int) -> int:
    """Return how many frames one example of `layer` takes, row sums included."""
    grid = -(-layer.queries // tile) * -(-layer.keys // tile)
    return 1 + (1 if layer.heads_together else len(layer.heads) * grid)


def head_frames(layer: record_pb2.Layer, slot: int, tile: int) -> range:
    """Return which frames of the example hold head number `slot`, the row sums left out."""
    if layer.heads_together:
        return range(1, 2)
    grid = -(-layer.queries // tile) * -(-layer.keys // tile)
    return range(1 + slot * grid, 1 + (slot + 1) * grid)


def decode_head(
    layer: record_pb2.Layer, slot: int, tile: int, row_sums: bytes, tiles: Sequence[bytes]
) -> npt.NDArray[np.float32]:
    """Decode head number `slot` from its frames; returns float32 [queries, keys].

    Raises:
        DamagedRecordError: a frame does not decompress to what the layer's shape says.
    """
    dtype = _dtype(layer.codec)
    stored = np.zeros((layer.queries, layer.keys), dtype)
    if layer.heads_together:
        together = (len(layer.heads), layer.queries, layer.keys)
        stored = _decompress(tiles[0], together, dtype)[slot]
    else:
        for frame, (rows, columns) in zip(tiles, _spans(stored.shape, tile), strict=True):
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            stored[rows, columns] = _decompress(frame, shape, dtype)
    if layer.codec != record_pb2.SQRT_U8:
        return stored.astype(np.float32)
    sums = _decompress(row_sums, (len(layer.heads), layer.queries), np.dtype("<f2"))[slot]
    return _renormalise(np.square(stored.astype(np.float32)), sums.astype(np.float32))


def decode_row_sums(layer: record_pb2.Layer, frame: bytes) -> npt.NDArray[np.float16]:
    """Decode the row sums of all heads of one example; returns float16 [heads, queries]."""
    return _decompress(frame, (len(layer.heads), layer.queries), np.dtype("<f2"))


def _renormalise(squares: npt.NDArray[np.float32], sums: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    totals = squares.sum(axis=-1)
    scale = np.divide(sums, totals, out=np.zeros_like(totals), where=totals > 0)
    squares *= scale[:, None]
    return squares


def _codec_that_fits(
    values: npt.NDArray[np.float32], sums: npt.NDArray[np.float32], codec: int
) -> tuple[int, float]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    finite = np.isfinite(low) and np.isfinite(high)
    if codec == record_pb2.SQRT_U8 and (not finite or low < 0 or not sums.max(initial=0) <= 65504):
        codec = record_pb2.F16
    largest = max(abs(low), abs(high)) if finite else _largest_finite(values)
    if codec == record_pb2.F16 and largest > 65504:
        codec = record_pb2.F32
    return codec, max(1.0, high) if codec == record_pb2.SQRT_U8 else 0.0


def _largest_finite(values: npt.NDArray[np.float32]) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _quantise(values: npt.NDArray[np.float32], codec: int, peak: float) -> npt.NDArray[np.generic]:
    if codec != record_pb2.SQRT_U8:
        return values.astype(_dtype(codec))
    levels = np.sqrt(values)
    levels *= 255.0 / np.sqrt(peak)
    levels += 0.5
    return levels.astype(np.uint8)


def _tiles(stored: npt.NDArray[np.generic], together: bool) -> Iterator[npt.NDArray[np.generic]]:
    if together:
        yield stored
        return
    for head in stored:
        for rows, columns in _spans(head.shape, TILE):
            yield head[rows, columns]


def _spans(shape: tuple[int, ...], tile: int) -> Iterator[tuple[slice, slice]]:
    for row in range(0, shape[0], tile):
        for column in range(0, shape[1], tile):
            rows = slice(row, min(row + tile, shape[0]))
            yield rows, slice(column, min(column + tile, shape[1]))


def _dtype(codec: int) -> np.dtype[np.generic]:
    try:
        return np.dtype(_DTYPES[codec])
    except KeyError:
        raise DamagedRecordError(
            f"maps are stored with codec {codec}, which this version does not know: update tb-llmdebug."
        ) from None


def _decompress(frame: bytes, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> npt.NDArray[Any]:
    """Decompress one frame, whose size is known beforehand, so that nothing larger is allocated."""
    size = int(np.prod(shape)) * dtype.itemsize
    if not frame:
        return np.zeros(shape, dtype)
    try:
        declared = zstandard.frame_content_size(frame)
        if declared != size:
            raise DamagedRecordError(f"a frame holds {declared} bytes where {size} were expected.")
        data = zstandard.ZstdDecompressor().decompress(frame, max_output_size=size)
    except zstandard.ZstdError as error:
        raise DamagedRecordError(f"a frame does not decompress: {error}.") from error
    if len(data) != size:
        raise DamagedRecordError(f"a frame holds {len(data)} bytes where {size} were expected.")
    return np.frombuffer(data, dtype).reshape(shape)
