"""One stored attention record, its maps decoded when asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.index import Entry
from tb_llmdebug.reading.layout import check_positions, frame_counts, stored_statistics
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.reading.vectors import StoredVectors
from tb_llmdebug.records import (
    AttentionRecord,
    Example,
    HeadVectors,
    LayerAttention,
    LayerWithoutMap,
    MapState,
    PooledAttention,
    Tokens,
)
from tb_llmdebug.wire import messages, record_pb2, tiles
from tb_llmdebug.wire.errors import DamagedRecordError

Pool = Literal["max", "mean"]
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

    def __init__(self, name: str, entry: Entry, payloads: Payloads, tokens: LookUp, run: str = "") -> None:
        self.run = run
        self.name = name
        self.step = entry.step
        self.wall_time = entry.wall_time
        self.head = entry.head
        self.known_tokens = tokens
        blobs = payloads.blobs(entry.location)
        if not blobs:
            raise DamagedRecordError("an attention record holds no header.")
        self.message = messages.parse(record_pb2.Attention, bytes(blobs[0]))
        self._frames = blobs[1] if len(blobs) > 1 else memoryview(b"")
        # Records without vectors end with the head again, right behind the maps.
        self._vector_blob = blobs[2] if len(blobs) > 3 else memoryview(b"")
        self._vectors: StoredVectors | None = None
        self._starts = self._layout()
        self._layer_slots = {entry.layer: slot for slot, entry in enumerate(self.message.layers)}
        self._head_slots: dict[int, dict[int, int]] = {}

    def __repr__(self) -> str:
        layers = self.message.layers
        shapes = {(len(layer.heads), len(layer.rows) or layer.queries, layer.keys) for layer in layers}
        return (
            f"<StoredAttention {self.name!r} of run {self.run!r} at step {self.step}: "
            f"{len(self.message.examples)} examples, {len(layers)} layers of [heads, rows, keys] "
            f"{', '.join(str(list(shape)) for shape in sorted(shapes))}>"
        )

    @property
    def has_map(self) -> bool:
        """Whether weights or pooled maps were stored."""
        return len(self.message.frame_bytes) > 0

    def has_weights(self, layer: int) -> bool:
        """Return whether the weights of layer number `layer` were stored one by one."""
        return self.has_map and self._layer_entry(layer).codec != record_pb2.CODEC_UNKNOWN

    def layer_slot(self, layer: int) -> int:
        """Return the place of layer number `layer`.

        Raises:
            KeyError: there is no such layer.
        """
        return _place(self._layer_slots, layer, "layer")

    def rows(self, layer: int) -> Sequence[int]:
        """Return the query positions that were looked at, all or those chosen with `rows=`."""
        entry = self._layer_entry(layer)
        return tuple(entry.rows) or range(entry.queries)

    def real_rows(self, layer: int, example: int = 0) -> npt.NDArray[np.bool_] | None:
        """Return bool [rows], False for padding, of the rows that were looked at; None = all real.

        Raises:
            KeyError: there is no such layer or example.
        """
        self.check_example(example)
        mask = _mask(self.message.examples[example].query_mask)
        chosen = self._layer_entry(layer).rows
        return mask if mask is None or not chosen else mask[np.array(chosen, np.intp)]

    def real_keys(self, example: int = 0) -> npt.NDArray[np.bool_] | None:
        """Return bool [keys], False for padding; None = all real.

        Raises:
            KeyError: there is no such example.
        """
        self.check_example(example)
        return _mask(self.message.examples[example].key_mask)

    def weights(self, layer: int, head: int, example: int = 0) -> npt.NDArray[np.float32]:
        """Return the weights of one head, float32 [rows, keys], all queries unless `rows()` says else.

        Args:
            layer, head: the model's own numbers.
            example: its place in the record.

        Raises:
            KeyError: there is no such layer, head or example, or no weights were stored.
            DamagedRecordError: the stored bytes are not what was written.
        """
        sums, frames = self.head_frames(layer, head, example)
        entry = self._layer_entry(layer)
        slot = self._head_slot(layer, head)
        return tiles.decode_head(tiles.weights_plane(entry), slot, self.message.tile, frames, sums)

    def strips(
        self, layer: int, head: int, example: int = 0, rows: range | None = None
    ) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Yield the first row and float32 [rows, keys] of one head, a few rows at a time.

        Raises as `weights`. Strips of nothing but zeros are left out, and all but `rows`, consecutive ones.
        """
        sums, frames = self.head_frames(layer, head, example, rows)
        entry = self._layer_entry(layer)
        slot = self._head_slot(layer, head)
        return tiles.decode_strips(tiles.weights_plane(entry), slot, self.message.tile, frames, sums, rows)

    def pooled(
        self, layer: int, head: int, example: int = 0, pool: Pool = "max", level: int = 0
    ) -> npt.NDArray[np.float32]:
        """Return a pooled map of one head, float32 [rows of blocks, columns of blocks].

        Args:
            layer, head: the model's own numbers.
            example: its place in the record.
            pool: the largest or the mean weight of each block.
            level: 0 is the finest; `pooled_factors(layer)[level]` are rows and keys of its blocks.

        Raises:
            KeyError: there is no such layer, head, example or level.
            DamagedRecordError: the stored bytes are not what was written.
        """
        plane, frames = self.pooled_frames(layer, head, example, pool, level)
        slot = self._head_slot(layer, head)
        return tiles.decode_head(plane, slot, self.message.tile, frames)

    def pooled_factors(self, layer: int) -> tuple[tuple[int, int], ...]:
        """Return rows and keys of one block, for each stored level of pooled maps."""
        return tuple((level.rows, level.keys) for level in self._layer_entry(layer).pooled)

    def value_norms(self, layer: int, example: int = 0) -> npt.NDArray[np.float32] | None:
        """Return the norms of the value vectors, float32 [heads, keys]; None if no values were given."""
        self.check_example(example)
        entry = self._layer_entry(layer)
        if not entry.value_norms:
            return None
        shape = len(self.message.examples), len(entry.heads), entry.keys
        if len(entry.value_norms) != math.prod(shape) * 4:
            raise DamagedRecordError("the value norms of a record have another size than its shape says.")
        norms: npt.NDArray[np.float32] = np.frombuffer(entry.value_norms, "<f4").reshape(shape)[example]
        return norms

    def has_vectors(self, layer: int) -> bool:
        """Return whether query, key and value vectors of layer number `layer` were stored."""
        return self._layer_entry(layer).HasField("vectors")

    def vectors(self, layer: int, head: int, example: int = 0) -> HeadVectors:
        """Return query, key and value vectors of one head, and what makes its weights of them.

        Args:
            layer, head: the model's own numbers.
            example: its place in the record.

        Returns:
            q [rows, size] of the positions `rows(layer)`, k [keys, size], v [keys, value size], the scale
            and what is masked or added; its methods give logits, weights and output.

        Raises:
            KeyError: there is no such layer, head or example, or no vectors of it were stored.
            DamagedRecordError: the stored bytes are not what was written.
        """
        self.check_example(example)
        head_slot = self._head_slot(layer, head)
        if not self.has_vectors(layer):
            why = self.message.vectors_left_out or "log them with log_probe(..., vectors=True)"
            raise KeyError(f"no vectors of layer {layer} were stored with this record: {why}")
        return self._stored_vectors().head(self.layer_slot(layer), head_slot, example)

    def head_frames(
        self, layer: int, head: int, example: int = 0, rows: range | None = None
    ) -> tuple[bytes, list[bytes]]:
        """Return the stored frame of row sums and the frames of one head, as they are on disk.

        Frames without any of `rows` are empty, as those of nothing but zeros are.

        Raises:
            KeyError: there is no such layer, head or example, or no weights were stored.
        """
        entry = self._layer_entry(layer)
        slot = self._head_slot(layer, head)
        if not self.has_weights(layer):
            kept = "only pooled maps were" if entry.pooled and self.has_map else "no map was"
            raise KeyError(f"{kept} stored with this record")
        first = self._first_frame(example, layer)
        plane, tile = tiles.weights_plane(entry), self.message.tile
        places = plane.frames_of(slot, tile)
        wanted = range(len(places)) if rows is None else plane.frames_of_rows(rows, tile)
        return self._frame(first), [
            self._frame(first + 1 + place) if number in wanted else b"" for number, place in enumerate(places)
        ]

    def pooled_frames(
        self, layer: int, head: int, example: int, pool: Pool, level: int
    ) -> tuple[tiles.Plane, list[bytes]]:
        """Return how a pooled map is stored, and the frames of one head.

        Raises:
            KeyError: there is no such layer, head, example or level.
        """
        entry = self._layer_entry(layer)
        slot = self._head_slot(layer, head)
        if not self.has_map or not 0 <= level < len(entry.pooled):
            raise KeyError(f"pooled level {level} was not stored with this record")
        first, tile = self._first_frame(example, layer), self.message.tile
        if self.has_weights(layer):
            first += 1 + tiles.weights_plane(entry).frames(tile)
        for number, stored in enumerate(entry.pooled):
            for kind, plane in tiles.pooled_planes(entry, stored).items():
                if (number, kind) == (level, pool):
                    return plane, [self._frame(first + place) for place in plane.frames_of(slot, tile)]
                first += plane.frames(tile)
        raise KeyError(f"maps are pooled by max or mean, not {pool!r}")

    def row_sums(self, layer: int, head: int, example: int = 0) -> npt.NDArray[np.float16]:
        """Return the stored sums of one head's rows, float16 [rows]."""
        sums, _ = self.head_frames(layer, head, example)
        entry = self._layer_entry(layer)
        slot = self._head_slot(layer, head)
        row_sums: npt.NDArray[np.float16] = tiles.decode_row_sums(tiles.weights_plane(entry), sums)[slot]
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
            query_tokens=self.known_tokens(entry.query_tokens) if entry.query_tokens else None,
            key_tokens=self.known_tokens(entry.key_tokens) if entry.key_tokens else None,
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
            without_map=tuple(
                LayerWithoutMap(other.layer, other.label, other.mixer, other.linear)
                for other in message.without_map
            ),
            continues=message.continues,
            vectors_left_out=message.vectors_left_out,
        )

    def _stored_vectors(self) -> StoredVectors:
        """Looked at when they are asked for: damage there must not take the maps away."""
        if self._vectors is None:
            self._vectors = StoredVectors(self.message, self._vector_blob)
        return self._vectors

    def _layer_entry(self, layer: int) -> record_pb2.Layer:
        return self.message.layers[self.layer_slot(layer)]

    def _head_slot(self, layer: int, head: int) -> int:
        slots = self._head_slots.get(layer)
        if slots is None:
            heads = self._layer_entry(layer).heads
            slots = self._head_slots[layer] = {number: slot for slot, number in enumerate(heads)}
        return _place(slots, head, "head")

    def _layer(self, slot: int) -> LayerAttention:
        entry = self.message.layers[slot]
        norms = [self.value_norms(entry.layer, place) for place in range(len(self.message.examples))]
        return LayerAttention(
            layer=entry.layer,
            heads=tuple(entry.heads),
            queries=entry.queries,
            keys=entry.keys,
            statistics=self._all_statistics(slot),
            weights=self._stack(entry, self.weights) if self.has_weights(entry.layer) else None,
            label=entry.label,
            key_value_heads=entry.key_value_heads,
            rows=tuple(entry.rows) or None,
            pooled=tuple(self._pooled(entry)) if self.has_map else (),
            value_norms=np.stack(norms) if entry.value_norms else None,  # type: ignore[arg-type]
            window=entry.window,
            of_heads=entry.of_heads,
            vectors=self._stored_vectors().layer(slot) if entry.HasField("vectors") else None,
        )

    def _pooled(self, entry: record_pb2.Layer) -> Iterator[PooledAttention]:
        for level, stored in enumerate(entry.pooled):
            yield PooledAttention(
                factors=(stored.rows, stored.keys),
                max=self._stack(entry, partial(self.pooled, pool="max", level=level)),
                mean=self._stack(entry, partial(self.pooled, pool="mean", level=level)),
            )

    def _stack(
        self, entry: record_pb2.Layer, head_of: Callable[[int, int, int], npt.NDArray[np.float32]]
    ) -> npt.NDArray[np.float32]:
        places = range(len(self.message.examples))
        return np.stack(
            [np.stack([head_of(entry.layer, head, place) for head in entry.heads]) for place in places]
        )

    def _all_statistics(self, slot: int) -> npt.NDArray[np.float32]:
        return stored_statistics(self.message, self.message.layers[slot])

    def _layout(self) -> Sequence[int]:
        """Check the declared shapes against the stored bytes; returns where each frame starts."""
        message = self.message
        check_positions(message)
        counts = frame_counts(message)
        self._layer_starts = list(itertools.accumulate(counts, initial=0))
        expected = self._layer_starts[-1] * len(message.examples)
        if len(message.frame_bytes) != expected and message.frame_bytes:
            raise DamagedRecordError("a record has another number of tiles than its shape says.")
        starts = list(itertools.accumulate(message.frame_bytes, initial=0))
        if starts[-1] != len(self._frames):
            raise DamagedRecordError("the tiles of a record have another size than its header says.")
        return starts

    def _first_frame(self, example: int, layer: int) -> int:
        self.check_example(example)
        return example * self._layer_starts[-1] + self._layer_starts[self.layer_slot(layer)]

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


def _place(places: Mapping[int, int], wanted: int, what: str) -> int:
    try:
        return places[wanted]
    except KeyError:
        raise KeyError(f"{what} {wanted} is not among {list(places)}") from None


def _mask(data: bytes) -> npt.NDArray[np.bool_] | None:
    return np.frombuffer(data, np.uint8).astype(bool) if data else None
