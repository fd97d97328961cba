"""Watches the functions that an attention layer is made of, while it runs, without changing what they do.

Where a tensor has another layout than the taps promise, a view of the right layout is put into the
computation, and the layout that the layer expects is a view of that: same memory, same numbers, and a
gradient can be taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tb_llmdebug.records import InvalidRecordError


@dataclass(eq=False)
class KernelCall:
    """One call of `scaled_dot_product_attention`."""

    q: Any
    k: Any
    v: Any
    mask: Any
    dropout: float
    causal: bool
    scale: float
    output: Any


class Watch(TorchFunctionMode):  # type: ignore[misc]
    """While active in a thread: what the attention of one layer was computed from.

    The last softmax over four axes counts, with the product before it and the one after it. The weights are
    what v is multiplied with, whatever was done to them after the softmax; before dropout, where it is on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.attentions = 0
        """kernels called and softmaxes over four axes"""
        self.kernel: KernelCall | None = None
        self.logits: Any = None
        self.weights: Any = None
        self.q: Any = None
        self.k: Any = None
        self.v: Any = None
        self.output: Any = None
        self.dropped: Any = None
        """what a dropout that is on made of the weights"""
        self.products = 0
        """before the last softmax, each of the shape of the logits"""
        self._products: list[tuple[Any, Any, Any]] = []
        self._changed_after_dropout = False

    def check(self, label: str) -> None:
        """Refuse weights that are neither what v was multiplied with nor that before dropout.

        Raises:
            InvalidRecordError: the layer changed its weights after dropout, as a `head_mask` does.
        """
        if self._changed_after_dropout:
            raise InvalidRecordError(
                f"{label} changes its weights after dropout, as a head_mask does: look into it in eval mode."
            )

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run `func` as it is; note what it was given and what it made."""
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            return self._kernel(func, *args, **kwargs)
        if func in _PRODUCTS and len(args) == 2 and not kwargs and args[0].ndim == args[1].ndim == 4:
            return self._matmul(func, *args)
        made = func(*args, **kwargs)
        if func in _SOFTMAXES and made.ndim == 4:
            self.logits, self.weights = args[0] if args else kwargs["input"], made
            self._find_logits(made.shape)
        elif func in _DROPOUTS and self._are_weights(args[0] if args else kwargs["input"]):
            # What goes into the dropout may differ from what the softmax gave: a type, a sink dropped.
            self.weights = args[0] if args else kwargs["input"]
            self.dropped = made if _is_on(args, kwargs) else None
        return made

    def _are_weights(self, tensor: Any) -> bool:
        return self.weights is not None and self.output is None and tensor.shape[:3] == self.weights.shape[:3]

    def _matmul(self, func: Any, left: Any, right: Any) -> Any:
        if self.weights is not None and self.output is None and left.shape == self.weights.shape:
            self.v, self.output = right, func(left, right)
            if self.dropped is None:
                self.weights = left
            elif left is not self.dropped:
                self._changed_after_dropout = not torch.equal(left, self.dropped.to(left.dtype))
            return self.output
        keys = right.transpose(-1, -2)
        made = func(left, keys.transpose(-1, -2))
        self._products.append((left, keys, made))
        return made

    def _find_logits(self, shape: Any) -> None:
        found = [(q, k) for q, k, product in self._products if product.shape == shape]
        if found:
            self.q, self.k = found[-1]
        self.attentions, self.products = self.attentions + 1, len(found)
        self._products.clear()

    def _kernel(
        self,
        func: Any,
        query: Any,
        key: Any,
        value: Any,
        attn_mask: Any = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        **others: Any,
    ) -> Any:
        output = func(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **others)
        used = query.shape[-1] ** -0.5 if scale is None else scale
        self.attentions += 1
        self.kernel = KernelCall(
            query, key, value, attn_mask, dropout_p, bool(is_causal), float(used), output
        )
        return output


def _is_on(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call of dropout with these arguments changes what it is given."""
    chance = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
    training = args[2] if len(args) > 2 else kwargs.get("training", kwargs.get("train", True))
    return bool(chance > 0 and training)


_PRODUCTS = {torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__}
_SOFTMAXES = {functional.softmax, torch.softmax, torch.Tensor.softmax}
_DROPOUTS = {functional.dropout, torch.dropout}
