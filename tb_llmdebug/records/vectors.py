"""Query, key and value vectors of attention, and the weights that they make."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records.errors import InvalidRecordError

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LayerVectors:
    """The vectors of one layer for all logged examples.

    Its weights are softmax(softcap tanh(scale q . k / softcap) + bias) where a query may look; without
    softcap softmax(scale q . k + bias).
    """

    q: Floats
    """float [examples, heads, rows, size], after rotary or other position encoding"""
    k: Floats
    """float [examples, key-value heads, keys, size]"""
    v: Floats
    """float [examples, key-value heads, keys, value size]"""
    groups: tuple[int, ...]
    """[heads]: the place in `k` and `v` of what each head looks at"""
    scale: float
    scale_fitted: bool = False
    """the layer did not say; worked out from its logits"""
    softcap: float = 0.0
    sinks: npt.NDArray[np.float32] | None = None
    """float32 [heads]: a logit that takes part in the softmax and is dropped from the weights"""
    masked: npt.NDArray[np.bool_] | None = None
    """bool [examples, 1 or heads, rows, keys], True where a query may not look; None = it may everywhere"""
    bias: npt.NDArray[np.float32] | None = None
    """float32 [examples, 1 or heads, rows, keys], added to the logits; None = nothing is"""

    def __post_init__(self) -> None:
        examples, heads, rows, size = self.q.shape
        held, keys = self.k.shape[1:3]
        fits = self.k.shape == (examples, held, keys, size) and self.v.shape[:3] == self.k.shape[:3]
        fits = fits and len(self.groups) == heads and all(0 <= group < held for group in self.groups)
        for plane in (self.masked, self.bias):
            fits = fits and (plane is None or plane.shape in _planes(examples, heads, rows, keys))
        if not fits or (self.sinks is not None and self.sinks.shape != (heads,)):
            shapes = {
                field.name: value.shape
                for field in fields(self)
                if isinstance(value := getattr(self, field.name), np.ndarray)
            }
            raise InvalidRecordError(
                f"the shapes of q, k, v and what belongs to them do not fit together: {shapes}."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """[examples, heads, rows, keys] of the weights that they make"""
        return (*self.q.shape[:3], self.k.shape[2])

    def nbytes(self) -> int:
        """Return how many bytes they take where they are stored, before compression."""
        planes = 0 if self.masked is None else -(-self.masked.size // 8)
        planes += 0 if self.bias is None else self.bias.nbytes
        return self.q.nbytes + self.k.nbytes + self.v.nbytes + planes


@dataclass(frozen=True, eq=False)
class HeadVectors:
    """The vectors of one head and example, and what makes its weights of them.

    Example:
        >>> q, k = np.array([[2.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
        >>> head = HeadVectors(q, k, v=np.eye(2), scale=0.5)
        >>> head.logits().tolist()
        [[0.0, 1.0]]
        >>> head.weights().round(3).tolist()
        [[0.269, 0.731]]
    """

    q: Floats
    """float [rows, size]"""
    k: Floats
    """float [keys, size]"""
    v: Floats
    """float [keys, value size]"""
    scale: float
    """what q . k is multiplied with; 1 / sqrt(size) in most models"""
    scale_fitted: bool = False
    """the layer did not say; worked out from its logits"""
    softcap: float = 0.0
    """0 = none"""
    sink: float | None = None
    """a logit that takes part in the softmax and is dropped from the weights; None = there is none"""
    masked: npt.NDArray[np.bool_] | None = None
    """bool [rows, keys], True where a query may not look; None = it may everywhere"""
    bias: npt.NDArray[np.float32] | None = None
    """float32 [rows, keys], added to the logits; None = nothing is"""

    def logits(self) -> npt.NDArray[np.float64]:
        """Return float64 [rows, keys] before softmax, -inf where a query may not look.

        scale q . k is the scaled dot product of Vaswani et al., "Attention Is All You Need" (2017), section
        3.2.1; the soft cap is that of Gemma 2 (2024), softcap tanh(x / softcap).
        """
        logits = self.q.astype(np.float64) @ self.k.astype(np.float64).T * self.scale
        if self.softcap:
            logits = self.softcap * np.tanh(logits / self.softcap)
        if self.bias is not None:
            logits = logits + self.bias
        return logits if self.masked is None else np.where(self.masked, -np.inf, logits)

    def weights(self) -> npt.NDArray[np.float64]:
        """Return the softmax of the logits, float64 [rows, keys]; zeros in a row that may look nowhere."""
        logits = self.logits()
        sink = -np.inf if self.sink is None else self.sink
        largest = np.maximum(logits.max(axis=-1, initial=-np.inf, keepdims=True), sink)
        largest = np.where(largest == -np.inf, 0.0, largest)
        powers = np.exp(logits - largest)
        total = powers.sum(axis=-1, keepdims=True) + np.exp(sink - largest)
        weights: npt.NDArray[np.float64] = powers / np.where(total > 0, total, 1.0)
        return weights

    def output(self) -> npt.NDArray[np.float64]:
        """Return weights times v, float64 [rows, value size], before the output projection."""
        output: npt.NDArray[np.float64] = self.weights() @ self.v.astype(np.float64)
        return output


def _planes(examples: int, heads: int, rows: int, keys: int) -> set[tuple[int, ...]]:
    return {(examples, planes, rows, keys) for planes in (1, heads)}
