"""Attributions of one model at one step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records.errors import InvalidRecordError
from tb_llmdebug.records.tokens import Tokens


@dataclass(frozen=True, eq=False)
class Attribution:
    """Scores of one example, raw and signed; normalising is the browser's."""

    index: int
    """the example's place in the batch"""
    scores: npt.NDArray[np.float32]
    """float32 [tokens]"""
    tokens: Tokens | None = None
    target: str = ""
    output: float | None = None
    """F(x)"""
    baseline_output: float | None = None
    """F(b)"""
    delta: float | None = None
    """sum(scores) - (F(x) - F(b))"""

    def __post_init__(self) -> None:
        if self.scores.ndim != 1:
            raise InvalidRecordError(
                f"scores of example {self.index} have shape {self.scores.shape}: sum over the "
                "embedding so that one score per token is left."
            )
        if self.tokens is not None and len(self.tokens) != len(self.scores):
            raise InvalidRecordError(
                f"example {self.index} has {len(self.scores)} scores but {len(self.tokens)} tokens: "
                "give one score per token."
            )


@dataclass(frozen=True, eq=False)
class AttributionRecord:
    """Attributions of one batch by one method."""

    name: str
    step: int
    wall_time: float
    method: str
    items: tuple[Attribution, ...]
    rule: str = ""
    """quadrature rule; empty if the method has none"""
    steps: int = 0
    """quadrature steps; 0 if the method has none"""
    baseline: str = ""
    """as text; empty if the method has none"""

    def __post_init__(self) -> None:
        for field in ("method", "rule", "baseline"):
            if not isinstance(getattr(self, field), str):
                raise InvalidRecordError(f"{field} of an attribution must be a text.")
        if not 0 <= self.steps < 1 << 32:
            raise InvalidRecordError(f"steps of an attribution is {self.steps}: count from 0.")

    def tokens(self) -> Iterator[Tokens]:
        """Yield the tokens that this record refers to."""
        return (item.tokens for item in self.items if item.tokens is not None)
