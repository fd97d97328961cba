"""Attention weights to compressed tiles and back.

The layout of the frames is described at `message Attention` in record.proto. Three codecs:

- F32 and F16 store the weights as they are (F16: rounded to float16);
- SQRT_U8 stores q = round(255 * sqrt(w / peak)). The square root spends the 256 levels where attention
  has most of its weights, near 0; decoding squares and then renormalises each row to its stored sum.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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

_LEAST_U8 = (0.5 / 255) ** 2
"""of a peak of 1: a smaller weight is rounded to 0"""

_DTYPES: dict[int, npt.DTypeLike] = {
    record_pb2.F32: np.dtype("<f4"),
    record_pb2.F16: np.dtype("<f2"),
    record_pb2.SQRT_U8: np.dtype("u1"),
}
_PRECISIONS = {"f32": record_pb2.F32, "f16": record_pb2.F16, "u8": record_pb2.SQRT_U8}


class Plane(NamedTuple):
    """One stack of equally large pictures, one per head, as it is cut into frames."""

    heads: int
    rows: int
    columns: int
    codec: int
    peak: float
    together: bool
    """one frame holds all heads"""

    def frames(self, tile: int) -> int:
        """Return how many frames one example takes."""
        return 1 if self.together else self.heads * self._grid(tile)

    def frames_of(self, slot: int, tile: int) -> range:
        """Return which frames of the example hold head number `slot`."""
        grid = self._grid(tile)
        return range(1) if self.together else range(slot * grid, (slot + 1) * grid)

    def frames_of_rows(self, rows: range, tile: int) -> range:
        """Return which of a head's frames hold any of the consecutive `rows`."""
        if self.together:
            return range(1)
        across = -(-self.columns // tile)
        return range(rows.start // tile * across, -(-rows.stop // tile) * across)

    def _grid(self, tile: int) -> int:
        return -(-self.rows // tile) * -(-self.columns // tile)


class Strip(NamedTuple):
    """Some rows of one head as they lie on disk."""

    first: int
    """the first row"""
    stored: npt.NDArray[Any]
    """[rows, columns], weights as float32 or float16, or levels as uint8"""
    sums: npt.NDArray[np.float32] | None = None
    """float32 [rows], what the squares of the levels are scaled to; None where weights are stored"""

    def of(self, rows: range) -> Strip:
        """Return what is here of consecutive `rows`."""
        start = max(rows.start, self.first)
        here = slice(start - self.first, max(start, rows.stop) - self.first)
        return Strip(start, self.stored[here], None if self.sums is None else self.sums[here])


@dataclass(frozen=True)
class EncodedPlane:
    """A plane and its frames."""

    plane: Plane
    frames: tuple[tuple[bytes, ...], ...]
    """per example"""


@dataclass(frozen=True)
class EncodedMaps:
    """One layer's weights as frames."""

    weights: EncodedPlane
    row_sums: tuple[bytes, ...]
    """per example, one frame"""


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
    """Encode `weights` [examples, heads, rows, keys] with `codec`, or one that can hold them.

    SQRT_U8 cannot hold NaN, infinities or negative weights, F16 nothing beyond 65504: such a layer is
    stored with the next codec that can, so that a fault is shown as it was.
    """
    values = weights if weights.dtype == np.float32 else weights.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = values.sum(axis=-1)
        stored_sums = sums.astype("<f2")
    if codec == record_pb2.SQRT_U8 and not sums.max(initial=0) <= 65504:
        codec = record_pb2.F16
    if codec == record_pb2.SQRT_U8 and values.size and ((sums > 0) & (values.max(-1) < _LEAST_U8)).any():
        codec = record_pb2.F32  # 256 levels would make these rows zeros, which no sum can bring back
    compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
    row_sums = tuple(compress(example.tobytes()) for example in stored_sums)
    # Weights above 1 are a fault; below it one scale makes maps of all steps comparable.
    return EncodedMaps(encode_plane(values, codec, least_peak=1.0), row_sums)


def encode_plane(values: npt.NDArray[np.floating], codec: int, least_peak: float = 1e-30) -> EncodedPlane:
    """Encode `values` [examples, heads, rows, columns]; see `encode_maps` for when another codec is taken."""
    values = values if values.dtype == np.float32 else values.astype(np.float32)
    codec, peak = _codec_that_fits(values, codec, least_peak)
    _, heads, rows, columns = values.shape
    together = values[0].size <= TOGETHER_WEIGHTS if len(values) else True
    compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
    frames = []
    for example in values:
        stored = _quantise(example, codec, peak)
        frames.append(
            tuple(compress(tile.tobytes()) if tile.any() else b"" for tile in _tiles(stored, together))
        )
    return EncodedPlane(Plane(heads, rows, columns, codec, peak, together), tuple(frames))


def weights_plane(layer: record_pb2.Layer) -> Plane:
    """Return how the weights of `layer` are stored."""
    rows = len(layer.rows) or layer.queries
    return Plane(len(layer.heads), rows, layer.keys, layer.codec, layer.peak, layer.heads_together)


def pooled_planes(layer: record_pb2.Layer, level: record_pb2.Pooled) -> dict[str, Plane]:
    """Return how one level of pooled maps is stored, in the order of its frames."""
    rows = -(-(len(layer.rows) or layer.queries) // level.rows)
    shape = len(layer.heads), rows, -(-layer.keys // level.keys)
    return {
        "max": Plane(*shape, level.max_codec, level.max_peak, level.heads_together),
        "mean": Plane(*shape, level.mean_codec, level.mean_peak, level.heads_together),
    }


def decode_head(
    plane: Plane, slot: int, tile: int, tiles: Sequence[bytes], row_sums: bytes | None = None
) -> npt.NDArray[np.float32]:
    """Decode head number `slot` from its frames; returns float32 [rows, columns].

    Raises as `decode_strips`, which see for the arguments.
    """
    values = np.zeros(plane[1:3], np.float32)
    for first, strip in decode_strips(plane, slot, tile, tiles, row_sums):
        values[first : first + len(strip)] = strip
    return values


def decode_strips(
    plane: Plane,
    slot: int,
    tile: int,
    tiles: Sequence[bytes],
    row_sums: bytes | None = None,
    rows: range | None = None,
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Decode head number `slot` one row of tiles at a time; strips that are all zero are left out.

    Args:
        plane: how it is stored.
        slot: the place of the head.
        tile: edge of a tile.
        tiles: the frames of the head.
        row_sums: of weights, the frame of row sums that SQRT_U8 is renormalised to.
        rows: consecutive ones that are wanted; None = all.

    Yields:
        The first row, and float32 [rows, columns].

    Raises:
        DamagedRecordError: a frame does not decompress to what the shape says.
    """
    sums = decode_row_sums(plane, row_sums) if row_sums is not None else None
    for strip in stored_strips(plane, slot, tile, tiles, sums):
        wanted = strip if rows is None else strip.of(rows)
        if len(wanted.stored):
            yield wanted.first, to_weights(plane, wanted)


def stored_strips(
    plane: Plane,
    slot: int,
    tile: int,
    tiles: Sequence[bytes],
    sums: npt.NDArray[np.float16] | None = None,
) -> Iterator[Strip]:
    """Decompress head number `slot` one row of tiles at a time; strips that are all zero are left out.

    Args:
        plane: how it is stored.
        slot: the place of the head.
        tile: edge of a tile.
        tiles: the frames of the head.
        sums: of weights, float16 [heads, rows], the sums of the rows.

    Raises:
        DamagedRecordError: a frame does not decompress to what the shape says.
    """
    dtype = _dtype(plane.codec)
    scaled = None if sums is None or plane.codec != record_pb2.SQRT_U8 else sums[slot].astype(np.float32)
    if plane.together:
        if tiles[0]:
            yield Strip(0, decompress(tiles[0], plane[:3], dtype)[slot], scaled)
        return
    across = -(-plane.columns // tile)
    for number, first in enumerate(range(0, plane.rows, tile)):
        frames = tiles[number * across : (number + 1) * across]
        if not any(frames):
            continue
        end = min(first + tile, plane.rows)
        yield Strip(
            first,
            _beside(frames, (end - first, plane.columns), tile, dtype),
            None if scaled is None else scaled[first:end],
        )


def _beside(
    frames: Sequence[bytes], shape: tuple[int, int], tile: int, dtype: np.dtype[np.generic]
) -> npt.NDArray[Any]:
    """Decompress one row of tiles."""
    if len(frames) == 1:
        return decompress(frames[0], shape, dtype)
    strip = np.zeros(shape, dtype)
    for frame, (rows, columns) in zip(frames, _spans(shape, tile), strict=True):
        if frame:
            strip[rows, columns] = decompress(
                frame, (rows.stop - rows.start, columns.stop - columns.start), dtype
            )
    return strip


def to_weights(plane: Plane, strip: Strip) -> npt.NDArray[np.float32]:
    """Return the weights of a strip, float32 [rows, columns]."""
    values: npt.NDArray[np.float32] = strip.stored.astype(np.float32)
    if plane.codec != record_pb2.SQRT_U8:
        return values
    np.square(values, out=values)
    if strip.sums is not None:
        return _renormalise(values, strip.sums)
    values *= plane.peak / 255.0**2
    return values


def decode_row_sums(plane: Plane, frame: bytes) -> npt.NDArray[np.float16]:
    """Decode the row sums of all heads of one example; returns float16 [heads, rows]."""
    return decompress(frame, plane[:2], np.dtype("<f2"))


def _renormalise(squares: npt.NDArray[np.float32], sums: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    totals = squares.sum(axis=-1)
    scale = np.divide(sums, totals, out=np.zeros_like(totals), where=totals > 0)
    squares *= scale[:, None]
    return squares


def _codec_that_fits(values: npt.NDArray[np.float32], codec: int, least_peak: float) -> tuple[int, float]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    finite = np.isfinite(low) and np.isfinite(high)
    if codec == record_pb2.SQRT_U8 and (not finite or low < 0):
        codec = record_pb2.F16
    largest = max(abs(low), abs(high)) if finite else _largest_finite(values)
    if codec == record_pb2.F16 and largest > 65504:
        codec = record_pb2.F32
    return codec, max(least_peak, high) if codec == record_pb2.SQRT_U8 else 0.0


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


def decompress(frame: bytes, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> npt.NDArray[Any]:
    """Decompress one frame, whose size is known beforehand, so that nothing larger is allocated."""
    if not frame:
        return np.zeros(shape, dtype)
    size = math.prod(shape) * dtype.itemsize
    try:
        declared = zstandard.frame_content_size(frame)
        if declared != size:
            raise DamagedRecordError(f"a frame holds {declared} bytes where {size} were expected.")
        data = _decompressor().decompress(frame, max_output_size=size)
    except zstandard.ZstdError as error:
        raise DamagedRecordError(f"a frame does not decompress: {error}.") from error
    if len(data) != size:
        raise DamagedRecordError(f"a frame holds {len(data)} bytes where {size} were expected.")
    return np.frombuffer(data, dtype).reshape(shape)


def _decompressor() -> zstandard.ZstdDecompressor:
    """Return the one of this thread: a new one for each small frame takes as long as the frame."""
    if not hasattr(_of_thread, "decompressor"):
        _of_thread.decompressor = zstandard.ZstdDecompressor()
    found: zstandard.ZstdDecompressor = _of_thread.decompressor
    return found


_of_thread = threading.local()
