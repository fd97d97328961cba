"""Maps that were logged while a model decoded with a cache: each record holds only the rows that were new.

Here the rows of one generation are put together again, up to the step that is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.cache import ByteBudget, ByteCache
from tb_llmdebug.reading.entries import BlobSource, Entry, Location
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.reading.strips import all_strips
from tb_llmdebug.records import LayerAttention, Tokens
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

MOST_WEIGHTS = 1 << 23
"""of all layers, heads and examples together; of a longer generation only the newest rows are shown"""
MOST_RECORDS = 2048

Weights = npt.NDArray[np.float32]
Open = Callable[[int], StoredAttention]
"""opens a record of a series by its ordinal; raises DamagedRecordError"""

UNREADABLE = "The rows of a step before this one are missing: its map cannot be read at the moment."
"""the one gap that may be gone when the same is asked again"""
_PRECISIONS: dict[int, str] = {record_pb2.F32: "f32", record_pb2.F16: "f16", record_pb2.SQRT_U8: "u8"}
_TOO_LONG = "Only the newest {shown:,} of {all:,} query rows are shown: more cannot be put together at once."
_OTHERS = "The rows of earlier steps are not shown: they are of another text, or of other layers or heads."
_NOT_KEPT = "The rows of a step before this one are missing: its map was not kept."


class GrownAttention(StoredAttention):
    """A record with the rows of those that it continues above its own; its statistics are of its own."""

    continued = 0
    """records whose rows stand above"""
    gap = ""
    """why rows are missing, one sentence"""

    @classmethod
    def alone(cls, stored: StoredAttention, gap: str) -> GrownAttention:
        """Return a record as it is, none of whose earlier rows can be shown."""
        made = cls.__new__(cls)
        made.__dict__.update(stored.__dict__)
        made.gap = gap
        return made


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of one record, or of consecutive ones put together."""

    positions: tuple[int, ...]
    """of queries, one after the other"""
    layers: dict[int, Weights]
    """by number: float32 [examples, heads, rows, keys]"""
    heads: dict[int, tuple[int, ...]]
    tokens: tuple[Tokens | None, ...]
    """the keys of each example, up to the last row"""
    codec: int
    """the coarsest that any of the rows was stored with"""
    ends: tuple[int, ...]
    """the last position of each record"""
    continues: bool = False
    """rows of the record before belong above these"""
    gap: str = ""
    """why there are no more rows, to be formatted with how many there are"""

    def nbytes(self) -> int:
        return sum(weights.nbytes for weights in self.layers.values())

    def newest(self, most: int) -> _Rows:
        """Return the same without all but the newest rows."""
        if len(self.positions) <= most:
            return self
        positions = self.positions[-most:]
        return replace(
            self,
            positions=positions,
            layers={layer: weights[:, :, -most:] for layer, weights in self.layers.items()},
            ends=tuple(end for end in self.ends if end >= positions[0]),
            gap=_TOO_LONG,
        )

    def follow(self, older: _Rows) -> bool:
        """Return whether these are the next rows of the same text, layers and heads."""
        return (
            self.heads == older.heads
            and older.positions[-1] + 1 == self.positions[0]
            and all(
                mine.shape[0] == others.shape[0] and mine.shape[3] >= others.shape[3]
                for mine, others in ((self.layers[layer], older.layers[layer]) for layer in self.layers)
            )
            and all(map(_begins_with, self.tokens, older.tokens))
        )


