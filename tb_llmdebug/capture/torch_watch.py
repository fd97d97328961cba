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

    The last softmax over four axes counts, with the product before it and the one after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernel: KernelCall | None = None
        self.logits: Any = None
        self.weights: Any = None
        self.q: Any = None
        self.k: Any = None
        self.v: Any = None
        self.output: Any = None
        self._product: tuple[Any, Any, Any] | None = None

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
            if self._product is not None and self._product[2].shape == made.shape:
                self.q, self.k = self._product[:2]
        elif func in _DROPOUTS and self._are_weights(args[0] if args else kwargs["input"]):
            # What goes into the dropout may differ from what the softmax gave: a type, a sink dropped.
            self.weights = args[0] if args else kwargs["input"]
        return made

    def _are_weights(self, tensor: Any) -> bool:
        return self.weights is not None and self.output is None and tensor.shape[:3] == self.weights.shape[:3]

    def _matmul(self, func: Any, left: Any, right: Any) -> Any:
        if self.weights is not None and self.output is None and left.shape == self.weights.shape:
            self.v, self.output = right, func(left, right)
            return self.output
        keys = right.transpose(-1, -2)
        made = func(left, keys.transpose(-1, -2))
        self._product = (left, keys, made)
        return made

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
        self.kernel = KernelCall(
            query, key, value, attn_mask, dropout_p, bool(is_causal), float(used), output
        )
        return output


_PRODUCTS = {torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__}
_SOFTMAXES = {functional.softmax, torch.softmax, torch.Tensor.softmax}
_DROPOUTS = {functional.dropout, torch.dropout}
