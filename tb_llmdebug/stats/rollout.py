"""Attention followed through the layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.records import InvalidRecordError


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
        float32 [positions, tokens], rows sum to 1; rows without any weight, such as NaN, are NaN.

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
    attention.check_example(example)
    flow: npt.NDArray[np.float64] | None = None
    for layer in sorted(attention.message.layers, key=lambda entry: entry.layer):
        if upto is not None and layer.layer > upto:
            break
        if layer.queries != layer.keys or layer.rows or not attention.has_weights(layer.layer):
            raise InvalidRecordError(
                f"layer {layer.layer} holds no square map with every row: log it without rows= and within "
                "the budget."
            )
        heads = [attention.weights(layer.layer, head, example) for head in layer.heads]
        step = np.mean(heads, axis=0, dtype=np.float64) + np.eye(layer.queries)
        with np.errstate(invalid="ignore"):
            step /= step.sum(axis=-1, keepdims=True)
        if flow is not None and flow.shape != step.shape:
            raise InvalidRecordError(
                f"layer {layer.layer} has {layer.queries} tokens and those before it {len(flow)}: rollout "
                "follows one sequence."
            )
        flow = step if flow is None else step @ flow
    if flow is None:
        raise InvalidRecordError("the record holds no layer that is to be followed.")
    return flow.astype(np.float32)
