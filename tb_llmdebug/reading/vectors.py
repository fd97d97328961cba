"""The vectors of one stored attention record, decoded when asked for."""

from __future__ import annotations

import itertools
import math

from tb_llmdebug.reading.layout import MAX_HEADS, MAX_STRIP
from tb_llmdebug.reading.payload import Blob
from tb_llmdebug.records import HeadVectors, LayerVectors
from tb_llmdebug.wire import record_pb2, vectors
from tb_llmdebug.wire.errors import DamagedRecordError


class StoredVectors:
    """Where in a record the vectors of each layer, example and head lie.

    Args:
        message: what the record declares.
        frames: its blob of vectors.

    Raises:
        DamagedRecordError: the record declares what nobody could have written, or another size of blob.
    """

    def __init__(self, message: record_pb2.Attention, frames: memoryview | Blob) -> None:
        self._message, self._frames = message, frames
        per_layer = [_checked(layer) for layer in message.layers]
        self._first = list(itertools.accumulate(per_layer, initial=0))
        if len(message.vector_bytes) != self._first[-1] * len(message.examples):
            raise DamagedRecordError("a record has another number of vectors than its shape says.")
        self._starts = list(itertools.accumulate(message.vector_bytes, initial=0))
        if self._starts[-1] != len(frames):
            raise DamagedRecordError("the vectors of a record have another size than its header says.")

    def head(self, layer_slot: int, head_slot: int, example: int) -> HeadVectors:
        """Return the vectors of one head by its places.

        Raises:
            DamagedRecordError: the stored bytes are not what was written.
        """
        layer = self._message.layers[layer_slot]
        first = example * self._first[-1] + self._first[layer_slot]
        frames = [
            None if place is None else self._frame(first + place)
            for place in vectors.frames_of(layer, head_slot)
        ]
        return vectors.decode_head(layer, head_slot, frames)

    def layer(self, layer_slot: int) -> LayerVectors:
        """Return the vectors of a whole layer.

        Raises:
            DamagedRecordError: the stored bytes are not what was written.
        """
        layer, start = self._message.layers[layer_slot], self._first[layer_slot]
        first = range(start, len(self._message.examples) * self._first[-1], self._first[-1])
        count = sum(vectors.counts(layer))
        return vectors.decode_layer(layer, [[self._frame(at + i) for i in range(count)] for at in first])

    def _frame(self, place: int) -> bytes:
        return bytes(self._frames[self._starts[place] : self._starts[place + 1]])


def _checked(layer: record_pb2.Layer) -> int:
    """Return how many frames one example of `layer` takes, after a look at what it declares."""
    if not layer.HasField("vectors"):
        return 0
    stored, heads = layer.vectors, len(layer.heads)
    rows, keys = len(layer.rows) or layer.queries, layer.keys
    planes = (stored.masked_planes, stored.bias_planes)
    fits = (
        len(stored.groups) == heads
        and max(heads, stored.key_value_heads) <= MAX_HEADS
        and all(group < stored.key_value_heads for group in stored.groups)
        and all(count in (0, 1, heads) for count in planes)
        and len(stored.sinks) in (0, 4 * heads)
        and math.isfinite(stored.scale)
        and math.isfinite(stored.softcap)
    )
    if not fits:
        raise DamagedRecordError(f"the vectors of layer {layer.layer} do not fit its heads.")
    numbers = [rows * stored.size, keys * stored.size, keys * stored.value_size]
    if any(planes):
        numbers.append(rows * keys)
    if max(numbers) > MAX_STRIP:
        raise DamagedRecordError("a record declares vectors larger than any that can be shown.")
    return sum(vectors.counts(layer))
