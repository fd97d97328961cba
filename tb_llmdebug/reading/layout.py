"""Whether what an attention record declares can be; looked at before anything is allocated for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tb_llmdebug.wire import record_pb2, tiles
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_HEADS = 1 << 20
MAX_LAYERS = 4096
MAX_WEIGHTS = 1 << 26
"""of one head: nothing larger is ever allocated"""

MAX_ROWS = 1 << 20
"""of one head's map"""
MAX_STRIP = 1 << 24
"""weights of a row of tiles"""
MAX_LEVELS = 8
"""of pooled maps"""


def frame_counts(message: record_pb2.Attention) -> list[int]:
    """Return how many frames one example of each layer takes; nothing if no map was stored.

    Raises:
        DamagedRecordError: the record declares what nobody could have written, or show.
    """
    if message.tile == 0 and message.frame_bytes:
        raise DamagedRecordError("a record declares tiles without an edge.")
    if len(message.layers) > MAX_LAYERS:
        raise DamagedRecordError(f"a record declares {len(message.layers)} layers.")
    return [_frames_of(entry, message.tile) for entry in message.layers] if message.frame_bytes else []


def stored_statistics(message: record_pb2.Attention, layer: record_pb2.Layer) -> npt.NDArray[np.float32]:
    """Return float32 [examples, heads, statistics] of one layer.

    Raises:
        DamagedRecordError: the layer holds another number of them.
    """
    shape = len(message.examples), len(layer.heads), len(message.statistics)
    if len(layer.statistics) != math.prod(shape) * 4:
        raise DamagedRecordError("the statistics of a record have another size than its shape says.")
    return np.frombuffer(layer.statistics, "<f4").reshape(shape)


def check_positions(message: record_pb2.Attention) -> None:
    """Check that layers and heads are named once, have queries and keys, and rows and masks of these.

    Raises:
        DamagedRecordError: they are not.
    """
    if _twice([entry.layer for entry in message.layers]):
        raise DamagedRecordError("a record declares a layer twice.")
    for entry in message.layers:
        if _twice(entry.heads):
            raise DamagedRecordError(f"a record declares a head of layer {entry.layer} twice.")
        if 0 in (entry.queries, entry.keys):
            raise DamagedRecordError(f"a record declares layer {entry.layer} without queries or keys.")
        rows = np.array(entry.rows, np.int64)
        if rows.size and (rows[-1] >= entry.queries or (np.diff(rows) <= 0).any()):
            raise DamagedRecordError(f"the rows of layer {entry.layer} are not positions in their order.")
    # Layers of other sizes stand in one record only where no mask was given.
    queries, keys = ({getattr(entry, side) for entry in message.layers} for side in ("queries", "keys"))
    for example in message.examples:
        for mask, sizes in ((example.query_mask, queries), (example.key_mask, keys)):
            if mask and sizes - {len(mask)}:
                raise DamagedRecordError("a mask of a record has another length than its layers.")


def _twice(numbers: Sequence[int]) -> bool:
    return len(set(numbers)) < len(numbers)


def _frames_of(entry: record_pb2.Layer, tile: int) -> int:
    planes = [] if entry.codec == record_pb2.CODEC_UNKNOWN else [tiles.weights_plane(entry)]
    if len(entry.pooled) > MAX_LEVELS or any(0 in (level.rows, level.keys) for level in entry.pooled):
        raise DamagedRecordError("a record declares pooled maps that cannot be.")
    for level in entry.pooled:
        planes += tiles.pooled_planes(entry, level).values()
    if any(_too_large(plane, tile) for plane in planes):
        raise DamagedRecordError("a record declares maps larger than any that can be shown.")
    return sum(plane.frames(tile) for plane in planes) + (entry.codec != record_pb2.CODEC_UNKNOWN)


def _too_large(plane: tiles.Plane, tile: int) -> bool:
    weights = plane.rows * plane.columns
    return (
        weights > MAX_WEIGHTS
        or min(plane.rows, tile) * plane.columns > MAX_STRIP
        or plane.rows > MAX_ROWS
        or plane.heads > MAX_HEADS
        or plane.heads * plane.rows > MAX_STRIP  # the row sums, which are one frame
        # Such a frame is decompressed whole, whichever head is asked for.
        or (plane.together and plane.heads * weights > tiles.TOGETHER_WEIGHTS)
    )
