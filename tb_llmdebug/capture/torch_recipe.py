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

from tb_llmdebug.records import InvalidRecordError

MOST_NUMBERS = 4 << 20
"""of float32 in one intermediate array: 16 MiB"""
_CHECKED_ROWS = 8
Compute = Callable[["Recipe", int, Any, Any], Any]


def _without_gradients(compute: Compute) -> Compute:
    @wraps(compute)
    def computed(recipe: Recipe, example: int, heads: Any, rows: Any) -> Any:
        with torch.no_grad():
            return compute(recipe, example, heads, rows)

    return computed


@dataclass(eq=False)
class Recipe:
    """How a kernel made weights: softmax(q k' scale + masks).

    A query that may look at no key at all (a row of padding) has weights of zero, as fused kernels have it
    for boolean masks; where the model's own mask adds a large negative number instead, the weights follow
    the arithmetic of that.
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
    def logits(self, example: int, heads: Any, rows: Any) -> Any:
        """Return float32 [heads, rows, keys] before softmax; -inf where a query may not look."""
        q = self._rounded(self.q[example].index_select(0, heads).index_select(1, rows)).float()
        k = self._of_heads(self.k, example, heads)
        if q.is_cuda and (self.rounded_to or self.q.dtype) == torch.float32:
            # TF32, which a GPU may be allowed, holds all of a half precision number but not of these.
            q, k = q.double(), k.double()
        # Written out: a matmul that autocast turns to half precision would lose what is compared here.
        with torch.autocast(q.device.type, enabled=False):
            logits = torch.matmul(q, k.transpose(-1, -2)).float().mul_(self.scale)
        if self.softcap:
            logits = logits.div_(self.softcap).tanh_().mul_(self.softcap)
        for mask in self.masks:
            piece = _piece(mask, example, heads, rows)
            if piece.dtype == torch.bool:
                logits = logits.masked_fill_(~piece, -torch.inf)
            else:
                logits = logits.add_(piece.float())
        allowed = self._positions(example, rows)
        return logits if allowed is None else logits.masked_fill_(~allowed, -torch.inf)

    @_without_gradients
    def weights(self, example: int, heads: Any, rows: Any) -> Any:
        """Return float32 [heads, rows, keys]."""
        logits = self.logits(example, heads, rows)
        if self.sinks is not None:
            sinks = self.sinks.detach().float()[heads][:, None, None].expand(-1, logits.shape[1], 1)
            return torch.cat([logits, sinks], dim=-1).softmax(-1)[..., :-1]
        blind = logits.amax(-1, keepdim=True) == -torch.inf
        return torch.softmax(logits, -1).masked_fill_(blind, 0.0)

    @_without_gradients
    def output(self, example: int, heads: Any, rows: Any) -> Any:
        """Return float32 [heads, rows, size]: weights times v."""
        return self._times_v(self.weights(example, heads, rows), example, heads)

    def whole(self, part: str, heads: Sequence[int], rows: Sequence[int]) -> Any:
        """Return float32 [batch, heads, rows, keys or size] of "logits", "weights" or "output"."""
        batch, last = self.shape[0], self.v.shape[3] if part == "output" else self.shape[3]
        whole = torch.empty((batch, len(heads), len(rows), last), device=self.q.device)
        chosen = torch.as_tensor(rows, dtype=torch.long, device=self.q.device)
        for example in range(batch):
            for start, stop in self._chunks(len(heads), len(rows)):
                some = torch.as_tensor(list(heads[start:stop]), dtype=torch.long, device=self.q.device)
                whole[example, start:stop] = getattr(self, part)(example, some, chosen)
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
        places = torch.linspace(0, queries - 1, min(queries, _CHECKED_ROWS), device=self.q.device)
        rows = places.round().long().unique()
        half = (self.rounded_to or self.q.dtype) in (torch.float16, torch.bfloat16)
        for example in sorted({0, batch - 1}):
            if weights is None:
                ours = self.output(example, every, rows)
                seeing = self.weights(example, every, rows).sum(-1, keepdim=True) > 0
            else:
                # A head that is switched off must have no output either: every row counts.
                ours, seeing = self._times_v(weights[example].detach()[:, rows].float(), example, every), 1
            theirs = output[example].detach().index_select(1, rows).float()
            size = self.v[example].detach().abs().amax().float()
            apart = ((ours - theirs).abs() * seeing).nan_to_num(nan=0.0).amax()
            # Rounding of half precision is 2**-8 of what is added up; single precision may be TF32.
            if bool(apart > size * (3e-2 if half else 2e-3) + 1e-6):
                raise InvalidRecordError(f"the weights of {label} cannot be had: {_why_not(weights)}")

    def _times_v(self, weights: Any, example: int, heads: Any) -> Any:
        v = self._of_heads(self.v.detach(), example, heads)
        with torch.autocast(v.device.type, enabled=False):
            return torch.matmul(weights, v)

    def _of_heads(self, tensor: Any, example: int, heads: Any) -> Any:
        """Return float32 [heads, keys, size] of the key-value heads that `heads` share."""
        group = self.q.shape[1] // tensor.shape[1]
        return self._rounded(tensor[example].index_select(0, heads // group)).float()

    def _rounded(self, tensor: Any) -> Any:
        return tensor if self.rounded_to is None else tensor.to(self.rounded_to)

    def _positions(self, example: int, rows: Any) -> Any:
        """Return bool [rows, keys] of what the order of the tokens allows; None if everything."""
        queries, keys = self.q.shape[2], self.k.shape[2]
        if not self.causal and not self.window and self.real_keys is None:
            return None
        device = self.q.device
        at_key = torch.arange(keys, device=device)
        at_row = rows if self.causal == "first" else rows + keys - queries
        allowed = torch.ones((len(rows), keys), dtype=torch.bool, device=device)
        if self.real_keys is not None:
            real = self.real_keys[example]
            counted = real.long().cumsum(0) - 1
            # A query of padding looks at nothing; one that stands among the keys has their numbering.
            if queries <= keys:
                allowed &= real[at_row][:, None]
                at_row = counted[at_row]
            allowed &= real[None, :]
            at_key = counted
        back = at_row[:, None] - at_key[None, :]
        if self.causal:
            allowed &= back >= 0
        if self.window:
            allowed &= back.abs() < self.window
        return allowed

    def _chunks(self, heads: int, rows: int) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) of so many heads at once that no intermediate array grows large."""
        numbers = max(rows, self.q.shape[3]) * self.k.shape[2]
        step = max(1, MOST_NUMBERS // max(1, numbers))
        for start in range(0, heads, step):
            yield start, min(heads, start + step)


def _why_not(weights: Any) -> str:
    if weights is None:
        return (
            "its kernel returns none, and those computed from q and k do not give its output; load the model "
            'with attn_implementation="eager".'
        )
    return "those that it shows, times v, do not give its output; give its weights to log_attention."


def _piece(mask: Any, example: int, heads: Any, rows: Any) -> Any:
    """Return what broadcasts to [heads, rows, keys] of a mask that broadcasts to four axes."""
    mask = mask.detach()
    mask = mask.reshape((1,) * (4 - mask.ndim) + tuple(mask.shape))
    piece = mask[example if mask.shape[0] > 1 else 0]
    if piece.shape[0] > 1:
        piece = piece.index_select(0, heads)
    return piece.index_select(1, rows) if piece.shape[1] > 1 else piece
