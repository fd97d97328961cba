"""Attention weights of TensorFlow layers: cut out of those a layer made, or made from q and k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.taps import Block, Rows
from tb_llmdebug.records import InvalidRecordError

# What Keras's own kernel puts in place of a masked logit: it stays finite where a whole row is masked.
_MASKED = -0.7 * 3.38953e38
_CHECKED_ROWS = 8


@dataclass(frozen=True)
class DotProduct:
    """softmax(scale * q k^T) under a mask, for the heads and rows that are wanted and no others.

    It stands in for a kernel that keeps its weights to itself, and computes as Keras's does: products in
    the layer's own precision, the softmax in float32.
    """

    q: Any
    """[batch, queries, heads, size]"""
    k: Any
    """[batch, keys, key-value heads, size]"""
    scale: float
    mask: Any = None
    """bool, broadcastable to [batch, heads, queries, keys], true where a query may look; None = anywhere"""
    causal: bool = False
    """whether the kernel forbids looking ahead on its own, besides the mask"""

    def logits(self, heads: Sequence[int] | None = None, rows: Sequence[int] | None = None) -> Any:
        """Return float32 [batch, heads, rows, keys], scaled and masked."""
        import tensorflow as tf

        q, k = self.q, self.k
        count = q.shape[2]
        per_key = count // k.shape[2]
        if rows is not None:
            q = tf.gather(q, rows, axis=1)
        if heads is not None:
            q = tf.gather(q, heads, axis=2)
        if heads is not None or per_key > 1:
            wanted = range(count) if heads is None else heads
            k = tf.gather(k, [head // per_key for head in wanted], axis=2)
        logits = tf.cast(tf.einsum("btnh,bsnh->bnts", q, k), tf.float32) * self.scale
        allowed = self._allowed(heads, rows)
        return logits if allowed is None else tf.where(allowed, logits, tf.constant(_MASKED, tf.float32))

    def weights(self, heads: Sequence[int] | None = None, rows: Sequence[int] | None = None) -> Any:
        """Return [batch, heads, rows, keys] in the layer's precision."""
        import tensorflow as tf

        return tf.cast(tf.nn.softmax(self.logits(heads, rows)), self.q.dtype)

    def block(self, example: int, heads: slice, rows: Rows) -> npt.NDArray[np.float32]:
        """Return float32 [heads, rows, keys] on the host; the contract's `Block`."""
        import tensorflow as tf

        return np.asarray(tf.nn.softmax(self._piece(example, heads, rows))[0])

    def logit_block(self, example: int, heads: slice, rows: Rows) -> npt.NDArray[np.float32]:
        """Return the logits in the same way."""
        return np.asarray(self._piece(example, heads, rows)[0])

    def _piece(self, example: int, heads: slice, rows: Rows) -> Any:
        mask = self.mask
        if mask is not None and mask.shape[0] != 1:
            mask = mask[example : example + 1]
        one = replace(self, q=self.q[example : example + 1], k=self.k[example : example + 1], mask=mask)
        chosen = range(self.q.shape[1])[rows] if isinstance(rows, slice) else rows.tolist()
        return one.logits(range(self.q.shape[2])[heads], chosen)

    def _allowed(self, heads: Sequence[int] | None, rows: Sequence[int] | None) -> Any:
        import tensorflow as tf

        mask = self.mask
        if mask is not None and heads is not None and mask.shape[1] != 1:
            mask = tf.gather(mask, heads, axis=1)
        if mask is not None and rows is not None and mask.shape[2] != 1:
            if mask.shape[2] is None:  # a graph that does not know whether there is one row for all
                mask = tf.broadcast_to(mask, tf.maximum(tf.shape(mask), [1, 1, tf.shape(self.q)[1], 1]))
            mask = tf.gather(mask, rows, axis=2)
        if not self.causal:
            return mask
        queries = tf.range(tf.shape(self.q)[1]) if rows is None else tf.constant(list(rows))
        behind = tf.range(tf.shape(self.k)[1])[None, :] <= queries[:, None]
        return behind if mask is None else tf.logical_and(mask, behind)


def chosen(whole: Any, heads: Sequence[int] | None, rows: Sequence[int] | None) -> Any:
    """Return `whole` [batch, heads, queries, ...] with those heads and rows only."""
    import tensorflow as tf

    if heads is not None:
        whole = tf.gather(whole, heads, axis=1)
    return whole if rows is None else tf.gather(whole, rows, axis=2)


def block_of(weights: Any) -> Block:
    """Return the contract's `Block` over [batch, heads, queries, keys] that a layer made itself."""
    import tensorflow as tf

    def block(example: int, heads: slice, rows: Rows) -> npt.NDArray[np.float32]:
        part = weights[example, heads]
        part = part[:, rows] if isinstance(rows, slice) else tf.gather(part, rows, axis=1)
        return np.asarray(tf.cast(part, tf.float32))

    return block


def check(block: Block, value: Any, output: Any, label: str) -> None:
    """Hold a few rows of weights times v against what a layer made of them, in its first and last example.

    Args:
        block: the layer's weights.
        value: [batch, keys, key-value heads, size]
        output: [batch, queries, heads, size]

    Raises:
        InvalidRecordError: they differ: the layer did something with its weights that is not known here.
    """
    batch, queries, heads, _ = output.shape
    if 0 in (batch, queries, heads, value.shape[1]):
        return
    rows = np.unique(np.linspace(0, queries - 1, min(queries, _CHECKED_ROWS)).round().astype(np.intp))
    # Rounding of half precision is 2**-8 of what is added up; single precision may be TF32.
    tolerance = 3e-2 if output.dtype.size < 4 else 2e-3
    for example in {0, batch - 1}:
        v = np.repeat(_float32(value[example]), heads // value.shape[2], axis=1)
        theirs = _float32(output[example])[rows]
        with np.errstate(invalid="ignore", over="ignore"):
            ours = np.einsum("hrk,khd->rhd", block(example, slice(0, heads), rows), v)
            apart = np.abs(ours - theirs).max()
        if apart > np.abs(v).max() * tolerance + 1e-6:
            raise InvalidRecordError(
                f"the weights of {label} cannot be had: those that its softmax gives do not give its output; "
                "give the weights that it uses to log_attention."
            )


def unknown_kernel(label: str) -> InvalidRecordError:
    """Return what to say of a layer whose weights cannot be seen from outside."""
    return InvalidRecordError(
        f"the weights of {label} cannot be had: it computes attention in a kernel of its own; give the "
        "weights that it uses to log_attention."
    )


def refusing(refusal: InvalidRecordError) -> Block:
    """Return the contract's `Block` of weights that cannot be had: it raises `refusal`."""

    def block(*_piece: Any, **_named: Any) -> npt.NDArray[np.float32]:
        raise refusal

    return block


def _float32(tensor: Any) -> npt.NDArray[np.float32]:
    return np.asarray(tensor).astype(np.float32)


def on_the_host(tensor: Any) -> bool:
    """Return whether `tensor` has values now, i.e. is not a part of a graph."""
    return hasattr(tensor, "numpy")
