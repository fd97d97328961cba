"""Query, key and value vectors to frames and back.

The layout of the frames is described at `message Attention` in record.proto.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from tb_llmdebug.records import AttentionRecord, HeadVectors, LayerVectors
from tb_llmdebug.wire import record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError
from tb_llmdebug.wire.tiles import ZSTD_LEVEL, decompress

_DTYPES: dict[int, npt.DTypeLike] = {
    record_pb2.F32: np.dtype("<f4"),
    record_pb2.F16: np.dtype("<f2"),
}


class Counts(NamedTuple):
    """How many frames one example of a layer takes, in their order."""

    q: int
    k: int
    v: int
    masked: int
    bias: int


def encode(message: record_pb2.Attention, record: AttentionRecord) -> list[bytes]:
    """Add what the vectors of `record` are to the layers of `message`; returns their frames in file order.

    What the model computed in half precision is stored so, everything else as float32.
    """
    layers = [layer.vectors for layer in record.layers]
    for entry, vectors in zip(message.layers, layers, strict=True):
        if vectors is not None:
            _describe(entry.vectors, vectors)
    compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
    return [
        compress(array.tobytes()) if array.any() else b""
        for example in range(len(record.examples))
        for vectors in layers
        if vectors is not None
        for array in _arrays(vectors, example)
    ]


def counts(layer: record_pb2.Layer) -> Counts:
    """Return how many frames one example of `layer` takes; all 0 if it has no vectors."""
    if not layer.HasField("vectors"):
        return Counts(0, 0, 0, 0, 0)
    stored = layer.vectors
    held = stored.key_value_heads
    return Counts(len(layer.heads), held, held, stored.masked_planes, stored.bias_planes)


def frames_of(layer: record_pb2.Layer, slot: int) -> list[int | None]:
    """Return which frames of an example hold q, k, v, masked keys and bias of head number `slot`."""
    stored, many = layer.vectors, counts(layer)
    group, start = stored.groups[slot], 0
    places: list[int | None] = []
    for count, place in zip(many, (slot, group, group, slot, slot), strict=True):
        # One plane is the same for all heads.
        places.append(start + (place if count > 1 else 0) if count else None)
        start += count
    return places


def decode_head(layer: record_pb2.Layer, slot: int, frames: Sequence[bytes | None]) -> HeadVectors:
    """Decode head number `slot` from the frames that `frames_of` names.

    Raises:
        DamagedRecordError: a frame does not decompress to what the shape says.
    """
    stored = layer.vectors
    rows, keys = len(layer.rows) or layer.queries, layer.keys
    dtype = _dtype(stored.codec)
    q, k, v, masked, bias = frames
    sinks = np.frombuffer(stored.sinks, "<f4")
    return HeadVectors(
        q=decompress(q or b"", (rows, stored.size), dtype),
        k=decompress(k or b"", (keys, stored.size), dtype),
        v=decompress(v or b"", (keys, stored.value_size), dtype),
        scale=stored.scale,
        scale_fitted=stored.scale_fitted,
        softcap=stored.softcap,
        sink=float(sinks[slot]) if sinks.size else None,
        masked=None if masked is None else _unpacked(masked, rows, keys),
        bias=None if bias is None else decompress(bias, (rows, keys), np.dtype("<f4")),
    )


def decode_layer(layer: record_pb2.Layer, frames: Sequence[Sequence[bytes]]) -> LayerVectors:
    """Decode the vectors of a layer from all its frames, by example.

    Raises as `decode_head`.
    """
    stored = layer.vectors
    rows, keys = len(layer.rows) or layer.queries, layer.keys
    dtype, f4 = _dtype(stored.codec), np.dtype("<f4")
    stacks: list[list[Any]] = [[], [], [], [], []]
    for of_example in frames:
        left = iter(of_example)
        for stack, count in zip(stacks, counts(layer), strict=True):
            stack.append(list(itertools.islice(left, count)))

    def of(stack: list[list[bytes]], *shape: int, kind: np.dtype[Any] = dtype) -> npt.NDArray[Any]:
        return np.array([[decompress(frame, shape, kind) for frame in example] for example in stack])

    q, k, v, masked, bias = stacks
    return LayerVectors(
        q=of(q, rows, stored.size),
        k=of(k, keys, stored.size),
        v=of(v, keys, stored.value_size),
        groups=tuple(stored.groups),
        scale=stored.scale,
        scale_fitted=stored.scale_fitted,
        softcap=stored.softcap,
        sinks=np.frombuffer(stored.sinks, "<f4") if stored.sinks else None,
        masked=np.array([[_unpacked(plane, rows, keys) for plane in example] for example in masked])
        if stored.masked_planes
        else None,
        bias=of(bias, rows, keys, kind=f4) if stored.bias_planes else None,
    )


def _describe(stored: record_pb2.Vectors, vectors: LayerVectors) -> None:
    stored.size, stored.value_size = vectors.q.shape[3], vectors.v.shape[3]
    stored.key_value_heads = vectors.k.shape[1]
    stored.groups.extend(vectors.groups)
    stored.codec = record_pb2.Codec.Name(_codec(vectors))  # type: ignore[assignment]
    stored.scale, stored.scale_fitted = vectors.scale, vectors.scale_fitted
    stored.softcap = vectors.softcap
    if vectors.sinks is not None:
        stored.sinks = vectors.sinks.astype("<f4").tobytes()
    stored.masked_planes = 0 if vectors.masked is None else vectors.masked.shape[1]
    stored.bias_planes = 0 if vectors.bias is None else vectors.bias.shape[1]


def _codec(vectors: LayerVectors) -> int:
    halves = all(array.dtype == np.float16 for array in (vectors.q, vectors.k, vectors.v))
    return record_pb2.F16 if halves else record_pb2.F32


def _arrays(vectors: LayerVectors, example: int) -> Iterator[npt.NDArray[Any]]:
    dtype = _dtype(_codec(vectors))
    for stack in (vectors.q, vectors.k, vectors.v):
        yield from stack[example].astype(dtype)
    if vectors.masked is not None:
        yield from np.packbits(vectors.masked[example], axis=-1)
    if vectors.bias is not None:
        yield from vectors.bias[example].astype("<f4")


def _unpacked(frame: bytes, rows: int, keys: int) -> npt.NDArray[np.bool_]:
    packed = decompress(frame, (rows, -(-keys // 8)), np.dtype("u1"))
    return np.unpackbits(packed, axis=-1, count=keys).view(np.bool_)


def _dtype(codec: int) -> np.dtype[np.generic]:
    try:
        return np.dtype(_DTYPES[codec])
    except KeyError:
        raise DamagedRecordError(
            f"vectors are stored with codec {codec}, which this version does not know: update tb-llmdebug."
        ) from None
