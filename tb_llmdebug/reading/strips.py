"""The heads of a layer one after the other, each a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.wire import tiles
from tb_llmdebug.wire.tiles import Strip


def all_strips(
    attention: StoredAttention, layer: int, example: int = 0
) -> Iterator[Iterator[tuple[int, npt.NDArray[np.float32]]]]:
    """Yield for each head, in their order, what `StoredAttention.strips` gives. Raises as `stored_heads`."""
    plane = tiles.weights_plane(attention.message.layers[attention.layer_slot(layer)])
    for strips in stored_heads(attention, layer, example):
        yield ((strip.first, tiles.to_weights(plane, strip)) for strip in strips)


def stored_heads(
    attention: StoredAttention, layer: int, example: int = 0, head: int | None = None
) -> Iterator[Iterable[Strip]]:
    """Yield the rows of each head, or of one, as they lie on disk; a frame of all heads is read once.

    Strips of nothing but zeros are left out.

    Raises:
        KeyError: there is no such layer, head or example, or no weights were stored.
        DamagedRecordError: the stored bytes are not what was written.
    """
    entry = attention.message.layers[attention.layer_slot(layer)]
    plane, tile = tiles.weights_plane(entry), attention.message.tile
    if head is not None and head not in entry.heads:
        raise KeyError(f"head {head} is not among {list(entry.heads)}")
    sums = together = None
    for slot, number in enumerate(entry.heads):
        if head is not None and number != head:
            continue
        if sums is None or not plane.together:
            row_sums, frames = attention.head_frames(layer, number, example)
        if sums is None:
            sums = tiles.decode_row_sums(plane, row_sums)
        if not plane.together:
            yield tiles.stored_strips(plane, slot, tile, frames, sums)
            continue
        together = together or _together(plane, tile, frames, sums)
        yield together[slot]


def _together(
    plane: tiles.Plane, tile: int, frames: list[bytes], sums: npt.NDArray[np.float16]
) -> list[list[Strip]]:
    # As it lies there: the heads one below the other.
    tower = plane._replace(heads=1, rows=plane.heads * plane.rows)
    found = list(tiles.stored_strips(tower, 0, tile, frames, sums.reshape(1, -1)))
    if not found:
        return [[] for _ in range(plane.heads)]
    heads = found[0].stored.reshape(plane[:3])
    if found[0].sums is None:
        return [[Strip(0, head)] for head in heads]
    return [[Strip(0, head, own)] for head, own in zip(heads, found[0].sums.reshape(plane[:2]), strict=True)]
