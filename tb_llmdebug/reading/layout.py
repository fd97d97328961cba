"""Whether what an attention record declares can be; looked at before anything is allocated for it."""

from __future__ import annotations

from tb_llmdebug.wire import record_pb2, tiles
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_HEADS = 1 << 20
MAX_LAYERS = 4096
MAX_WEIGHTS = 1 << 26
"""of one head: nothing larger is ever allocated"""

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
        or plane.heads > MAX_HEADS
        # Such a frame is decompressed whole, whichever head is asked for.
        or (plane.together and plane.heads * weights > tiles.TOGETHER_WEIGHTS)
    )
