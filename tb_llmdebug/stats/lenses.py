"""One head seen in other ways than by its weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.stored import check_stored

Floats = npt.NDArray[np.float32]


def value_weighted(attention: StoredAttention, layer: int, head: int, example: int = 0) -> Floats:
    """Return weight times norm of the value: how much of a key's value reaches the query.

    A large weight on a key whose value is close to 0 moves nothing; attention sinks are often such keys.
    Kobayashi et al. (2020, "Attention is not only a weight") also apply the output projection, which is
    not logged; here the norm is that of the logged value, a_ij * |v_j|.

    Args:
        attention: from `open_logdir(...).attention(...)`, logged with `values=`.
        layer, head: the model's own numbers.
        example: its place in the record.

    Returns:
        float32 [rows, keys], in units of the value; rows do not sum to 1.

    Raises:
        InvalidRecordError: no values were logged.
        KeyError: there is no such layer, head or example, or its weights were not stored.
        DamagedRecordError: the record cannot be read.

    Example:
        >>> import tempfile
        >>> import tb_llmdebug as llmdebug
        >>> maps, values = np.full((1, 1, 2, 2), 0.5, np.float32), np.array([[[[3, 4], [0, 0]]]], np.float32)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("decoder", (maps,), values=(values,), step=0)
        ...     stored = llmdebug.open_logdir(logdir).attention(".", "decoder", step=0)
        ...     llmdebug.value_weighted(stored, layer=0, head=0).tolist()
        [[2.5, 0.0], [2.5, 0.0]]
    """
    check_stored(attention)
    weights = attention.weights(layer, head, example)
    norms = attention.value_norms(layer, example)
    if norms is None:
        raise InvalidRecordError("no values were logged: pass values= to log_attention.")
    heads = attention.message.layers[attention.layer_slot(layer)].heads
    weighted: Floats = weights * norms[list(heads).index(head)]
    return weighted


class MeanAttention(NamedTuple):
    """One head's mean over the examples of a record."""

    weights: Floats
    """float32 [rows, keys]; 0 where no example has a row"""
    counts: npt.NDArray[np.intp]
    """int [rows], how many examples have each row"""


def mean_attention(attention: StoredAttention, layer: int, head: int, example: int = 0) -> MeanAttention:
    """Return the mean of one head's map over all examples of a record: what does not depend on the text.

    Token number i of each example is held against token number i of the others, counted from the first
    real one, so that padding on the left does not shift them. A row is the mean of the examples that have
    it. What longer examples hold beyond the last real key of `example` is left out.

    Args:
        attention: from `open_logdir(...).attention(...)`.
        layer, head: the model's own numbers.
        example: the rows and keys of the result stand where they do in this one.

    Raises:
        InvalidRecordError: there are not several examples, or their rows are not comparable.
        KeyError: there is no such layer, head or example, or its weights were not stored.
        DamagedRecordError: the record cannot be read.

    Example:
        >>> import tempfile
        >>> import tb_llmdebug as llmdebug
        >>> maps = np.array([[[[1, 0], [1, 0]]], [[[1, 0], [0.5, 0.5]]]], np.float32)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("decoder", (maps,), step=0)
        ...     stored = llmdebug.open_logdir(logdir).attention(".", "decoder", step=0)
        ...     mean = llmdebug.mean_attention(stored, layer=0, head=0)
        >>> mean.weights.tolist(), mean.counts.tolist()
        ([[1.0, 0.0], [0.75, 0.25]], [2, 2])
    """
    check_stored(attention)
    count = len(attention.message.examples)
    attention.check_example(example)
    if count < 2:
        raise InvalidRecordError("the record holds one example, and a mean takes more: log several texts.")
    chosen = attention.message.layers[attention.layer_slot(layer)].rows
    weights = attention.weights(layer, head, example)
    rows, keys = weights.shape
    spans = [_spans(attention, place, chosen, rows, keys) for place in range(count)]
    if chosen and any(span[0].start != spans[0][0].start for span in spans):
        raise InvalidRecordError(
            "the examples begin at different positions, and only some rows were logged: log all rows."
        )
    sums, counts = np.zeros((rows, keys)), np.zeros(rows, np.intp)
    own_rows, own_keys = spans[example]
    for place, (some_rows, some_keys) in enumerate(spans):
        found = attention.weights(layer, head, place)[some_rows, some_keys]
        down = slice(own_rows.start, min(own_rows.stop, own_rows.start + len(found)))
        across = slice(own_keys.start, min(own_keys.stop, own_keys.start + found.shape[1]))
        sums[down, across] += found[: down.stop - down.start, : across.stop - across.start]
        counts[down] += 1
    with np.errstate(invalid="ignore"):
        mean = sums / np.maximum(counts, 1)[:, None]
    return MeanAttention(mean.astype(np.float32), counts)


def _spans(
    attention: StoredAttention, place: int, chosen: object, rows: int, keys: int
) -> tuple[slice, slice]:
    """Return which rows and keys of an example are real."""
    example = attention.example(place)
    # Rows that were chosen are not next to each other in the mask.
    query_mask = None if chosen else example.query_mask
    return _span(query_mask, rows, place), _span(example.key_mask, keys, place)


def _span(mask: npt.NDArray[np.bool_] | None, size: int, place: int) -> slice:
    if mask is None or len(mask) != size:
        return slice(0, size)
    real = np.flatnonzero(mask)
    if len(real) == 0:
        raise InvalidRecordError(f"example {place} is nothing but padding: leave it out of the probe.")
    if real[-1] - real[0] + 1 != len(real):
        raise InvalidRecordError(
            f"example {place} has padding between its tokens, so its rows cannot be counted from its first."
        )
    return slice(int(real[0]), int(real[-1]) + 1)
