"""Which adapter knows a model: looked up by the model's type, imported only if its framework is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tb_llmdebug.capture.taps import Captured, Deliver, LayerTaps, Request
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.writing.once import Once

ADAPTERS = {
    "torch": "tb_llmdebug.capture.torch_adapter",
    "keras": "tb_llmdebug.capture.keras_adapter",
    "tf_keras": "tb_llmdebug.capture.keras_adapter",
}
"""by framework: a module with `attached(model, request, deliver)`, a context manager, and
`probe(model, inputs)`, which calls the model once as at inference"""


_once = Once()


@contextmanager
def tap(
    model: Any,
    *parts: str,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    rows: Iterable[int] | None = None,
    each: Callable[[LayerTaps], None] | None = None,
) -> Iterator[Captured]:
    """Look into the attention layers of `model` while it runs inside the `with` block.

    The model computes exactly what it computes without; the taps come off at the end of the block. One
    call of the model is kept, the latest.

    Args:
        model: a PyTorch module, a Keras 3 layer or model, or a TensorFlow model of Hugging Face.
        parts: any of "q", "k", "v", "logits", "weights", "output"; "weights" if none is named.
        layers: numbers of the layers to look into; all if not given.
        heads, rows: heads and query positions of which logits, weights and outputs are wanted; only
            these are computed. To log a choice, name it in `log_attention`, which takes what it keeps
            from the layer itself.
        each: called with every layer as it has run, one at a time; nothing is kept then.

    Raises:
        InvalidRecordError: no attention layer is known in `model`, or a part is unknown.

    Warns:
        RuntimeWarning: once, where no layer ran inside the block.

    Example:
        >>> import torch
        >>> import tb_llmdebug as llmdebug
        >>> model = torch.nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
        >>> x = torch.ones(1, 5, 8)
        >>> with llmdebug.tap(model, "q", "weights") as captured:
        ...     _ = model(x, x, x)
        >>> tuple(captured[0].q.shape), tuple(captured[0].weights.shape)
        ((1, 2, 5, 4), (1, 2, 5, 5))
    """
    request = Request(
        parts=frozenset(parts or ("weights",)),
        layers=None if layers is None else frozenset(int(layer) for layer in layers),
        heads=None if heads is None else tuple(int(head) for head in heads),
        rows=None if rows is None else tuple(int(row) for row in rows),
    )
    captured = Captured()
    keep: Deliver = captured.add if each is None else each
    seen = False

    def deliver(taps: LayerTaps) -> None:
        nonlocal seen
        seen = True
        keep(taps)

    with adapter_of(model).attached(model, request, deliver):
        yield captured
    if not seen:
        _tell_that_nothing_came(model)


def _tell_that_nothing_came(model: Any) -> None:
    name = type(model).__name__
    _once.warn(
        f"nothing/{name}",
        f"nothing was captured, for no attention layer that was asked for ran inside the block: call the "
        f"{name} there, and trace anew a function that was traced before.",
        stacklevel=5,
    )


def adapter_of(model: Any) -> Any:
    """Return the adapter module of the framework that `model`'s class, or one it derives from, is of.

    Raises:
        InvalidRecordError: it is of none that is known.
    """
    roots = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    for framework, module in ADAPTERS.items():
        if framework in roots and framework in sys.modules:
            return importlib.import_module(module)
    raise InvalidRecordError(
        f"a {type(model).__name__} cannot be looked into: pass a PyTorch module or a Keras model, or give "
        "its attention weights to log_attention."
    )
