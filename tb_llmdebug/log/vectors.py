"""Query, key and value vectors of tapped layers, and what turns q . k into the layer's own logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.host import to_host
from tb_llmdebug.capture.taps import Block, LayerTaps
from tb_llmdebug.records import InvalidRecordError, LayerVectors

MASKED_BELOW = -9e3
"""what is added to a logit to mask its key: -10,000 in the oldest models, minus infinity in the newest"""
_BLOCK = 1 << 20
"""logits that are looked at at once"""
_ROUNDING, _HALF_ROUNDING = 1e-4, 1e-2
"""of logits, relative to the largest: less than this is not taken for something that was added"""

Floats = npt.NDArray[np.float32]
Place = tuple[int, slice, slice]
"""example, heads, rows"""


@dataclass(frozen=True, eq=False)
class VectorSource:
    """The vectors of one layer as it has just run, not read yet."""

    taps: LayerTaps
    examples: tuple[int, ...]
    heads: tuple[int, ...]
    all_heads: int
    rows: npt.NDArray[np.intp]
    """places of the kept queries in the layer's own"""

    @property
    def layer(self) -> int:
        """Number of the layer."""
        return self.taps.layer

    def nbytes(self) -> int:
        """Return about how many bytes they take, before they are read."""
        q, k, v = (_shape(part) for part in (self.taps.q, self.taps.k, self.taps.v))
        held = len(set(self._groups(k[1]))) if k[1] else 0
        numbers = len(self.heads) * len(self.rows) * q[3] + held * k[2] * (k[3] + v[3])
        return len(self.examples) * numbers * (2 if _is_float16(self.taps.q) else 4)

    def read(self) -> LayerVectors:
        """Return the vectors, in memory of their own.

        Raises:
            InvalidRecordError: the layer shows no q, k or logits.
        """
        taps = self.taps
        if taps.q is None or taps.k is None or taps.v is None or taps.logit_block is None:
            raise InvalidRecordError(f"{taps.label} shows no queries, keys or logits.")
        groups = self._groups(_shape(taps.k)[1])
        held = sorted(set(groups))  # once each, though a layer may have repeated them for its heads
        q = _picked(taps.q, f"queries of layer {taps.layer}", self.examples, self.heads, self.rows.tolist())
        k = _picked(taps.k, f"keys of layer {taps.layer}", self.examples, held)
        v = _picked(taps.v, f"values of layer {taps.layer}", self.examples, held)
        places = tuple(held.index(group) for group in groups)
        reading = _Reading(self, q, k, places, taps.logit_block)
        scale, softcap, fitted = reading.arithmetic()
        masked, bias = reading.planes(scale, softcap)
        return LayerVectors(
            q=q,
            k=k,
            v=v,
            groups=places,
            scale=scale,
            scale_fitted=fitted,
            softcap=softcap,
            sinks=None if taps.sinks is None else self._sinks(taps.sinks),
            masked=masked,
            bias=bias,
        )

    def _groups(self, given: int) -> tuple[int, ...]:
        """Return which of the `given` keys each head looks at: the first of those that are equal."""
        distinct = self.taps.key_value_heads or given
        repeated = given // distinct
        return tuple(head * distinct // self.all_heads * repeated for head in self.heads)

    def _sinks(self, sinks: Any) -> Floats:
        return to_host(sinks, "sinks").array.astype(np.float32)[list(self.heads)]


class _Reading:
    """Compares the logits of a layer with the products of its q and k, a few heads at a time."""

    def __init__(
        self,
        source: VectorSource,
        q: npt.NDArray[Any],
        k: npt.NDArray[Any],
        groups: tuple[int, ...],
        logits: Block,
    ) -> None:
        self._source, self._q, self._k, self._groups, self._logits = source, q, k, groups, logits
        self._half = _is_half(source.taps.q)

    def arithmetic(self) -> tuple[float, float, bool]:
        """Return scale and soft cap of the logits, and whether the scale had to be worked out.

        What the layer says of itself counts if its logits bear it out; then 1 / sqrt(size), then 1. If none
        does, something is added to the logits, or the scale is another one: the one of least squares.
        """
        taps, size = self._source.taps, self._q.shape[3]
        told = () if taps.scale is None else (float(taps.scale),)
        usual = (*told, size**-0.5, 1.0)
        _, _, products, logits = next(self._blocks(0))
        visible = np.isfinite(logits) & (logits > MASKED_BELOW / 2) & np.isfinite(products)
        x, y = products[visible].astype(np.float64), logits[visible].astype(np.float64)
        if x.size == 0 or not x.any():
            return usual[0], float(taps.softcap), False
        least_squares = float(x @ y / (x @ x))
        for scale, cap in [(scale, cap) for cap in {taps.softcap, 0.0} for scale in (*usual, least_squares)]:
            predicted = _capped(x * scale, cap)
            if np.abs(predicted - y).max() <= self._tolerance(predicted):
                return scale, float(cap), scale not in usual
        if told:
            return told[0], float(taps.softcap), False
        spread = x - x.mean()
        slope = float(spread @ y / max(float(spread @ spread), 1e-30))
        near = [scale for scale in usual if 0.8 < slope / scale < 1.25]
        return (near or [slope])[0], float(taps.softcap), True

    def planes(self, scale: float, softcap: float) -> tuple[npt.NDArray[np.bool_] | None, Floats | None]:
        """Return which keys are masked and what is added, each [examples, 1 or heads, rows, keys] or None."""
        hidden = np.empty((*self._q.shape[:3], self._k.shape[2]), np.bool_)
        something, largest = False, 0.0
        for place, apart, tolerance in self._apart(scale, softcap):
            hidden[place] = masked = apart <= MASKED_BELOW
            something |= bool((~masked & np.isfinite(apart) & (np.abs(apart) > tolerance)).any())
            largest = max(largest, tolerance)
        added = self._added(scale, softcap, largest) if something else None
        if not hidden.any():
            return None, added
        alike = all((one == one[:1]).all() for one in hidden)
        return (hidden[:, :1].copy() if alike else hidden), added

    def _added(self, scale: float, softcap: float, tolerance: float) -> Floats:
        """Return what is added to the logits that are not masked, for all heads once where it is the same.

        A second look at them: something small is part of it too, and few layers add anything.
        """
        added = np.zeros((*self._q.shape[:3], self._k.shape[2]), np.float32)
        for place, apart, _ in self._apart(scale, softcap):
            added[place] = np.where((apart > MASKED_BELOW) & np.isfinite(apart), apart, np.float32(0))
        alike = all(np.abs(one - one[:1]).max(initial=0.0) <= tolerance for one in added)
        return added[:, :1].copy() if alike else added

    def _apart(self, scale: float, softcap: float) -> Iterator[tuple[Place, Floats, float]]:
        """Yield the logits less those of q . k, where they stand, and what rounding may have moved."""
        for example in range(self._q.shape[0]):
            for heads, rows, products, logits in self._blocks(example):
                predicted = _capped(products * np.float32(scale), softcap)
                with np.errstate(invalid="ignore", over="ignore"):
                    yield (example, heads, rows), logits - predicted, self._tolerance(predicted)

    def _blocks(self, example: int) -> Iterator[tuple[slice, slice, Floats, Floats]]:
        """Yield heads and rows, and of these products and logits, both float32 [heads, rows, keys]."""
        heads, rows = self._q.shape[1:3]
        keys = self._k.shape[2]
        rows_at_once = max(1, min(rows, _BLOCK // max(1, keys)))
        heads_at_once = max(1, _BLOCK // (rows_at_once * max(1, keys)))
        k = self._k[example].astype(np.float32, copy=False)
        for head in range(0, heads, heads_at_once):
            some_heads = slice(head, min(head + heads_at_once, heads))
            looked_at = k[list(self._groups[some_heads])].swapaxes(1, 2)
            for row in range(0, rows, rows_at_once):
                some_rows = slice(row, min(row + rows_at_once, rows))
                q = self._q[example, some_heads, some_rows].astype(np.float32, copy=False)
                with np.errstate(invalid="ignore", over="ignore"):
                    products = np.matmul(q, looked_at)
                yield some_heads, some_rows, products, self._logits_of(example, some_heads, some_rows)

    def _logits_of(self, example: int, places: slice, rows: slice) -> Floats:
        source = self._source
        heads, example, wanted = source.heads[places], source.examples[example], source.rows[rows]
        if heads == tuple(range(heads[0], heads[-1] + 1)):
            return self._logits(example, slice(heads[0], heads[-1] + 1), wanted)
        return np.concatenate([self._logits(example, slice(head, head + 1), wanted) for head in heads])

    def _tolerance(self, logits: npt.NDArray[np.floating]) -> float:
        finite = np.abs(logits[np.isfinite(logits)]).max(initial=0.0)
        return (_HALF_ROUNDING if self._half else _ROUNDING) * (1.0 + float(finite))


class KeptVectors:
    """The vectors of all layers of a record, as far as the maps leave room for them."""

    def __init__(self) -> None:
        self._kept: dict[int, LayerVectors] = {}
        self._asked = 0
        self._no_room: list[int] = []
        self._refused: dict[int, str] = {}

    def add(self, source: VectorSource | None, room: int) -> None:
        """Take the vectors of one layer, if there are any to take.

        Args:
            source: None for a layer whose vectors were not asked for.
            room: bytes that the maps leave for the vectors of all layers; what was taken last goes first.
        """
        while self._kept and self._size() > room:
            self._no_room.append(self._kept.popitem()[0])
        if source is None:
            return
        self._asked += 1
        if self._size() + source.nbytes() > room:
            self._no_room.append(source.layer)
            return
        try:
            vectors = source.read()
        except InvalidRecordError as error:
            self._refused[source.layer] = str(error)
            return
        if self._size() + vectors.nbytes() > room:
            self._no_room.append(source.layer)
        else:
            self._kept[source.layer] = vectors

    def of(self, layer: int) -> LayerVectors | None:
        """Return what is kept of a layer."""
        return self._kept.get(layer)

    def sentence(self, budget: str) -> str:
        """Return what was left out and why; empty if nothing was."""
        said = []
        if self._no_room:
            count = len(self._no_room)
            said.append(
                f"Query, key and value vectors of {count} of {self._asked} layers are left out: with the "
                f"maps of this step they take more than the budget of {budget}; choose fewer with vectors=, "
                "heads=, examples= or rows=."
            )
        if self._refused:
            layer, why = next(iter(self._refused.items()))
            said.append(f"There are no vectors of {len(self._refused)} layers, the first is {layer}: {why}")
        return " ".join(said)

    def _size(self) -> int:
        return sum(vectors.nbytes() for vectors in self._kept.values())


def _capped(logits: npt.NDArray[Any], softcap: float) -> npt.NDArray[Any]:
    return logits if not softcap else softcap * np.tanh(logits / softcap)


def _shape(part: Any) -> tuple[int, ...]:
    return (0, 0, 0, 0) if part is None else tuple(int(size) for size in part.shape)


def _is_half(tensor: Any) -> bool:
    return "16" in str(getattr(tensor, "dtype", ""))


def _is_float16(tensor: Any) -> bool:
    name = str(getattr(tensor, "dtype", ""))
    return "float16" in name and "bfloat16" not in name


def _picked(tensor: Any, what: str, *places: Sequence[int]) -> npt.NDArray[Any]:
    """Return `places` along the first axes, as a copy in a type that can be stored."""
    array = to_host(tensor, what).array
    picked = array[np.ix_(*(np.array(place, np.intp) for place in places))]
    return picked if picked.dtype == np.float16 else picked.astype(np.float32)
