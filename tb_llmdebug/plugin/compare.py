"""How far apart two stored records are, head by head."""

from __future__ import annotations

from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.reading.attention import StoredAttention
from tb_llmdebug.stats.comparison import compare, input_of


def comparison(a: StoredAttention, b: StoredAttention, example_a: int, example_b: int) -> view_pb2.Comparison:
    """Return the Jensen-Shannon distance of every head that both records have.

    Raises:
        InvalidRecordError: they cannot be compared, with the reason.
        KeyError: there is no such example.
    """
    if input_of(a, example_a) != input_of(b, example_b):
        raise KeyError("the two are of different inputs, so a difference would not be learning")
    result = view_pb2.Comparison()
    for layer in compare(a, b, [(example_a, example_b)]).layers:
        result.layers.add(
            layer=layer.layer, heads=layer.heads, distance=layer.distances[0], floor=layer.floor
        )
    return result