class Grown:
    """Puts generations together; keeps the latest, so that the next step only adds its own rows."""

    def __init__(self, budget: ByteBudget) -> None:
        self._rows: ByteCache[tuple[str, int], _Rows] = ByteCache(budget, _Rows.nbytes)
        self._made: ByteCache[tuple[str, int], GrownAttention] = ByteCache(
            budget, lambda made: sum(made.message.frame_bytes)
        )

    def at(self, series: str, ordinal: int, open_record: Open) -> StoredAttention:
        """Return record `ordinal`, with the rows before its own if it continues others.

        Raises:
            DamagedRecordError: the record itself cannot be read.
        """
        stored = open_record(ordinal)
        if not stored.message.continues or not _has_weights(stored):
            return stored
        key = (series, ordinal)
        made = self._made.peek(key)
        if made is not None:
            return made
        rows = self._rows.peek(key)
        if rows is None:
            rows = self._together(stored, *key, open_record)
        made = _assembled(stored, rows)
        if rows.gap != UNREADABLE:
            self._rows.keep(key, rows)
            self._made.keep(key, made)
        return made

    def _together(self, stored: StoredAttention, series: str, ordinal: int, open_record: Open) -> _Rows:
        """Go back to the beginning, to rows that are known, or until there are as many as can be shown."""
        own = _rows_of(stored)
        if isinstance(own, str):
            return _nothing(own)
        limit = max(len(own.positions), MOST_WEIGHTS // max(1, _weights_per_row(own)))
        parts, held, gap = [own], len(own.positions), ""
        for place in range(ordinal - 1, -1, -1):
            if held >= limit or ordinal - place > MOST_RECORDS:
                gap = _TOO_LONG
                break
            known = self._rows.peek((series, place))
            older = _read(open_record, place, limit - held) if known is None else known.newest(limit - held)
            if isinstance(older, str):
                gap = older
                break
            if not parts[-1].follow(older):
                gap = _OTHERS
                break
            parts.append(older)
            held += len(older.positions)
            gap = older.gap
            if gap or not older.continues:
                break
        else:
            gap = _NOT_KEPT if parts[-1].positions[0] else ""
        return _joined(parts[::-1], gap)


def _has_weights(stored: StoredAttention) -> bool:
    return bool(stored.message.layers) and all(
        stored.has_weights(entry.layer) for entry in stored.message.layers
    )


def _read(open_record: Open, place: int, most: int) -> _Rows | str:
    """Return the newest rows of a record, or why there are none."""
    try:
        record = open_record(place)
        return _rows_of(record, most) if _has_weights(record) else _NOT_KEPT
    except (DamagedRecordError, ValueError):
        return UNREADABLE  # and nobody knows whether it continued another


def _rows_of(stored: StoredAttention, most: int | None = None) -> _Rows | str:
    """Return the newest rows of one record, or why they do not make one map with those of others."""
    entries = stored.message.layers
    positions = tuple(stored.rows(entries[0].layer))
    if any(tuple(stored.rows(entry.layer)) != positions for entry in entries):
        return _OTHERS
    first = 0 if most is None else max(0, len(positions) - most)
    return _Rows(
        positions=positions[first:],
        layers={entry.layer: _weights(stored, entry.layer, first) for entry in entries},
        heads={entry.layer: tuple(entry.heads) for entry in entries},
        tokens=tuple(
            stored.known_tokens(example.key_tokens) if example.key_tokens else None
            for example in stored.message.examples
        ),
        # The codecs are numbered from the finest to the coarsest.
        codec=max(entry.codec for entry in entries),
        ends=positions[-1:],
        continues=stored.message.continues,
        gap=_TOO_LONG if first else "",
    )


def _nothing(gap: str) -> _Rows:
    return _Rows((), {}, {}, (), 0, (), gap=gap)


def _weights_per_row(rows: _Rows) -> int:
    return sum(
        examples * heads * keys for examples, heads, _, keys in (one.shape for one in rows.layers.values())
    )


def _begins_with(newer: Tokens | None, older: Tokens | None) -> bool:
    """Return whether a text goes on from another, as far as is known."""
    if newer is None or older is None:
        return True
    # While a character is not whole, its pieces read otherwise: their numbers stay.
    if newer.ids and older.ids:
        return newer.ids[: len(older)] == older.ids
    return newer.text[: len(older)] == older.text


def _joined(parts: list[_Rows], gap: str) -> _Rows:
    """Return the rows of all parts, the oldest first; each is copied once."""
    newest = parts[-1]
    positions = tuple(itertools.chain.from_iterable(part.positions for part in parts))
    layers = {}
    for layer, (examples, heads, _, keys) in ((number, one.shape) for number, one in newest.layers.items()):
        # Keys that were not there yet: nothing could look at them.
        layers[layer] = np.zeros((examples, heads, len(positions), keys), np.float32)
        place = 0
        for part in parts:
            weights = part.layers[layer]
            layers[layer][:, :, place : place + weights.shape[2], : weights.shape[3]] = weights
            place += weights.shape[2]
    return _Rows(
        positions=positions,
        layers=layers,
        heads=newest.heads,
        tokens=newest.tokens,
        codec=max(part.codec for part in parts),
        ends=tuple(itertools.chain.from_iterable(part.ends for part in parts)),
        gap=gap,
    )


def _weights(stored: StoredAttention, layer: int, start: int) -> Weights:
    """Return the rows from number `start` on that one record holds, float32 [examples, heads, rows, keys]."""
    entry = stored.message.layers[stored.layer_slot(layer)]
    shape = len(stored.message.examples), len(entry.heads), len(stored.rows(layer)) - start, entry.keys
    weights = np.zeros(shape, np.float32)
    for example in range(shape[0]):
        for slot, strips in enumerate(all_strips(stored, layer, example)):
            for first, strip in strips:
                rows = strip[max(0, start - first) :]
                place = max(0, first - start)
                weights[example, slot, place : place + len(rows)] = rows
    return weights


class _Memory(BlobSource):
    """Blobs that are in no file."""

    path = ""

    def __init__(self, blobs: tuple[bytes, ...]) -> None:
        self._blobs = blobs

    def blobs(self, number: int) -> tuple[bytes, ...]:
        """Return them; there is one record."""
        return (self._blobs,)[number]


def _assembled(stored: StoredAttention, rows: _Rows) -> GrownAttention:
    gap = rows.gap.format(shown=len(rows.positions), all=rows.positions[-1] + 1 if rows.positions else 0)
    if len(rows.ends) <= 1:
        return GrownAttention.alone(stored, gap)
    record = stored.record()
    whole = rows.positions == tuple(range(len(rows.positions)))
    layers = tuple(_with_rows(layer, rows, whole) for layer in record.layers)
    codec = _PRECISIONS[rows.codec]
    encoded = messages.encode(replace(record, layers=layers, precision=codec))
    location = Location(_Memory(encoded.blobs), 0, 0)
    entry = Entry(stored.step, stored.wall_time, stored.head, location)
    made = GrownAttention(stored.name, entry, Payloads(ByteBudget(0)), stored.known_tokens)
    made.continued, made.gap = len(rows.ends) - 1, gap
    return made


def _with_rows(layer: LayerAttention, rows: _Rows, whole: bool) -> LayerAttention:
    all_there = whole and len(rows.positions) == layer.queries
    positions = None if all_there else rows.positions
    # Vectors and pooled maps stay with the records that hold them: each has those of its own rows.
    return replace(layer, weights=rows.layers[layer.layer], rows=positions, vectors=None, pooled=())
