"""From weights to what is kept of them: statistics, checks, and maps within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tb_llmdebug.detection import AttentionChecks
from tb_llmdebug.log.layer_input import LayerInput, blocks
from tb_llmdebug.log.sides import Sides, value_norms
from tb_llmdebug.log.vectors import KeptVectors
from tb_llmdebug.records import LayerAttention, MapState, PooledAttention
from tb_llmdebug.stats import STATISTICS, HeadStatistics
from tb_llmdebug.stats.pooling import Pooling

BUDGET_BYTES = 64 << 20
"""a step whose stored tiles would take more before compression keeps pooled maps instead"""
OVERVIEW_EDGE = 64
"""larger maps than four times this get an overview of at most this edge, so that it need not be made anew"""
FEW_ROWS = 16
"""so few query rows are not pooled among each other"""


def fit_exactly(weights: int, weight_bytes: int) -> bool:
    """Return whether so many weights of a step, of `weight_bytes` each when stored, are kept exactly."""
    return weights * weight_bytes <= BUDGET_BYTES


@dataclass(eq=False)
class _Layer:
    """One layer so far."""

    attention: LayerAttention
    pooling: tuple[Pooling, ...]
    """one per example"""
    real: npt.NDArray[np.bool_] | None
    """bool [examples, rows], False for padding; None = all real"""


class Reduction:
    """Takes layers one at a time, in blocks; keeps maps exactly while they fit the budget.

    Once they do not, all layers keep the largest and mean weight of blocks of f x f, with the smallest
    power of two for f that fits.

    Args:
        checks: fed with every block.
        weight_bytes: bytes of one stored weight before compression.
    """

    def __init__(self, checks: AttentionChecks, weight_bytes: int) -> None:
        self._checks = checks
        self._bytes = weight_bytes
        self._budget = BUDGET_BYTES
        self._layers: list[_Layer] = []
        self._vectors = KeptVectors()
        self._exact = True
        self._factor = 1
        self._size = 0

    def add(self, layer: LayerInput, sides: Sides) -> None:
        """Take one layer in."""
        self._size += layer.size()
        if self._exact and not fit_exactly(self._size, self._bytes):
            self._exact = False
            for earlier in self._layers:
                _pool_again(earlier)
        if not self._exact:
            self._coarsen(layer)
        examples, heads, rows, keys = layer.shape
        factors = self._factors(rows, keys, layer.rows is not None)
        pooling = tuple(
            Pooling((heads, rows, keys), factors) for _ in range(examples if factors != (1, 1) else 0)
        )
        if self._exact:
            layer = layer.computed()
        real = _real_rows(layer, sides)
        statistics = self._walk(layer, sides, real, pooling)
        attention = LayerAttention(
            layer=layer.layer,
            heads=layer.heads,
            queries=layer.queries,
            keys=keys,
            statistics=statistics,
            weights=layer.weights if self._exact else None,
            label=layer.label,
            key_value_heads=layer.key_value_heads,
            rows=layer.rows,
            value_norms=value_norms(layer),
            window=layer.window,
            of_heads=layer.all_heads,
        )
        self._layers.append(_Layer(attention, pooling, real))
        self._vectors.add(layer.vectors, self._budget - self._size * self._bytes)

    def layers(self) -> tuple[LayerAttention, ...]:
        """Return what is kept of all layers."""
        return tuple(
            replace(
                layer.attention,
                pooled=tuple(_levels(layer)),
                vectors=self._vectors.of(layer.attention.layer),
            )
            for layer in self._layers
        )

    def vectors_left_out(self) -> str:
        """Return which vectors that were asked for are left out and why; empty if none are."""
        return self._vectors.sentence(_mebibytes(self._budget))

    def state(self, continues: bool = False) -> tuple[MapState, str]:
        """Return what is left of the maps, and one sentence if anything was left out.

        Args:
            continues: there never were other rows than these: earlier steps computed them.
        """
        some = next((layer.attention for layer in self._layers if layer.attention.rows is not None), None)
        said = []
        if some is not None and some.rows is not None and not continues:
            said.append(f"{len(some.rows):,} of {some.queries:,} query rows, chosen with rows=.")
        if not self._exact:
            factors = dict.fromkeys(pooling.factors for layer in self._layers for pooling in layer.pooling)
            blocks = " and ".join(f"{rows} x {keys}" for rows, keys in factors)
            said.append(
                f"Max- and mean-pooled {blocks}: the maps of this step take "
                f"{_mebibytes(self._size * self._bytes)} and the budget is {_mebibytes(self._budget)}; "
                "choose layers=, heads=, examples= or rows= to keep weights exactly."
            )
        return (MapState.REDUCED if said else MapState.FULL), " ".join(said)

    def _walk(
        self,
        layer: LayerInput,
        sides: Sides,
        real_rows: npt.NDArray[np.bool_] | None,
        pooling: tuple[Pooling, ...],
    ) -> npt.NDArray[np.float32]:
        """Look at every weight once; returns the statistics, float32 [examples, heads, statistics]."""
        examples, heads, rows, keys = layer.shape
        found = np.empty((examples, heads, len(STATISTICS)), np.float32)
        positions = layer.positions()
        for example in range(examples):
            key_mask = None if sides.key_mask is None else sides.key_mask[example]
            documents = None if sides.document_ids is None else sides.document_ids[example]
            tokens = sides.known_tokens(example)
            statistics = HeadStatistics(heads)
            for some_heads, some_rows in blocks(heads, rows, keys):
                weights = layer.block(example, some_heads, some_rows).astype(np.float32, copy=False)
                real = None if real_rows is None else real_rows[example, some_rows]
                at = positions[some_rows] if layer.square else None
                sums = statistics.add(weights, at, real, key_mask, some_heads, tokens)
                place = (example, layer.layer, layer.heads[some_heads])
                self._checks.look(weights, sums, place, real, key_mask, documents, positions[some_rows])
                if pooling:
                    pooling[example].add(weights, some_heads, some_rows.start, real)
            found[example] = statistics.result()
        return found

    def _factors(self, rows: int, keys: int, chosen_rows: bool) -> tuple[int, int]:
        """Return rows and keys of the blocks that this layer is pooled over; 1 x 1 = not at all."""
        factor = self._factor
        if self._exact:
            if max(rows, keys) <= 4 * OVERVIEW_EDGE:
                return 1, 1
            factor = _power_for(max(1 if chosen_rows else rows, keys), OVERVIEW_EDGE)
        return (1 if chosen_rows or rows <= FEW_ROWS else factor), factor

    def _coarsen(self, new: LayerInput) -> None:
        """Choose blocks so large that all layers and `new` fit the budget."""
        self._factor = max(self._factor, 2)
        while self._pooled_size(new) * self._bytes > self._budget and self._factor < max(new.shape[2:]):
            self._factor *= 2
        for layer in self._layers:
            attention, rows = layer.attention, layer.attention.rows
            kept = attention.queries if rows is None else len(rows)
            factors = self._factors(kept, attention.keys, rows is not None)
            if layer.pooling and layer.pooling[0].factors != factors:
                layer.pooling = tuple(pooling.coarser(factors) for pooling in layer.pooling)

    def _pooled_size(self, new: LayerInput) -> int:
        """Return the pooled weights, largest and mean, that all layers and `new` would take."""
        shapes = [new.shape]
        chosen = [new.rows is not None]
        for layer in self._layers:
            attention = layer.attention
            rows = attention.queries if attention.rows is None else len(attention.rows)
            shapes.append((*attention.statistics.shape[:2], rows, attention.keys))
            chosen.append(attention.rows is not None)
        total = 0
        for (examples, heads, rows, keys), some_rows in zip(shapes, chosen, strict=True):
            row, key = self._factors(rows, keys, some_rows)
            total += 2 * examples * heads * -(-rows // row) * -(-keys // key)
        return total


def _real_rows(layer: LayerInput, sides: Sides) -> npt.NDArray[np.bool_] | None:
    """Return bool [examples, rows], False for padding; None = all real, or not known."""
    mask = sides.query_mask if layer.cross else sides.key_mask if layer.square else None
    return None if mask is None else mask[:, layer.positions()]


def _pool_again(layer: _Layer) -> None:
    """Pool an earlier layer 2 x 2 that was kept exactly until the budget was used up."""
    weights = layer.attention.weights
    if weights is None:
        return
    _, heads, rows, keys = weights.shape
    factors = (1 if layer.attention.rows is not None or rows <= FEW_ROWS else 2), 2
    found = []
    for example, maps in enumerate(weights):
        pooling = Pooling((heads, rows, keys), factors)
        for some_heads, some_rows in blocks(heads, rows, keys):
            block = maps[some_heads, some_rows].astype(np.float32, copy=False)
            real = None if layer.real is None else layer.real[example, some_rows]
            pooling.add(block, some_heads, some_rows.start, real)
        found.append(pooling)
    layer.pooling = tuple(found)
    layer.attention = replace(layer.attention, weights=None)


def _levels(layer: _Layer) -> Iterator[PooledAttention]:
    """Yield the pooled maps of all examples, and an overview where they are still large."""
    if not layer.pooling:
        return
    yield _level(layer.pooling, layer.real)
    rows, columns = layer.pooling[0].shape[1:]
    if max(rows, columns) > 4 * OVERVIEW_EDGE:
        row, key = layer.pooling[0].factors
        row *= 1 if rows <= FEW_ROWS else _power_for(rows, OVERVIEW_EDGE)
        factors = row, key * _power_for(columns, OVERVIEW_EDGE)
        yield _level(tuple(pooled.coarser(factors) for pooled in layer.pooling), layer.real)


def _level(pooling: tuple[Pooling, ...], real: npt.NDArray[np.bool_] | None) -> PooledAttention:
    rows = [None] * len(pooling) if real is None else list(real)
    return PooledAttention(
        factors=pooling[0].factors,
        max=np.stack([pooled.max() for pooled in pooling]),
        mean=np.stack([pooled.mean(some) for pooled, some in zip(pooling, rows, strict=True)]),
    )


def _mebibytes(size: int) -> str:
    """Return a size to three digits, or whole from there on.

    Example:
        >>> _mebibytes(5_000), _mebibytes(64 << 20), _mebibytes(16 << 30)
        ('0.00477 MiB', '64 MiB', '16,384 MiB')
    """
    value = size / (1 << 20)
    return f"{value:,.0f} MiB" if value >= 100 else f"{value:.3g} MiB"


def _power_for(size: int, edge: int) -> int:
    """Return the smallest power of two that divides `size` into at most `edge` blocks."""
    return 1 << max(0, (-(-size // edge) - 1).bit_length())
