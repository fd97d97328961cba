"""Maps that were logged while a model decoded with a cache: each record holds only the rows that were new.

Here the rows of one generation are put together again, up to the step that is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.cache import ByteBudget, ByteCache
from tb_llmdebug.reading.entries import BlobSource, Entry, Location
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.reading.strips import all_strips
from tb_llmdebug.records import Tokens
from tb_llmdebug.wire import messages, record_pb2
from tb_llmdebug.wire.errors import DamagedRecordError

MOST_WEIGHTS = 1 << 23
"""of all layers, heads and examples together; of a longer generation only the newest rows are shown"""
MOST_RECORDS = 2048
_LAYER_BYTES = 512
"""of the objects that hold the rows of one layer"""

Weights = npt.NDArray[np.floating]
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


class _Text(NamedTuple):
    """Tokens as far as it takes to say whether others go on from them: a number for each."""

    text: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64] | None

    @classmethod
    def of(cls, tokens: Tokens | None) -> _Text | None:
        if tokens is None:
            return None
        text = np.array([hash(piece) for piece in tokens.text], np.int64)
        return cls(text, np.array(tokens.ids, np.int64) if tokens.ids else None)

    def nbytes(self) -> int:
        return sum(part.nbytes for part in self if part is not None)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that one record holds, or the newest of them."""

    positions: tuple[int, ...]
    """of queries, one after the other"""
    layers: dict[int, Weights]
    """by number: [examples, heads, rows, keys], float16 where that holds all that was stored"""
    heads: dict[int, tuple[int, ...]]
    texts: tuple[_Text | None, ...]
    """the keys of each example, up to the last row"""
    codec: int
    """the coarsest of the layers"""
    continues: bool
    """rows of the record before belong above these"""
    cut: bool
    """the record holds older rows, too"""

    def nbytes(self) -> int:
        texts = sum(text.nbytes() for text in self.texts if text is not None)
        return texts + sum(weights.nbytes + _LAYER_BYTES for weights in self.layers.values())

    def newest(self, most: int) -> _Rows:
        """Return the same without all but the newest rows."""
        if len(self.positions) <= most:
            return self
        layers = {layer: weights[:, :, -most:] for layer, weights in self.layers.items()}
        return replace(self, positions=self.positions[-most:], layers=layers, cut=True)

    def follow(self, older: _Rows) -> bool:
        """Return whether these are the next rows of the same text, layers and heads."""
        return (
            self.heads == older.heads
            and older.positions[-1] + 1 == self.positions[0]
            and all(
                mine.shape[0] == others.shape[0] and mine.shape[3] >= others.shape[3]
                for mine, others in ((self.layers[layer], older.layers[layer]) for layer in self.layers)
            )
            and all(map(_goes_on, self.texts, older.texts))
        )


class _Together(NamedTuple):
    """The rows that belong above each other."""

    parts: list[_Rows]
    """the oldest first; none if not even its own rows make one map"""
    gap: str
    """why there are no more rows, to be formatted with how many there are"""


