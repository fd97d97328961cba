"""Weights of a PyTorch attention layer whose kernel returns none, computed from its q and k.

Piece by piece, so that the whole never has to exist, in float32 whatever the model computes in, and held
against the kernel's own output where that can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import torch

from tb_llmdebug.capture.landing import index_on
from tb_llmdebug.records import InvalidRecordError

MOST_NUMBERS = 4 << 20
"""of float32 in one intermediate array: 16 MiB"""
_CHECKED_ROWS = 8
Compute = Callable[["Recipe", Any, Any, Any], Any]


def _without_gradients(compute: Compute) -> Compute:
    @wraps(compute)
    def computed(recipe: Recipe, examples: Any, heads: Any, rows: Any) -> Any:
        with torch.no_grad():
            return compute(recipe, examples, heads, rows)

    return computed


@dataclass(eq=False)
class Recipe:
    """How a kernel made weights: softmax(q k' scale + masks).

    A query that may look at no key at all (a row of padding) has weights of zero, as fused kernels have it
    for boolean masks; where the model's own mask adds a large negative number instead, the weights follow
    the arithmetic of that. What is computed of which `examples`, `heads` and `rows` say their numbers, each
    a tensor of them on the device.
    """

    q: Any
    """[batch, heads, queries, size]"""
    k: Any
    """[batch, key-value heads, keys, size]"""
    v: Any
    """[batch, key-value heads, keys, size]"""
    scale: float
    masks: tuple[Any, ...] = ()
    """each broadcasts to [batch, heads, queries, keys]: bool, True where a query may look, or added"""
    real_keys: Any = None
    """bool [batch, keys]: False for padding, which is taken out before positions are counted"""
    causal: str = ""
    """"first": the first query stands at the first key; "last": the last query at the last key; "": not"""
    window: int = 0
    """keys that a query may look back, itself included; both ways if not causal; 0 = all"""
    softcap: float = 0.0
    sinks: Any = None
    """[heads]: a logit that takes part in the softmax and is dropped from the weights"""
    rounded_to: Any = field(init=False)
    """type that autocast turns q and k to before the kernel sees them; None if it is off"""

    def __post_init__(self) -> None:
        """Note what holds while the layer runs: the weights may be computed after autocast has ended."""
        device = self.q.device.type
        on = torch.is_autocast_enabled(device) and self.q.dtype != torch.float64
        self.rounded_to = torch.get_autocast_dtype(device) if on else None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """[batch, heads, queries, keys] of the weights"""
        return (*self.q.shape[:3], self.k.shape[2])

    @_without_gradients
    def logits(self, examples: Any, heads: Any, rows: Any) -> Any:
        """Return float32 [examples, heads, rows, keys] before softmax; -inf where a query may not look."""
        q = self._rounded(picked(self.q, examples, heads, rows)).float()
        k = self._of_heads(self.k, examples, heads)
        if q.is_cuda and (self.rounded_to or self.q.dtype) == torch.float32:
            # TF32, which a GPU may be allowed, holds all of a half precision number but not of these.
            q, k = q.double(), k.double()
        # Written out: a matmul that autocast turns to half precision would lose what is compared here.
        with torch.autocast(q.device.type, enabled=False):
            logits = torch.matmul(q, k.transpose(-1, -2)).float().mul_(self.scale)
        if self.softcap:
            logits = logits.div_(self.softcap).tanh_().mul_(self.softcap)
        for mask in self.masks:
            mask = mask.detach()
            piece = picked(mask.reshape((1,) * (4 - mask.ndim) + tuple(mask.shape)), examples, heads, rows)
            if piece.dtype == torch.bool:
                logits = logits.masked_fill_(~piece, -torch.inf)
            else:
                logits = logits.add_(piece.float())
        allowed = self._positions(examples, rows)
        return logits if allowed is None else logits.masked_fill_(~allowed, -torch.inf)

    @_without_gradients
    def weights(self, examples: Any, heads: Any, rows: Any) -> Any:
        """Return float32 [examples, heads, rows, keys]."""
        logits = self.logits(examples, heads, rows)
        if self.sinks is not None:
            sinks = self.sinks.detach().float()[heads][:, None, None].expand(*logits.shape[:3], 1)
            return torch.cat([logits, sinks], dim=-1).softmax(-1)[..., :-1]
        blind = logits.amax(-1, keepdim=True) == -torch.inf
        return torch.softmax(logits, -1).masked_fill_(blind, 0.0)

    @_without_gradients
    def output(self, examples: Any, heads: Any, rows: Any) -> Any:
        """Return float32 [examples, heads, rows, size]: weights times v."""
        return self._times_v(self.weights(examples, heads, rows), examples, heads)

    def whole(
        self, part: str, heads: Sequence[int], rows: Sequence[int], examples: Sequence[int] | None = None
    ) -> Any:
        """Return float32 [examples, heads, rows, keys or size] of "logits", "weights" or "output"."""
        examples = range(self.shape[0]) if examples is None else examples
        last = self.v.shape[3] if part == "output" else self.shape[3]
        whole = torch.empty((len(examples), len(heads), len(rows), last), device=self.q.device)
        of_batch, of_heads, lines = (index_on(self.q.device, places) for places in (examples, heads, rows))
        for batch, some in self._chunks(*whole.shape[:3]):
            whole[batch, some] = getattr(self, part)(of_batch[batch], of_heads[some], lines)
        return whole

    def check(self, output: Any, label: str, weights: Any = None) -> None:
        """Hold a few rows of weights times v against the kernel's `output` [batch, heads, queries, size].

        Args:
            output: what the layer made of the weights and v.
            label: of the layer.
            weights: its own, [batch, heads, queries, keys]; if None, those of the recipe.

        Raises:
            InvalidRecordError: they differ: the kernel did something that is not known here.
        """
        batch, heads, queries, _ = self.shape
        if min(self.shape) == 0:
            return
        every = torch.arange(heads, device=self.q.device)
        ends = torch.arange(0, batch, max(1, batch - 1), device=self.q.device)
        places = torch.linspace(0, queries - 1, min(queries, _CHECKED_ROWS), device=self.q.device)
        rows = places.round().long()
        half = (self.rounded_to or self.q.dtype) in (torch.float16, torch.bfloat16)
        if weights is None:
            used = self.weights(ends, every, rows)
            seeing = used.sum(-1, keepdim=True) > 0
        else:
            # A head that is switched off must have no output either: every row counts.
            used, seeing = picked(weights.detach(), ends, every, rows).float(), 1
        apart = (self._times_v(used, ends, every) - picked(output.detach(), ends, every, rows).float()).abs()
        apart = (apart * seeing).nan_to_num(nan=0.0).flatten(1).amax(1)
        size = self.v.detach().index_select(0, ends).float().abs().flatten(1).amax(1)
        # Rounding of half precision is 2**-8 of what is added up; single precision may be TF32.
        if bool((apart > size * (3e-2 if half else 2e-3) + 1e-6).any()):
            raise InvalidRecordError(f"the weights of {label} cannot be had: {_why_not(weights)}")

    def _times_v(self, weights: Any, examples: Any, heads: Any) -> Any:
        v = self._of_heads(self.v.detach(), examples, heads)
        with torch.autocast(v.device.type, enabled=False):
            return torch.matmul(weights, v)

    def _of_heads(self, tensor: Any, examples: Any, heads: Any) -> Any:
        """Return float32 [examples, heads, keys, size] of the key-value heads that `heads` share."""
        group = self.q.shape[1] // tensor.shape[1]
        return self._rounded(picked(tensor, examples, heads // group)).float()

    def _rounded(self, tensor: Any) -> Any:
        return tensor if self.rounded_to is None else tensor.to(self.rounded_to)

    def _positions(self, examples: Any, rows: Any) -> Any:
        """Return bool [examples or 1, 1, rows, keys] of what the tokens' order allows; None if everything."""
        queries, keys = self.q.shape[2], self.k.shape[2]
        if not self.causal and not self.window and self.real_keys is None:
            return None
        at_key = torch.arange(keys, device=self.q.device)[None]
        at_row = (rows if self.causal == "first" else rows + keys - queries)[None]
        real = None
        if self.real_keys is not None:
            real = self.real_keys.index_select(0, examples)
            counted = real.long().cumsum(-1) - 1
            # A query of padding looks at nothing; one that stands among the keys has their numbering.
            seen = real[:, None, :]
            if queries <= keys:
                seen = seen & real.index_select(1, at_row[0])[:, :, None]
                at_row = counted.index_select(1, at_row[0])
            at_key, real = counted, seen
        back = at_row[:, :, None] - at_key[:, None, :]
        allowed = torch.ones_like(back, dtype=torch.bool) if real is None else real
        if self.causal:
            allowed = allowed & (back >= 0)
        if self.window:
            allowed = allowed & (back.abs() < self.window)
        return allowed[:, None]

    def _chunks(self, examples: int, heads: int, rows: int) -> Iterator[tuple[slice, slice]]:
        """Yield examples and heads of which no intermediate array grows large."""
        of_head = max(rows, self.q.shape[3]) * self.k.shape[2]
        some = max(1, MOST_NUMBERS // max(1, of_head))
        batch = max(1, some // max(1, heads))
        for example in range(0, examples, batch):
            for head in range(0, heads, some):
                yield slice(example, example + batch), slice(head, head + some)


def picked(tensor: Any, *places: Any) -> Any:
    """Return the part of `tensor` at `places` of its first axes; an axis of one stands for any place."""
    for axis, some in enumerate(places):
        tensor = tensor.index_select(axis, some) if tensor.shape[axis] > 1 else tensor
    return tensor


def _why_not(weights: Any) -> str:
    if weights is None:
        return (
            "its kernel returns none, and those computed from q and k do not give its output; load the model "
            'with attn_implementation="eager".'
        )
    return "those that it shows, times v, do not give its output; give its weights to log_attention."
