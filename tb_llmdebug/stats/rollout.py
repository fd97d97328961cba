"""Attention followed through the layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.reading.strips import all_strips
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats.stored import check_stored
from tb_llmdebug.wire import record_pb2


def rollout(
    attention: StoredAttention, example: int = 0, *, upto: int | None = None
) -> npt.NDArray[np.float32]:
    """Return how much of each input token reaches each position through all layers.

    Attention rollout of Abnar and Zuidema (2020, "Quantifying Attention Flow in Transformers"): per layer
    the mean over the heads, half of it replaced by the identity for the residual connection, rows
    normalised, and the layers multiplied. Values and feed-forward layers are left out, so it says where
    information can have come from, not how much it counts.

    Args:
        attention: from `open_logdir(...).attention(...)`, self-attention with all layers, heads and rows.
        example: its place in the record.
        upto: number of the last layer to follow; the last one if not given.

    Returns:
        float32 [positions, tokens], rows sum to 1; NaN in rows that are not finite in a layer, and in those
        that put weight on such rows in a later one.

    Raises:
        InvalidRecordError: the record does not hold square maps with every row.
        KeyError: there is no such example.
        DamagedRecordError: the record cannot be read.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> first = np.array([[[[1, 0], [1, 0]]]], np.float32)  # everybody looks at the first token
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir):
        ...         _ = llmdebug.log_attention("encoder", (first, first), step=0)
        ...     llmdebug.rollout(llmdebug.open_logdir(logdir).attention(".", "encoder", step=0)).tolist()
        [[1.0, 0.0], [0.75, 0.25]]
    """
    check_stored(attention)
    attention.check_example(example)
    flow: npt.NDArray[np.float64] | None = None
    unknown: npt.NDArray[np.bool_] = np.zeros(
        0, bool
    )  # rows of the flow that are NaN; they are 0 until the end
    for layer in sorted(attention.message.layers, key=lambda entry: entry.layer):
        if upto is not None and layer.layer > upto:
            break
        if layer.queries != layer.keys or layer.rows or not attention.has_weights(layer.layer):
            raise InvalidRecordError(
                f"layer {layer.layer} holds no square map with every row: log it without rows= and within "
                "the budget."
            )
        step = _mean_of_heads(attention, layer, example) + np.eye(layer.queries)
        with np.errstate(invalid="ignore"):
            step /= step.sum(axis=-1, keepdims=True)
        if flow is not None and flow.shape != step.shape:
            raise InvalidRecordError(
                f"layer {layer.layer} has {layer.queries} tokens and those before it {len(flow)}: rollout "
                "follows one sequence."
            )
        broken: npt.NDArray[np.bool_] = ~np.isfinite(step.sum(axis=-1))
        step[broken] = 0  # NaN times no weight would still be NaN
        if flow is not None:
            broken |= step[:, unknown].any(axis=-1)
        unknown = broken
        flow = step if flow is None else step @ flow
    if flow is None:
        raise InvalidRecordError("the record holds no layer that is to be followed.")
    flow[unknown] = np.nan
    return flow.astype(np.float32)


def _mean_of_heads(
    attention: StoredAttention, layer: record_pb2.Layer, example: int
) -> npt.NDArray[np.float64]:
    """Return float64 [queries, keys]; a frame of all heads is decoded once."""
    mean = np.zeros((layer.queries, layer.keys))
    for strips in all_strips(attention, layer.layer, example):
        for first, values in strips:
            mean[first : first + len(values)] += values
    mean /= max(1, len(layer.heads))
    return mean
