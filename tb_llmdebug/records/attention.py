"""Attention maps of one model at one step."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records.anomaly import Anomaly, Check, Severity
from tb_llmdebug.records.errors import InvalidRecordError
from tb_llmdebug.records.tokens import Tokens


class MapState(enum.IntEnum):
    """What is left of a logged map; the numbers are those on disk."""

    NO_MAP = 0
    FULL = 1
    STATISTICS_ONLY = 2
    DROPPED = 3
    REDUCED = 4


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
    """float [examples, heads, queries, keys]; None when the map was dropped"""
    label: str = ""
    key_value_heads: int = 0
    """grouped-query attention: number of key-value heads; 0 = as many as heads"""

    def __post_init__(self) -> None:
        if self.statistics.ndim != 3 or self.statistics.shape[1] != len(self.heads):
            raise InvalidRecordError(
                f"statistics of layer {self.layer} have shape {self.statistics.shape}: expected "
                f"[examples, {len(self.heads)} heads, statistics]."
            )
        expected = (self.statistics.shape[0], len(self.heads), self.queries, self.keys)
        if self.weights is not None and self.weights.shape != expected:
            raise InvalidRecordError(
                f"weights of layer {self.layer} have shape {self.weights.shape}: expected {expected}."
            )


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

    def __post_init__(self) -> None:
        for layer in self.layers:
            expected = (len(self.examples), len(layer.heads), len(self.statistic_names))
            if layer.statistics.shape != expected:
                raise InvalidRecordError(
                    f"statistics of layer {layer.layer} have shape {layer.statistics.shape}: "
                    f"expected {expected}."
                )

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
