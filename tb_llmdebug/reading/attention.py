"""One stored attention record, its maps decoded when asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.index import Entry
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.records import AttentionRecord, Example, LayerAttention, MapState, Tokens
from tb_llmdebug.wire import messages, record_pb2, tiles
from tb_llmdebug.wire.errors import DamagedRecordError

MAX_HEADS = 1 << 20
MAX_LAYERS = 4096
MAX_WEIGHTS = 1 << 26
"""of one head: nothing larger is ever allocated"""

LookUp = Callable[[bytes], Tokens | None]


class StoredAttention:
    """An attention record as it lies on disk.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         accepted = llmdebug.log_attention("encoder", np.ones((1, 2, 1, 1)), step=0)
        ...     stored = llmdebug.open_logdir(logdir).attention(".", "encoder", step=0)
        ...     stored.weights(layer=0, head=1).tolist()
        [[1.0]]
    """

    def __init__(self, name: str, entry: Entry, payloads: Payloads, tokens: LookUp) -> None:
        self.name = name
        self.step = entry.step
        self.wall_time = entry.wall_time
        self.head = entry.head
        self._tokens = tokens
        blobs = payloads.blobs(entry.location)
        if not blobs:
            raise DamagedRecordError("an attention record holds no header.")
        self.message = messages.parse(record_pb2.Attention, bytes(blobs[0]))
        self._frames = blobs[1] if len(blobs) > 1 else memoryview(b"")
        self._starts = self._layout()

    @property
    def has_map(self) -> bool:
        """Whether weights were stored."""
        return len(self.message.frame_bytes) > 0

    def layer_slot(self, layer: int) -> int:
        """Return the place of layer number `layer`.

        Raises:
            KeyError: there is no such layer.
        """
        return _place([entry.layer for entry in self.message.layers], layer, "layer")

    def weights(self, layer: int, head: int, example: int = 0) -> npt.NDArray[np.float32]:
        """Return the weights of one head, float32 [queries, keys].

        Args:
            layer, head: the model's own numbers.
            example: its place in the record.

        Raises:
            KeyError: there is no such layer, head or example, or no map was stored.
            DamagedRecordError: the stored bytes are not what was written.
        """
        entry = self.message.layers[self.layer_slot(layer)]
        slot = _place(list(entry.heads), head, "head")
        sums, frames = self.head_frames(layer, head, example)
        return tiles.decode_head(entry, slot, self.message.tile, sums, frames)

    def head_frames(self, layer: int, head: int, example: int = 0) -> tuple[bytes, list[bytes]]:
        """Return the stored frame of row sums and the frames of one head, as they are on disk."""
        layer_slot = self.layer_slot(layer)
        entry = self.message.layers[layer_slot]
        slot = _place(list(entry.heads), head, "head")
        if not self.has_map:
            raise KeyError("no map was stored with this record")
        first = self._first_frame(example, layer_slot)
        places = tiles.head_frames(entry, slot, self.message.tile)
        return self._frame(first), [self._frame(first + place) for place in places]

    def row_sums(self, layer: int, head: int, example: int = 0) -> npt.NDArray[np.float16]:
        """Return the stored sums of one head's rows, float16 [queries]."""
        entry = self.message.layers[self.layer_slot(layer)]
        sums, _ = self.head_frames(layer, head, example)
        slot = _place(list(entry.heads), head, "head")
        row_sums: npt.NDArray[np.float16] = tiles.decode_row_sums(entry, sums)[slot]
        return row_sums

    def statistics(self, layer: int, example: int = 0) -> npt.NDArray[np.float32]:
        """Return float32 [heads, statistics] of one layer and example."""
        self.check_example(example)
        statistics: npt.NDArray[np.float32] = self._all_statistics(self.layer_slot(layer))[example]
        return statistics

    def example(self, place: int) -> Example:
        """Return what is known of one example besides its maps."""
        self.check_example(place)
        entry = self.message.examples[place]
        return Example(
            index=entry.index,
            query_tokens=self._tokens(entry.query_tokens) if entry.query_tokens else None,
            key_tokens=self._tokens(entry.key_tokens) if entry.key_tokens else None,
            query_mask=_mask(entry.query_mask),
            key_mask=_mask(entry.key_mask),
            label=entry.label,
        )

    def record(self) -> AttentionRecord:
        """Return everything, decoded."""
        message = self.message
        return AttentionRecord(
            name=self.name,
            step=self.step,
            wall_time=self.wall_time,
            layers=tuple(self._layer(slot) for slot in range(len(message.layers))),
            examples=tuple(self.example(place) for place in range(len(message.examples))),
            statistic_names=tuple(message.statistics),
            map_state=_map_state(self.head.map_state),
            anomalies=tuple(map(messages.anomaly_from, self.head.anomalies)),
            checks=tuple(map(messages.check_from, message.checks)),
            causal=message.causal if message.HasField("causal") else None,
            batch=message.batch,
            reduction=message.reduction,
        )

    def _layer(self, slot: int) -> LayerAttention:
        entry = self.message.layers[slot]
        places = range(len(self.message.examples))
        weights = None
        if self.has_map:
            heads = [[self.weights(entry.layer, head, p) for head in entry.heads] for p in places]
            shape = (len(places), len(entry.heads), entry.queries, entry.keys)
            weights = np.array(heads, np.float32).reshape(shape)
        return LayerAttention(
            layer=entry.layer,
            heads=tuple(entry.heads),
            queries=entry.queries,
            keys=entry.keys,
            statistics=self._all_statistics(slot),
            weights=weights,
            label=entry.label,
            key_value_heads=entry.key_value_heads,
        )

    def _all_statistics(self, slot: int) -> npt.NDArray[np.float32]:
        entry = self.message.layers[slot]
        shape = (len(self.message.examples), len(entry.heads), len(self.message.statistics))
        if len(entry.statistics) != math.prod(shape) * 4:
            raise DamagedRecordError("the statistics of a record have another size than its shape says.")
        return np.frombuffer(entry.statistics, "<f4").reshape(shape)

    def _layout(self) -> Sequence[int]:
        """Check the declared shapes against the stored bytes; returns where each frame starts."""
        message = self.message
        if message.tile == 0 and message.frame_bytes:
            raise DamagedRecordError("a record declares tiles without an edge.")
        if len(message.layers) > MAX_LAYERS:
            raise DamagedRecordError(f"a record declares {len(message.layers)} layers.")
        counts = []
        for entry in message.layers:
            if entry.queries * entry.keys > MAX_WEIGHTS or len(entry.heads) > MAX_HEADS:
                raise DamagedRecordError("a record declares maps larger than any that can be shown.")
            if entry.heads_together and entry.queries * entry.keys * len(entry.heads) > MAX_WEIGHTS:
                raise DamagedRecordError("a record declares maps larger than any that can be shown.")
            if message.frame_bytes:
                counts.append(tiles.frames_per_example(entry, message.tile))
        self._layer_starts = list(itertools.accumulate(counts, initial=0))
        expected = self._layer_starts[-1] * len(message.examples)
        if len(message.frame_bytes) != expected and message.frame_bytes:
            raise DamagedRecordError("a record has another number of tiles than its shape says.")
        starts = list(itertools.accumulate(message.frame_bytes, initial=0))
        if starts[-1] != len(self._frames):
            raise DamagedRecordError("the tiles of a record have another size than its header says.")
        return starts

    def _first_frame(self, example: int, layer_slot: int) -> int:
        self.check_example(example)
        return example * self._layer_starts[-1] + self._layer_starts[layer_slot]

    def _frame(self, place: int) -> bytes:
        return bytes(self._frames[self._starts[place] : self._starts[place + 1]])

    def check_example(self, place: int) -> None:
        """Raise KeyError if there is no such example."""
        if not 0 <= place < len(self.message.examples):
            raise KeyError(f"example {place} of {len(self.message.examples)}")


def _map_state(number: int) -> MapState:
    try:
        return MapState(number)
    except ValueError:
        raise DamagedRecordError(f"a record declares map state {number}: update tb-llmdebug.") from None


def _place(numbers: list[int], wanted: int, what: str) -> int:
    try:
        return numbers.index(wanted)
    except ValueError:
        raise KeyError(f"{what} {wanted} is not among {numbers}") from None


def _mask(data: bytes) -> npt.NDArray[np.bool_] | None:
    return np.frombuffer(data, np.uint8).astype(bool) if data else None
