"""What is known while a graph is traced: a mistake is told there, before the first step runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from tb_llmdebug.capture.host import shape_of
from tb_llmdebug.log.layers import check_known_shapes, one_layer_hint, shape_text
from tb_llmdebug.log.tokens import TokenIds
from tb_llmdebug.records import InvalidRecordError, Tokens

_RECOMPUTING = {
    "inner_recompute_grad": "tensorflow.python.ops.custom_gradient",
    "recompute_fn": "torch.utils.checkpoint",
    "backward": "torch.utils.checkpoint",
}
"""functions, and their modules, that run a part of a model again to get its gradient"""


def check_while_tracing(arrays: Mapping[str, Any]) -> None:
    """Check the shapes that tracing knows of what `log_attention` was given.

    Raises:
        InvalidRecordError: they do not fit together; the sentence names both sizes.
    """
    hint = one_layer_hint(arrays["attention"])
    for name, shape in check_known_shapes(arrays["attention"]):
        if shape is None:
            continue
        batch, queries, keys = shape[0], shape[2], shape[3]
        _check_tokens("tokens", arrays.get("tokens"), name, batch, {queries, keys}, hint)
        _check_tokens("key_tokens", arrays.get("key_tokens"), name, batch, {keys}, hint)
        for what in ("mask", "document_ids"):
            _check_per_key(what, arrays.get(what), name, batch, keys, hint)


def is_recomputing() -> bool:
    """Return whether the caller runs only to get a gradient, and has run, and logged, before.

    `tf.recompute_grad` (Keras's remat as well) and `torch.utils.checkpoint` run the forward pass again.
    Neither says so, but the functions that do it stand on the call stack.
    """
    if "torch.utils.checkpoint" not in sys.modules and "tensorflow" not in sys.modules:
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = _RECOMPUTING.get(frame.f_code.co_name)
        if module is not None and frame.f_globals.get("__name__") == module:
            return True
        frame = frame.f_back
    return False


def _check_tokens(
    what: str, given: Any, layer: str, batch: int | None, sizes: set[int | None], hint: str
) -> None:
    shape = _shape_of_tokens(given)
    if shape is None:
        return
    examples, length = shape
    if None not in (batch, examples) and batch != examples:
        raise InvalidRecordError(
            f"{what} holds {examples} example{'s' if examples != 1 else ''} and attention {batch}: give "
            f"tokens for each example{hint}."
        )
    if length is not None and None not in sizes and length not in sizes:
        names = " and ".join(str(size) for size in sorted(size for size in sizes if size is not None))
        raise InvalidRecordError(
            f"{what} has {length} tokens but {layer} has {names} keys: give the tokens that the model saw, "
            "padding and special tokens included."
        )


def _check_per_key(what: str, given: Any, layer: str, batch: int | None, keys: int | None, hint: str) -> None:
    shape = shape_of(given)
    if not shape:
        return
    expected = (batch, keys)[2 - min(len(shape), 2) :]
    wrong = len(shape) > 2 or any(
        None not in (size, wanted) and size != wanted for size, wanted in zip(shape, expected, strict=True)
    )
    if wrong:
        raise InvalidRecordError(
            f"{what} has shape {shape_text(shape)} but {layer} has {shape_text((batch, keys))} of [batch, "
            f"key]: give one value per key{hint}."
        )


def _shape_of_tokens(given: Any) -> tuple[int | None, int | None] | None:
    """Return (examples, tokens) as far as it is known; None where it is not, or where rows differ."""
    if isinstance(given, TokenIds):
        shape = shape_of(given.ids)
        if shape is None or len(shape) not in (1, 2):
            return None
        return (1, shape[0]) if len(shape) == 1 else (shape[0], shape[1])
    if isinstance(given, Tokens):
        return 1, len(given)
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        if isinstance(given[0], str):
            return 1, len(given)
        lengths = {len(row) for row in given if isinstance(row, (list, tuple, Tokens))}
        return (len(given), lengths.pop()) if len(lengths) == 1 else None
    return None
