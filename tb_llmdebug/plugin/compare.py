"""How far apart two stored records are, head by head."""

from __future__ import annotations

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.stats import jensen_shannon_distance
from tb_llmdebug.wire import record_pb2

FLOORS = {record_pb2.F32: 1e-6, record_pb2.F16: 5e-4, record_pb2.SQRT_U8: 0.015}
"""distance that rounding alone makes between two maps stored so; benchmarks/size_of_maps.py prints it"""


def comparison(a: StoredAttention, b: StoredAttention, example_a: int, example_b: int) -> view_pb2.Comparison:
    """Return the Jensen-Shannon distance of every head that both records have.

    Raises:
        KeyError: they cannot be compared, with the reason.
    """
    if not (a.has_map and b.has_map):
        raise KeyError("one of the two steps holds no map, only statistics")
    if _inputs(a, example_a) != _inputs(b, example_b):
        raise KeyError("the two are of different inputs, so a difference would not be learning")
    query_mask = a.example(example_a).query_mask
    others = {layer.layer: layer for layer in b.message.layers}
    pooled = False
    result = view_pb2.Comparison()
    for layer in a.message.layers:
        other = others.get(layer.layer)
        if other is None or _shape(layer) != _shape(other):
            continue
        if not (a.has_weights(layer.layer) and b.has_weights(layer.layer)):
            pooled = True
            continue
        real = None if query_mask is None else query_mask[list(a.rows(layer.layer))]
        heads = [head for head in layer.heads if head in set(other.heads)]
        result.layers.add(
            layer=layer.layer,
            heads=heads,
            distance=[
                jensen_shannon_distance(
                    a.weights(layer.layer, head, example_a),
                    b.weights(layer.layer, head, example_b),
                    real,
                )
                for head in heads
            ],
            floor=max(FLOORS[layer.codec], FLOORS[other.codec]),
        )
    if not result.layers and pooled:
        raise KeyError("only pooled maps of these steps were kept, which hold no distance of the weights")
    if not result.layers:
        raise KeyError("the two have no layer of the same number and shape")
    return result


def _shape(layer: record_pb2.Layer) -> tuple[int, int, list[int]]:
    return layer.queries, layer.keys, list(layer.rows)


def _inputs(stored: StoredAttention, example: int) -> tuple[bytes, bytes]:
    """Return the hashes of the tokens: they can be compared even where the tokens cannot be read."""
    stored.check_example(example)
    entry = stored.message.examples[example]
    return entry.query_tokens, entry.key_tokens
