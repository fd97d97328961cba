"""How far a stored map can be from the one that was logged: what its codec rounds away.

For small changes d of the weights p of a row the Jensen-Shannon divergence is the sum of d^2 / p over 8 ln 2,
in bits (its expansion to second order, a chi-squared).

- SQRT_U8 rounds sqrt(p) evenly by up to half of 1/255, so that the mean of d^2 / p is 4 / (12 * 255^2) for
  every key, however large its weight: the distance grows with the root of the number of keys.
- F16 rounds a weight by up to 2^-12 of itself, whatever the number of keys, and weights below 2^-14 by up to
  2^-25, of which there can be as many as there are keys.

`tests/stats/test_rounding.py` holds both against maps that were stored.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.wire import record_pb2

_NATS = 2 * math.log(2)
_PER_ROW = {record_pb2.F32: 1e-12, record_pb2.F16: 2.0**-22 / 12 / _NATS, record_pb2.SQRT_U8: 0.0}
"""divergence of a row, in bits"""
_PER_KEY = {record_pb2.F32: 0.0, record_pb2.F16: 1e-9, record_pb2.SQRT_U8: 1 / (12 * 255**2) / _NATS}
"""and what each key adds to it; of F16 the most that was measured"""


def rounding_distance(attention: StoredAttention, layer: int) -> float:
    """Return the Jensen-Shannon distance of a layer's maps, as they are stored, to what was logged.

    It is that of weights spread over all keys that a row can see, where it is largest: of a sharp map less is
    rounded away. 0 where no weights were stored.

    Args:
        attention: from `open_logdir(...).attention(...)`.
        layer: the model's own number.

    Raises:
        KeyError: there is no such layer.
    """
    if not attention.has_weights(layer):
        return 0.0
    codec = attention.message.layers[attention.layer_slot(layer)].codec
    return float(np.sqrt(_PER_ROW[codec] + _PER_KEY[codec] * _keys_seen(attention, layer)).mean())


def rounding_floor(a: StoredAttention, layer_a: int, b: StoredAttention, layer_b: int) -> float:
    """Return the distance below which two stored maps cannot be told apart: each was rounded."""
    return math.hypot(rounding_distance(a, layer_a), rounding_distance(b, layer_b))


def _keys_seen(attention: StoredAttention, layer: int) -> npt.NDArray[np.float64]:
    """Return how many keys each row can have weight on, at most."""
    entry = attention.message.layers[attention.layer_slot(layer)]
    rows = np.array(attention.rows(layer), np.float64)
    causal = entry.queries == entry.keys and _is_causal(attention, layer)
    seen = np.minimum(rows + 1, entry.keys) if causal else np.full(len(rows), float(entry.keys))
    if entry.window:
        seen = np.minimum(seen, entry.window if causal else 2 * entry.window - 1)
    return seen


def _is_causal(attention: StoredAttention, layer: int) -> bool:
    """Return whether no head has weight after the query, whatever the caller said of it."""
    names = list(attention.message.statistics)
    if "above_diagonal" not in names:
        return attention.message.causal
    column = names.index("above_diagonal")
    return all(
        bool((attention.statistics(layer, example)[:, column] == 0).all())
        for example in range(len(attention.message.examples))
    )
