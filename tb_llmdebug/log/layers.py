"""What users pass as attention: the forms it comes in, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tb_llmdebug.capture.host import shape_of, to_host
from tb_llmdebug.capture.taps import LayerTaps
from tb_llmdebug.records import InvalidRecordError

Shape = tuple[int | None, ...]
_OUTPUTS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")
"""what Hugging Face calls the weights in a model's output"""


def named_layers(attention: Any, what: str = "attention") -> Iterator[tuple[int, str, Any]]:
    """Yield (number, label, array of one layer) from any form of input; `what` it is, for the errors.

    Raises:
        InvalidRecordError: it is none of the forms, with the reason in one sentence.
    """
    if attention is None:
        raise InvalidRecordError(_no_weights(what))
    _refuse_output(attention, what)
    if isinstance(attention, Mapping):
        for number, (label, layer) in enumerate(attention.items()):
            yield number, str(label), _checked(layer, f"layer {label!r}", what)
        return
    shape = shape_of(attention)
    if shape is not None:
        if len(shape) not in (4, 5):
            mend = f"a tuple of {_axes(what)}, one per layer, or one {_axes(what, 'layers')} array."
            raise InvalidRecordError(
                f"{what} has shape {shape_text(shape)}: pass {_without_an_axis(shape, what, '({},)') or mend}"
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
            f"{what} is a {type(attention).__name__}: pass what the model returned as attentions."
        )
    for number, layer in enumerate(attention):
        if isinstance(layer, LayerTaps):
            yield layer.layer, layer.label, layer
        else:
            yield number, "", _checked(layer, f"layer {number}", what)


def one_layer_hint(attention: Any) -> str:
    """Return what to say where something else fits no [layers, heads, query, key] array of one example."""
    if len(shape_of(attention) or ()) != 4:
        return ""
    return "; one layer of [batch, heads, query, key] has to be in a tuple: (x,)"


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
                f"{name} has shape {shape_text(shape)}: heads, queries and keys must not be empty."
            )


def check_known_shapes(attention: Any) -> list[tuple[str, Shape | None]]:
    """Check what tracing knows of the shapes; returns each layer's name and shape.

    Raises:
        InvalidRecordError: the call is mistaken.
    """
    shapes = [(f"layer {number}", shape_of(layer)) for number, _, layer in named_layers(attention)]
    check_shapes(shapes)
    return shapes


def _refuse_output(attention: Any, what: str) -> None:
    """A model's whole output is iterable, too, and its logits would be taken for a layer."""
    held = [] if shape_of(attention) is not None else [name for name in _OUTPUTS if hasattr(attention, name)]
    if held:
        # Transformers 5 leaves an empty tuple where 4 leaves None.
        filled = [name for name in held if getattr(attention, name) not in (None, ())]
        mend = " or ".join(f"out.{name}" for name in filled or held[:1])
        mend = f"pass {mend}" if what == "attention" else "pass a tuple of arrays, one per layer"
        raise InvalidRecordError(f"{what} is a whole {type(attention).__name__}: {mend}.")


def _checked(layer: Any, name: str, what: str) -> Any:
    if layer is None:
        raise InvalidRecordError(_no_weights(name))
    if getattr(layer, "ndim", None) == 4:
        return layer
    shape = shape_of(layer)
    if shape is None and isinstance(layer, (tuple, list)) and shape_of(next(iter(layer), None)):
        raise InvalidRecordError(
            f"{name} is a tuple of tensors, as generate() returns: log those of each step by themselves, "
            "`for step, attention in enumerate(out.attentions)`, with causal=True."
        )
    if shape is None and hasattr(layer, "shape"):
        return layer  # a symbolic tensor of unknown rank: checked when it has a value
    shape = to_host(layer, name).array.shape if shape is None else shape
    if len(shape) != 4:
        hint = _without_an_axis(shape, what, "{}")
        raise InvalidRecordError(
            f"{name} has shape {shape_text(shape)}, expected {_axes(what)}{f': pass {hint}' if hint else '.'}"
        )
    return layer


def _axes(what: str, first: str = "batch") -> str:
    return f"[{first}, heads, query, key]" if what == "attention" else f"[{first}, heads, key, size]"


def _without_an_axis(shape: Shape, what: str, form: str) -> str:
    """Return how to mend weights of three axes; "" for others.

    Which axis is missing cannot be told: with the wrong one, examples would be shown as heads.
    """
    if len(shape) != 3 or what != "attention":
        return ""
    return (
        f"{form.format('x[None]')} for one example's [heads, query, key], but call with "
        f"average_attn_weights=False, or pass {form.format('x[:, None]')}, for averaged [batch, query, key]."
    )


def _no_weights(name: str) -> str:
    return (
        f"{name} is None: SDPA and flash attention return no weights, so load the model with "
        'attn_implementation="eager" and call it with output_attentions=True.'
    )


def shape_text(shape: Shape) -> str:
    """Return a shape as a sentence shows it, "?" for what is not known."""
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
