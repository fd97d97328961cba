"""Taps of `torch.nn.MultiheadAttention`, alone or inside PyTorch's own encoder and decoder layers.

In eval mode without gradients these run as one fused kernel that shows nothing, and the encoder layer does
so without calling its attention at all. The kernel is left as it is, because the written-out path rounds
differently: q, k and v are computed again from the layer's input and its weights instead.
"""

from __future__ import annotations

import inspect
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from tb_llmdebug.capture.torch_patches import forward_wrapped
from tb_llmdebug.capture.torch_recipe import Recipe
from tb_llmdebug.capture.torch_sessions import Run, Seen, runs_with
from tb_llmdebug.records import InvalidRecordError

_SIGNATURE = inspect.signature(nn.MultiheadAttention.forward)
_local = threading.local()


def knows(module: Any) -> bool:
    """Return whether `module` is PyTorch's own attention layer."""
    return isinstance(module, nn.MultiheadAttention)


@contextmanager
def attached(modules: list[Any], model: Any) -> Iterator[None]:
    """Watch each of `modules`, and the encoder layers of `model` that may go past them."""
    wanted = {id(module) for module in modules}
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(forward_wrapped(module, "mha", _attention_forward))
        for module in model.modules():
            if isinstance(module, nn.TransformerEncoderLayer) and id(module.self_attn) in wanted:
                stack.enter_context(forward_wrapped(module, "mha", _encoder_layer_forward))
            elif isinstance(module, nn.TransformerEncoder):
                stack.enter_context(forward_wrapped(module, "mha", _encoder_forward))
        yield


