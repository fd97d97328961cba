"""Attention maps of one model at one step."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records.anomaly import Anomaly, Check, Severity
from tb_llmdebug.records.errors import InvalidRecordError
from tb_llmdebug.records.tokens import Tokens
from tb_llmdebug.records.vectors import LayerVectors

PRECISIONS = ("auto", "f32", "f16", "u8")
"""how weights may be stored; "auto" is f16 for small maps, u8 for large ones"""


class MapState(enum.IntEnum):
    """What is left of a logged map; the numbers are those on disk."""

    NO_MAP = 0
    FULL = 1
    STATISTICS_ONLY = 2
    DROPPED = 3
    REDUCED = 4


@dataclass(frozen=True, eq=False)
class PooledAttention:
    """Maps of one layer, pooled over blocks of weights; rows of padding are left out."""

    factors: tuple[int, int]
    """query rows and keys of one block"""
    max: npt.NDArray[np.floating]
    """float [examples, heads, rows of blocks, columns of blocks], the largest weight"""
    mean: npt.NDArray[np.floating]
    """float, same shape, the mean weight"""

    def __post_init__(self) -> None:
        if self.max.shape != self.mean.shape or min(self.factors) < 1:
            raise InvalidRecordError(
                f"pooled maps have shapes {self.max.shape} and {self.mean.shape}, factors {self.factors}: "
                "give both the same shape, and factors from 1 on."
            )


@dataclass(frozen=True, eq=False)
class LayerAttention:
    """Attention of one layer for all logged examples."""

    layer: int
    """the model's own number"""
    heads: tuple[int, ...]
    """[heads], the model's own numbers of the heads kept"""
    queries: int
    keys: int
    statistics: npt.NDArray[np.float32]
    """float32 [examples, heads, statistics]"""
    weights: npt.NDArray[np.floating] | None = None
    """float [examples, heads, rows, keys], all queries unless `rows` names some; None if none were kept"""
    label: str = ""
    key_value_heads: int = 0
    """grouped-query attention: number of key-value heads; 0 = as many as heads"""
    rows: tuple[int, ...] | None = None
    """query positions that were looked at; None = all"""
    pooled: tuple[PooledAttention, ...] = ()
    """the map in ever larger blocks: instead of weights, or for an overview of large ones"""
    value_norms: npt.NDArray[np.float32] | None = None
    """float32 [examples, heads, keys], Euclidean norm of each value vector; None if no values were given"""
    window: int = 0
    """sliding window: keys that a query sees, itself included, both ways if not causal; 0 = none is known"""
    of_heads: int = 0
    """heads of the model's layer, kept or not; 0 = not known"""
    vectors: LayerVectors | None = None
    """of the heads and rows kept; None if none were logged or they were left out"""

    @property
    def square(self) -> bool:
        """Whether queries and keys are the same positions."""
        return self.queries == self.keys

    def __post_init__(self) -> None:
        if self.statistics.ndim != 3 or self.statistics.shape[1] != len(self.heads):
            raise InvalidRecordError(
                f"statistics of layer {self.layer} have shape {self.statistics.shape}: expected "
                f"[examples, {len(self.heads)} heads, statistics]."
            )
        looked_at = self.queries if self.rows is None else len(self.rows)
        expected = (self.statistics.shape[0], len(self.heads), looked_at, self.keys)
        if self.weights is not None and self.weights.shape != expected:
            raise InvalidRecordError(
                f"weights of layer {self.layer} have shape {self.weights.shape}: expected {expected}."
            )
        norms = (*expected[:2], self.keys)
        if self.value_norms is not None and self.value_norms.shape != norms:
            raise InvalidRecordError(
                f"value norms of layer {self.layer} have shape {self.value_norms.shape}: expected {norms}."
            )
        if self.vectors is not None and self.vectors.shape != expected:
            raise InvalidRecordError(
                f"vectors of layer {self.layer} make weights {self.vectors.shape}: expected {expected}."
            )


@dataclass(frozen=True)
class LayerWithoutMap:
    """A layer of a hybrid model that mixes tokens without attention, and so has no map."""

    layer: int
    """the model's own number"""
    label: str = ""
    """its path in the model"""
    mixer: str = ""
    """class of what it has in the place of attention; empty = not known"""
    linear: bool = False
    """that is linear in the length of the text: a state space, linear attention, a recurrence"""


@dataclass(frozen=True, eq=False)
class Example:
    """What is known of one logged example besides its maps."""

    index: int
    """its place in the batch"""
    query_tokens: Tokens | None = None
    key_tokens: Tokens | None = None
    query_mask: npt.NDArray[np.bool_] | None = None
    """bool [queries], True = real; None = all real"""
    key_mask: npt.NDArray[np.bool_] | None = None
    """bool [keys], True = real; None = all real"""
    label: str = ""


@dataclass(frozen=True, eq=False)
class AttentionRecord:
    """Attention of all layers and logged examples at one step."""

    name: str
    step: int
    wall_time: float
    layers: tuple[LayerAttention, ...]
    examples: tuple[Example, ...]
    statistic_names: tuple[str, ...]
    map_state: MapState = MapState.FULL
    anomalies: tuple[Anomaly, ...] = ()
    checks: tuple[Check, ...] = ()
    causal: bool | None = None
    batch: int = 0
    """examples in the logged batch, stored or not"""
    precision: str = "auto"
    """what the maps are stored with: "f32", "f16", "u8", or "auto" to choose by size"""
    reduction: str = ""
    """one sentence if anything was left out"""
    without_map: tuple[LayerWithoutMap, ...] = ()
    """the model's layers between these that have no attention"""
    continues: bool = False
    """decoding with a cache: the rows follow those of the record before it under this name"""
    vectors_left_out: str = ""
    """why vectors that were asked for are not here, one sentence"""

    def __post_init__(self) -> None:
        for layer in self.layers:
            expected = (len(self.examples), len(layer.heads), len(self.statistic_names))
            if layer.statistics.shape != expected:
                raise InvalidRecordError(
                    f"statistics of layer {layer.layer} have shape {layer.statistics.shape}: "
                    f"expected {expected}."
                )

    def nbytes(self) -> int:
        """Return how much memory the maps hold."""
        arrays = [array for layer in self.layers for array in (layer.weights, layer.value_norms)]
        arrays += [
            array for layer in self.layers for level in layer.pooled for array in (level.max, level.mean)
        ]
        vectors = sum(layer.vectors.nbytes() for layer in self.layers if layer.vectors is not None)
        return vectors + sum(array.nbytes for array in arrays if array is not None)

    def without_maps(self, why: str) -> AttentionRecord:
        """Return the same with its statistics only."""
        layers = tuple(
            replace(layer, weights=None, pooled=(), value_norms=None, vectors=None) for layer in self.layers
        )
        said = why if any(layer.vectors is not None for layer in self.layers) else self.vectors_left_out
        return replace(self, layers=layers, map_state=MapState.DROPPED, reduction=why, vectors_left_out=said)

    def severity(self) -> Severity:
        """Return the worst severity of this record's anomalies."""
        return max((anomaly.severity for anomaly in self.anomalies), default=Severity.NONE)

    def tokens(self) -> Iterator[Tokens]:
        """Yield the tokens that this record refers to, each distinct object once."""
        seen: set[int] = set()
        for example in self.examples:
            for tokens in (example.query_tokens, example.key_tokens):
                if tokens is not None and id(tokens) not in seen:
                    seen.add(id(tokens))
                    yield tokens
