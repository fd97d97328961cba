"""What users pass as attention, as one host array per layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_llmdebug.capture.host import shape_of, to_host
from tb_llmdebug.records import InvalidRecordError

DEFAULT_EXAMPLES = 8
"""examples kept of a larger batch when the user chooses none"""

Shape = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class LayerInput:
    """The kept part of one layer."""

    layer: int
    label: str
    heads: tuple[int, ...]
    weights: npt.NDArray[Any]
    """[examples, heads, queries, keys], of memory that nobody else changes"""


@dataclass(frozen=True, eq=False)
class LayerInputs:
    """The kept layers, and which examples of the batch they hold."""

    layers: tuple[LayerInput, ...]
    examples: tuple[int, ...]
    batch: int

    def nbytes(self) -> int:
        """Return how much memory the maps hold."""
        return sum(layer.weights.nbytes for layer in self.layers)


def named_layers(attention: Any) -> Iterator[tuple[int, str, Any]]:
    """Yield (number, label, array of one layer) from any form of input.

    Raises:
        InvalidRecordError: it is none of the forms, with the reason in one sentence.
    """
    if attention is None:
        raise InvalidRecordError(_no_weights("attention"))
    if isinstance(attention, Mapping):
        for number, (label, layer) in enumerate(attention.items()):
            yield number, str(label), _checked(layer, f"layer {label!r}")
        return
    shape = shape_of(attention)
    if shape is not None:
        if len(shape) not in (4, 5):
            raise InvalidRecordError(
                f"attention has shape {_text(shape)}: pass a tuple of [batch, heads, query, key], one "
                "per layer, or one [layers, heads, query, key] array."
            )
        if shape[0] is None:
            raise InvalidRecordError(
                "the number of layers is not known while tracing: pass a tuple of layers."
            )
        for number in range(shape[0]):
            yield number, "", attention[number] if len(shape) == 5 else attention[number][None]
        return
    if isinstance(attention, (str, bytes)) or not isinstance(attention, Iterable):
        raise InvalidRecordError(
            f"attention is a {type(attention).__name__}: pass what the model returned as attentions."
        )
    for number, layer in enumerate(attention):
        yield number, "", _checked(layer, f"layer {number}")


def check_shapes(layers: Sequence[tuple[str, Shape | None]]) -> None:
    """Check what is known of the layers' shapes, at the call or while tracing.

    Raises:
        InvalidRecordError: a layer is not [batch, heads, query, key], or the batches differ.
    """
    if not layers:
        raise InvalidRecordError("attention holds no layers: call the model with output_attentions=True.")
    known = [(name, shape) for name, shape in layers if shape is not None]
    batches = {shape[0] for _, shape in known if shape[0] is not None}
    if len(batches) > 1:
        raise InvalidRecordError(
            f"layers have batches of {sorted(batches)} examples: pass attentions of one forward pass."
        )
    for name, shape in known:
        if 0 in shape[1:]:
            raise InvalidRecordError(
                f"{name} has shape {_text(shape)}: heads, queries and keys must not be empty."
            )


def check_known_shapes(attention: Any) -> None:
    """Check what tracing knows of the shapes.

    Raises:
        InvalidRecordError: the call is mistaken.
    """
    check_shapes([(f"layer {number}", shape_of(layer)) for number, _, layer in named_layers(attention)])


def read_layers(
    attention: Any,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    examples: Iterable[int] | None = None,
) -> LayerInputs:
    """Read the layers, heads and examples that are to be kept; only those are copied.

    Raises:
        InvalidRecordError: the input is mistaken, with the reason in one sentence.
    """
    wanted = None if layers is None else set(layers)
    kept_heads = None if heads is None else tuple(sorted(set(heads)))
    found: list[LayerInput] = []
    shapes: list[tuple[str, Shape | None]] = []
    kept: tuple[int, ...] = ()
    batch = 0
    for number, label, value in named_layers(attention):
        host = to_host(value, f"layer {number}")
        if host.array.dtype.kind == "c":
            raise InvalidRecordError(f"layer {number} holds complex numbers: pass attention weights.")
        shapes.append((f"layer {number}", host.array.shape))
        check_shapes(shapes)
        if len(shapes) == 1:
            batch = host.array.shape[0]
            kept = _kept_examples(batch, examples)
        if wanted is not None and number not in wanted:
            continue
        available = range(host.array.shape[1])
        slots = tuple(available) if kept_heads is None else kept_heads
        if any(slot not in available for slot in slots):
            raise InvalidRecordError(
                f"heads={list(slots)} was asked of layer {number}, which has {len(available)} heads."
            )
        array = _select(host.array, kept, slots)
        if host.mutable and np.shares_memory(array, host.array):
            array = array.copy()
        found.append(LayerInput(number, label, slots, array))
    check_shapes(shapes)
    if wanted is not None and not wanted <= set(range(len(shapes))):
        raise InvalidRecordError(f"layers={sorted(wanted)} was asked of a model with {len(shapes)} layers.")
    return LayerInputs(tuple(found), kept, batch)


def _kept_examples(batch: int, examples: Iterable[int] | None) -> tuple[int, ...]:
    if examples is None:
        return tuple(range(min(batch, DEFAULT_EXAMPLES)))
    kept = tuple(dict.fromkeys(int(example) for example in examples))
    if not kept or any(not 0 <= example < batch for example in kept):
        raise InvalidRecordError(f"examples={list(kept)} was asked of a batch of {batch} examples.")
    return kept


def _select(array: npt.NDArray[Any], examples: tuple[int, ...], heads: tuple[int, ...]) -> npt.NDArray[Any]:
    """Select without a copy where the selection is a prefix of the batch."""
    prefix = tuple(range(len(examples)))
    array = array[: len(examples)] if examples == prefix else array[list(examples)]
    return array if heads == tuple(range(array.shape[1])) else array[:, list(heads)]


def _checked(layer: Any, name: str) -> Any:
    if layer is None:
        raise InvalidRecordError(_no_weights(name))
    shape = shape_of(layer)
    if shape is None and isinstance(layer, (tuple, list)) and shape_of(next(iter(layer), None)):
        raise InvalidRecordError(
            f"{name} is a tuple of tensors, as generate() returns: pass the attentions of one step."
        )
    if shape is None and hasattr(layer, "shape"):
        return layer  # a symbolic tensor of unknown rank: checked when it has a value
    shape = to_host(layer, name).array.shape if shape is None else shape
    if len(shape) != 4:
        hint = ": add the batch axis with x[None]." if len(shape) == 3 else "."
        raise InvalidRecordError(
            f"{name} has shape {_text(shape)}, expected [batch, heads, query, key]{hint}"
        )
    return layer


def _no_weights(name: str) -> str:
    return (
        f"{name} is None: SDPA and flash attention return no weights, so load the model with "
        'attn_implementation="eager" and call it with output_attentions=True.'
    )


def _text(shape: Shape) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