def _attention_forward(module: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    written_out = getattr(original, "__func__", None) is nn.MultiheadAttention.forward

    @wraps(original)
    def forward(*args: Any, **kwargs: Any) -> Any:
        runs = runs_with(module)
        if not runs:
            return original(*args, **kwargs)
        notes = _Notes(module.num_heads)
        made = notes.forward()(module, *args, **kwargs) if written_out else original(*args, **kwargs)
        seen = notes.seen()
        if seen is None:
            given = _SIGNATURE.bind(module, *args, **kwargs)
            given.apply_defaults()
            seen = _again(module, _label(runs, module), **given.arguments)
            _check_projected(module, seen, made[0], _label(runs, module))
        for run in runs:
            run.deliver(module, seen)
        return made

    return forward


def _label(runs: list[Run], module: Any) -> str:
    return runs[0].session.places[id(module)].label


class _Notes:
    """What the written-out path of one call computes, taken from the functions that it calls.

    PyTorch's own code runs, with other names around it: the functions are the same, but views of the
    layout [batch, heads, tokens, size] are put into the computation.
    """

    def __init__(self, heads: int) -> None:
        self._heads = heads
        self._q: Any = None
        self._k: Any = None
        self._v: Any = None
        self._mask: Any = None
        self._causal = False
        self._logits: Any = None
        self._weights: Any = None
        self._output: Any = None
        self._fused = False

    def forward(self) -> Callable[..., Any]:
        """Return `nn.MultiheadAttention.forward` that tells this object what it does."""
        names = functional.multi_head_attention_forward.__globals__
        written_out = _with_names(
            functional.multi_head_attention_forward,
            _in_projection_packed=self._projected(names["_in_projection_packed"]),
            _in_projection=self._projected(names["_in_projection"]),
            scaled_dot_product_attention=self._kernel,
            softmax=self._softmax,
            torch=_Names(torch, bmm=self._bmm, baddbmm=self._baddbmm),
        )
        forward: Callable[..., Any] = _with_names(
            nn.MultiheadAttention.forward, F=_Names(functional, multi_head_attention_forward=written_out)
        )
        return forward

    def seen(self) -> Seen | None:
        """Return what the call did; None if the fused kernel ran."""
        if self._output is None:
            return None
        recipe = Recipe(
            self._q,
            self._k,
            self._v,
            self._q.shape[-1] ** -0.5,
            masks=() if self._mask is None else (self._mask,),
            causal="first" if self._causal else "",
        )
        return Seen(
            self._q,
            self._k,
            self._v,
            recipe,
            logits=self._logits,
            weights=self._weights,
            output=self._output,
        )

    def _projected(self, project: Callable[..., Any]) -> Callable[..., Any]:
        def projected(*args: Any, **kwargs: Any) -> Any:
            q, k, v = project(*args, **kwargs)
            tokens, batch, size = q.shape
            self._q = q.view(tokens, batch, self._heads, size // self._heads).permute(1, 2, 0, 3)
            return self._q.permute(2, 0, 1, 3).view(tokens, batch, size), k, v

        return projected

    def _by_head(self, tensor: Any) -> Any:
        """[batch * heads, ...] as [batch, heads, ...]"""
        return tensor.view(-1, self._heads, *tensor.shape[1:])

    def _bmm(self, left: Any, right: Any) -> Any:
        if self._weights is None:
            self._k, transposed = self._keys(right)
            return torch.bmm(left, transposed)
        self._v = self._by_head(right)
        self._output = self._by_head(torch.bmm(left, self._v.view(right.shape)))
        return self._output.view(left.shape[0], left.shape[1], right.shape[2])

    def _baddbmm(self, mask: Any, left: Any, right: Any) -> Any:
        self._k, transposed = self._keys(right)
        return torch.baddbmm(mask, left, transposed)

    def _keys(self, transposed: Any) -> tuple[Any, Any]:
        keys = transposed.transpose(-2, -1)
        by_head = self._by_head(keys)
        return by_head, by_head.view(keys.shape).transpose(-2, -1)

    def _softmax(self, logits: Any, dim: int) -> Any:
        self._logits = self._by_head(logits)
        self._weights = self._by_head(functional.softmax(self._logits.view(logits.shape), dim=dim))
        return self._weights.view(logits.shape)

    def _kernel(self, q: Any, k: Any, v: Any, mask: Any, dropout: float, causal: bool) -> Any:
        self._q, self._k, self._v, self._mask, self._causal = q, k, v, mask, causal
        self._output = functional.scaled_dot_product_attention(q, k, v, mask, dropout, causal)
        return self._output


class _Names:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **others: Any) -> None:
        self.__dict__.update(others)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _with_names(function: Any, **others: Any) -> Any:
    """Return `function` whose global names are replaced, for it alone."""
    made = types.FunctionType(
        function.__code__, {**function.__globals__, **others}, function.__name__, function.__defaults__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _encoder_forward(_module: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    """Remember how long the input is: a fused encoder cuts padding off before its layers see it."""

    @wraps(original)
    def forward(src: Any, *args: Any, **kwargs: Any) -> Any:
        lengths = _local.__dict__.setdefault("lengths", [])
        lengths.append(src.shape[1] if not src.is_nested and src.dim() == 3 else 0)
        try:
            return original(src, *args, **kwargs)
        finally:
            lengths.pop()

    return forward


def _encoder_layer_forward(module: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    attention = module.self_attn

    @wraps(original)
    def forward(
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        before = [(run, run.times.get(id(attention), 0)) for run in runs_with(attention)]
        made = original(src, src_mask, src_key_padding_mask, *args, **kwargs)
        passed_by = [run for run, times in before if run.times.get(id(attention), 0) == times]
        if passed_by:
            with torch.no_grad():
                given = module.norm1(src) if module.norm_first else src
                seen = _again(
                    attention,
                    _label(passed_by, attention),
                    query=given,
                    key=given,
                    value=given,
                    attn_mask=src_mask,
                    key_padding_mask=src_key_padding_mask,
                )
            for run in passed_by:
                run.deliver(attention, seen)
        return made

    return forward


def _again(
    module: Any,
    label: str,
    *,
    query: Any,
    key: Any,
    value: Any,
    key_padding_mask: Any = None,
    attn_mask: Any = None,
    **_: Any,
) -> Seen:
    """Compute what the fused kernel did not show, from the layer's input; without gradients."""
    if module.bias_k is not None or module.add_zero_attn:
        raise InvalidRecordError(
            f"{label} adds a key of its own (add_bias_kv, add_zero_attn) in a subclass: its attention cannot "
            "be captured, give its weights to log_attention."
        )
    real = None
    if query.is_nested:
        query, real = _padded(query)
        key = value = query
    batched = query.dim() == 3
    if not batched:
        query, key, value = query[None], key[None], value[None]
    elif not module.batch_first:
        query, key, value = (tensor.transpose(0, 1) for tensor in (query, key, value))
    with torch.no_grad():
        q, k, v = (
            functional.linear(tensor, weight, bias).unflatten(-1, (module.num_heads, -1)).transpose(1, 2)
            for tensor, weight, bias in zip((query, key, value), *_projections(module), strict=True)
        )
    masks = []
    if key_padding_mask is not None:
        padding = _allowed(key_padding_mask)
        masks.append(padding.reshape(-1, 1, 1, padding.shape[-1]))
    if attn_mask is not None:
        mask = _allowed(attn_mask)
        masks.append(mask.view(q.shape[0], -1, *mask.shape[1:]) if mask.dim() == 3 else mask)
    recipe = Recipe(q, k, v, q.shape[-1] ** -0.5, masks=tuple(masks), real_keys=real)
    return Seen(q, k, v, recipe)


def _projections(module: Any) -> tuple[Any, Any]:
    """Return the weights and the biases that make q, k and v."""
    if module.in_proj_weight is None:
        weights = (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
    else:
        weights = module.in_proj_weight.chunk(3)
    biases = (None,) * 3 if module.in_proj_bias is None else module.in_proj_bias.chunk(3)
    return weights, biases


def _allowed(mask: Any) -> Any:
    """PyTorch's boolean masks are True where a query may not look."""
    return ~mask if mask.dtype == torch.bool else mask


def _padded(nested: Any) -> tuple[Any, Any]:
    """Return [batch, tokens, size] of `nested`, as long as the encoder's input; and its real tokens."""
    lengths = [len(row) for row in nested.unbind()]
    longest = max([*lengths, *getattr(_local, "lengths", [0])[-1:]])
    padded = nested.to_padded_tensor(0.0, (len(lengths), longest, nested.size(2)))
    places = torch.arange(longest, device=padded.device)
    return padded, places[None, :] < torch.tensor(lengths, device=padded.device)[:, None]


def _check_projected(module: Any, seen: Seen, made: Any, label: str) -> None:
    """Hold one row of what was computed again against what the layer returned."""
    if made.is_nested or (module.training and module.dropout):
        return
    made = made if made.dim() == 3 else made[None]
    made = made if module.batch_first or made.shape[0] == 1 else made.transpose(0, 1)
    recipe = seen.recipe
    last = recipe.shape[2] - 1
    if float(recipe.whole("weights", range(recipe.shape[1]), range(last, last + 1), range(1)).sum()) == 0.0:
        return
    joined = recipe.whole("output", range(recipe.shape[1]), range(last, last + 1), range(1))[0]
    joined = joined.transpose(0, 1).flatten(1)
    bias = module.out_proj.bias
    with torch.no_grad():
        weight = module.out_proj.weight.float()
        ours = functional.linear(joined, weight, None if bias is None else bias.float())
        theirs = made[0, -1:].float()
    half = made.dtype in (torch.float16, torch.bfloat16)
    if bool((ours - theirs).abs().amax() > theirs.abs().amax() * (5e-2 if half else 5e-3) + 1e-5):
        raise InvalidRecordError(
            f"the weights of {label} cannot be had: those computed from its input do not give its output, so "
            "that it is no plain nn.MultiheadAttention; give its weights to log_attention."
        )
