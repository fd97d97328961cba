"""Attention without its sinks.

Most heads of a trained model put most of their weight on the first token or on special tokens and mean
nothing by it (attention sinks: Xiao et al. 2023, "Efficient streaming language models with attention sinks").
With these keys in a map almost every head looks the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import Tokens
from tb_llmdebug.stats.stored import check_stored

LEAST_REST = 0.01
"""A row of which less is left is not blown up to a whole one. Storing with 8 bits rounds away up to 3.8e-6 of
a weight, 0.8 % over 2,048 keys: so little says more of the rounding than of the model."""

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.intp]


class WithoutSinks(NamedTuple):
    """One head's map without the keys that were set aside."""

    weights: Floats
    """float32 [rows, keys that are left], each row divided by what is left of it"""
    keys: Keys
    """int [keys that are left], their positions"""
    mass: Floats
    """float32 [rows], share of the row that was set aside; NaN for rows with NaN or infinities"""


def sink_keys(
    keys: int, tokens: Tokens | None = None, mask: npt.NDArray[np.bool_] | None = None, *, first: bool = True
) -> Keys:
    """Return the positions to set aside: the first real key and all special tokens, ascending.

    Padding is never among them: weight on it is a fault that must be seen. Nothing is set aside where
    nothing would be left.

    Args:
        keys: how many there are.
        tokens: of the keys; None = not known, then only the first real key is a sink.
        mask: bool [keys], True = real; None = all real.
        first: whether the first real key is a sink; see `first_is_sink`.

    Example:
        >>> sink_keys(4, Tokens(("[CLS]", "a", "b", "[SEP]"), special=(True, False, False, True))).tolist()
        [0, 3]
    """
    real = np.ones(keys, bool) if mask is None or len(mask) != keys else mask
    aside = np.zeros(keys, bool)
    if tokens is not None and len(tokens.special) == keys:
        aside |= np.array(tokens.special, bool) & real
    if first:
        aside[np.flatnonzero(real)[:1]] = True
    return np.flatnonzero(aside) if (real & ~aside).any() else np.empty(0, np.intp)


def first_is_sink(attention: StoredAttention, layer: int, example: int = 0) -> bool:
    """Return False for attention to another text, whose first token is a word like any other.

    What makes a sink of the first token is that every later one sees it (Xiao et al. 2023), in a text that
    looks at itself.

    Raises:
        KeyError: there is no such layer or example.
    """
    attention.check_example(example)
    message = attention.message
    entry, texts = message.layers[attention.layer_slot(layer)], message.examples[example]
    if entry.queries != entry.keys:
        return message.causal or message.continues
    return not (texts.query_tokens and texts.key_tokens) or texts.query_tokens == texts.key_tokens


def set_aside(weights: Floats, keys: Keys) -> tuple[Floats, Floats]:
    """Drop `keys` from maps and divide each row by what is left of it.

    A row with NaN or infinities is not divided, and a row that does not sum to 1 keeps its sum, so that a
    fault stays one. A row of which less than `LEAST_REST` is left is 0.

    Args:
        weights: float32 [..., rows, keys].
        keys: positions, ascending.

    Returns:
        float32 [..., rows, keys that are left] and float32 [..., rows], the share that was set aside.

    Example:
        >>> rest, mass = set_aside(np.array([[0.5, 0.375, 0.125]], np.float32), np.array([0]))
        >>> rest.tolist(), mass.tolist()
        ([[0.75, 0.25]], [0.5])
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scale, mass = left_over(np.einsum("...k->...", weights), weights[..., keys].sum(axis=-1))
        rest: Floats = weights[..., other_keys(weights.shape[-1], keys)] * scale[..., None]
    return rest, mass


def left_over(total: Floats, inside: Floats) -> tuple[Floats, Floats]:
    """Return what each row is to be multiplied with, and the share of it that is set aside.

    Args:
        total, inside: float32 of any one shape, the sum of a row and the part of it on the keys set aside.

    Returns:
        Two arrays float32 of that shape; see `set_aside` for rows of which nothing or too little is left.

    Example:
        >>> scale, mass = left_over(np.array([1, 1], np.float32), np.array([0.75, 1], np.float32))
        >>> scale.tolist(), mass.tolist()
        ([4.0, 0.0], [0.75, 1.0])
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mass = inside / total
        left = 1 - mass
        finite = np.isfinite(total)
        known = finite & (total > 0)
        scale = np.where(known, np.where(left >= LEAST_REST, 1 / left, 0), 1).astype(np.float32)
    return scale, np.where(finite, np.where(known, mass, 0), np.nan).astype(np.float32)


def other_keys(size: int, keys: Keys) -> slice | Keys:
    """Return what picks all but `keys` of `size`."""
    if len(keys) == 0:
        return slice(0, size)
    # A view is cheaper than picking columns, and the first key alone is the usual case.
    if keys[-1] == len(keys) - 1:
        return slice(len(keys), size)
    return np.delete(np.arange(size), keys)


def without_sinks(attention: StoredAttention, layer: int, head: int, example: int = 0) -> WithoutSinks:
    """Return one head's map as the Attention view shows it by default: sinks set aside.

    The first real key (not of cross-attention) and the special tokens are dropped and each row is divided by
    what is left of it: w / (1 - mass). See `tb_llmdebug.stats.sinks` for why.

    Args:
        attention: from `open_logdir(...).attention(...)`.
        layer, head: the model's own numbers.
        example: its place in the record.

    Raises:
        KeyError: there is no such layer, head or example, or its weights were not stored.
        DamagedRecordError: the record cannot be read.

    Example:
        >>> import tempfile
        >>> import tb_llmdebug as llmdebug
        >>> maps = np.array([[[[1, 0, 0], [0.75, 0.25, 0], [0.5, 0.375, 0.125]]]], np.float32)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("decoder", (maps,), step=0)
        ...     stored = llmdebug.open_logdir(logdir).attention(".", "decoder", step=0)
        ...     found = llmdebug.without_sinks(stored, layer=0, head=0)
        >>> found.weights.tolist(), found.keys.tolist(), found.mass.tolist()
        ([[0.0, 0.0], [1.0, 0.0], [0.75, 0.25]], [1, 2], [1.0, 0.75, 0.5])
    """
    check_stored(attention)
    weights = attention.weights(layer, head, example)
    known = attention.example(example)
    first = first_is_sink(attention, layer, example)
    sinks = sink_keys(weights.shape[1], known.key_tokens, known.key_mask, first=first)
    rest, mass = set_aside(weights, sinks)
    return WithoutSinks(rest, np.delete(np.arange(weights.shape[1]), sinks), mass)