class Grown:
    """Puts generations together; keeps the rows of each record, so that no step decodes those of others."""

    def __init__(self, budget: ByteBudget) -> None:
        self._rows: ByteCache[tuple[str, int], _Rows] = ByteCache(budget, _Rows.nbytes)
        self._made: ByteCache[tuple[str, int], GrownAttention] = ByteCache(
            budget, lambda made: made.message.ByteSize() + sum(made.message.frame_bytes)
        )

    def at(self, series: str, ordinal: int, open_record: Open) -> StoredAttention:
        """Return record `ordinal`, with the rows before its own if it continues others.

        Raises:
            DamagedRecordError: the record itself cannot be read.
        """
        stored = open_record(ordinal)
        if not stored.message.continues or not _has_weights(stored):
            return stored
        made = self._made.peek((series, ordinal))
        if made is not None:
            return made
        together = self._together(stored, series, ordinal, open_record)
        made = _assembled(stored, together)
        if made.continued and together.gap != UNREADABLE:
            self._made.keep((series, ordinal), made)
        return made

    def _together(self, stored: StoredAttention, series: str, ordinal: int, open_record: Open) -> _Together:
        """Go back to the beginning, or until there are as many rows as can be shown."""
        own = self._known((series, ordinal), lambda: stored)
        if isinstance(own, str):
            return _Together([], own)
        limit = max(len(own.positions), MOST_WEIGHTS // max(1, _weights_per_row(own)))
        parts, held, gap = [own], len(own.positions), ""
        for place in range(ordinal - 1, -1, -1):
            if held >= limit or ordinal - place > MOST_RECORDS:
                gap = _TOO_LONG
                break
            try:
                older = self._known((series, place), partial(open_record, place), limit - held)
            except (DamagedRecordError, ValueError):
                older = UNREADABLE  # and nobody knows whether it continued another
            if isinstance(older, str):
                gap = older
                break
            if not parts[-1].follow(older):
                gap = _OTHERS
                break
            parts.append(older)
            held += len(older.positions)
            if older.cut or not older.continues:
                gap = _TOO_LONG if older.cut else ""
                break
        else:
            gap = _NOT_KEPT if parts[-1].positions[0] else ""
        return _Together(parts[::-1], gap)

    def _known(
        self, key: tuple[str, int], opened: Callable[[], StoredAttention], most: int | None = None
    ) -> _Rows | str:
        """Return the newest rows of a record, or why there are none."""
        known = self._rows.peek(key)
        if known is None or (known.cut and (most is None or most > len(known.positions))):
            record = opened()
            found = _rows_of(record, most) if _has_weights(record) else _NOT_KEPT
            if isinstance(found, str):
                return found
            self._rows.keep(key, found)
            known = found
        return known if most is None else known.newest(most)


def _has_weights(stored: StoredAttention) -> bool:
    return bool(stored.message.layers) and all(
        stored.has_weights(entry.layer) for entry in stored.message.layers
    )


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
        texts=tuple(
            _Text.of(stored.known_tokens(example.key_tokens)) if example.key_tokens else None
            for example in stored.message.examples
        ),
        # The codecs are numbered from the finest to the coarsest.
        codec=max(entry.codec for entry in entries),
        continues=stored.message.continues,
        cut=first > 0,
    )


def _weights_per_row(rows: _Rows) -> int:
    return sum(
        examples * heads * keys for examples, heads, _, keys in (one.shape for one in rows.layers.values())
    )


def _goes_on(newer: _Text | None, older: _Text | None) -> bool:
    """Return whether a text goes on from another, as far as is known."""
    if newer is None or older is None:
        return True
    # While a character is not whole, its pieces read otherwise: their numbers stay.
    if newer.ids is not None and older.ids is not None:
        return np.array_equal(newer.ids[: len(older.ids)], older.ids)
    return np.array_equal(newer.text[: len(older.text)], older.text)


def _joined(parts: list[_Rows], layer: int) -> Weights:
    """Return the rows of all parts in one layer, float32."""
    examples, heads, _, keys = parts[-1].layers[layer].shape
    # Keys that were not there yet: nothing could look at them.
    joined = np.zeros((examples, heads, sum(len(part.positions) for part in parts), keys), np.float32)
    place = 0
    for part in parts:
        weights = part.layers[layer]
        joined[:, :, place : place + weights.shape[2], : weights.shape[3]] = weights
        place += weights.shape[2]
    return joined


def _weights(stored: StoredAttention, layer: int, start: int) -> Weights:
    """Return the rows from number `start` on that one record holds, [examples, heads, rows, keys].

    What was stored as float16 stays so, and so does what was stored more coarsely.
    """
    entry = stored.message.layers[stored.layer_slot(layer)]
    shape = len(stored.message.examples), len(entry.heads), len(stored.rows(layer)) - start, entry.keys
    weights = np.zeros(shape, np.float32 if entry.codec == record_pb2.F32 else np.float16)
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


def _assembled(stored: StoredAttention, together: _Together) -> GrownAttention:
    parts = together.parts
    positions = tuple(itertools.chain.from_iterable(part.positions for part in parts))
    gap = together.gap.format(shown=len(positions), all=positions[-1] + 1 if positions else 0)
    if len(parts) <= 1:
        return GrownAttention.alone(stored, gap)
    record = stored.record()
    whole = positions == tuple(range(len(positions)))
    layers = tuple(
        # Vectors and pooled maps stay with the records that hold them: each has those of its own rows.
        replace(
            layer,
            weights=_joined(parts, layer.layer),
            rows=None if whole and len(positions) == layer.queries else positions,
            vectors=None,
            pooled=(),
        )
        for layer in record.layers
    )
    codec = _PRECISIONS[max(part.codec for part in parts)]
    encoded = messages.encode(replace(record, layers=layers, precision=codec))
    location = Location(_Memory(encoded.blobs), 0, 0)
    entry = Entry(stored.step, stored.wall_time, stored.head, location)
    made = GrownAttention(stored.name, entry, Payloads(ByteBudget(0)), stored.known_tokens)
    made.continued, made.gap = len(parts) - 1, gap
    return made
