"""Taps of Hugging Face's PyTorch models, through the attention interface of Transformers 4 and 5.

A layer calls `interface(module, query, key, value, attention_mask, **settings)`, where `interface` is the
file's own `eager_attention_forward` or an entry of `ALL_ATTENTION_FUNCTIONS`. Both names are wrapped in the
file that holds the layer, not the entry chosen by another: which masks are made and which kernel runs hang
on the name of the implementation, and so do the last bits of the result.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch

from tb_llmdebug.capture.torch_patches import wrapped
from tb_llmdebug.capture.torch_recipe import Recipe
from tb_llmdebug.capture.torch_sessions import Run, Seen, parts_of, runs_with
from tb_llmdebug.capture.torch_watch import KernelCall, Watch
from tb_llmdebug.records import InvalidRecordError

_TABLE = "ALL_ATTENTION_FUNCTIONS"
_EAGER = "eager_attention_forward"


def knows(module: Any) -> bool:
    """Return whether `module` is an attention layer that calls the interface itself."""
    code = getattr(inspect.unwrap(type(module).forward), "__code__", None)
    return code is not None and _TABLE in code.co_names


@contextmanager
def attached(modules: list[Any]) -> Iterator[None]:
    """Wrap the interface in the files that hold the classes of `modules`."""
    for module in modules:
        if getattr(module, "reorder_and_upcast_attn", False) and _implementation(module) == "eager":
            raise InvalidRecordError(
                "reorder_and_upcast_attn=True goes past the attention interface: load the model with "
                'attn_implementation="sdpa".'
            )
    files = {
        id(inspect.unwrap(type(module).forward).__globals__): inspect.unwrap(type(module).forward).__globals__
        for module in modules
    }
    with ExitStack() as stack:
        for names in files.values():
            for name, wrap in ((_TABLE, _Table), (_EAGER, _tapped)):
                if name in names:
                    stack.enter_context(wrapped(names, name, "interface", wrap, names[name]))
        yield


class _Table:
    """Stands for `ALL_ATTENTION_FUNCTIONS`; what it is asked for comes wrapped."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getitem__(self, name: str) -> Any:
        return _tapped(self._table[name])

    def get(self, name: str, default: Any = None) -> Any:
        return _tapped(self._table.get(name, default))

    def get_interface(self, name: str, default: Any) -> Any:
        return _tapped(self._table.get_interface(name, default))

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


def _tapped(interface: Any) -> Any:
    """Return `interface` with taps: it does the same; other models' layers go straight through."""
    if not callable(interface) or hasattr(interface, "llmdebug_taps"):
        return interface

    @wraps(interface)
    def tapped(module: Any, query: Any, key: Any, value: Any, *args: Any, **settings: Any) -> Any:
        runs = runs_with(module)
        if not runs:
            return interface(module, query, key, value, *args, **settings)
        return _seen_through(interface, runs, module, query, key, value, *args, **settings)

    tapped.llmdebug_taps = True  # type: ignore[attr-defined]
    return tapped


def _seen_through(
    interface: Callable[..., Any],
    runs: list[Run],
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any = None,
    **settings: Any,
) -> Any:
    with Watch() as watch:
        made = interface(module, query, key, value, attention_mask, **settings)
    result, rest = made[0], made[1:]
    # [batch, queries, heads, size]; turned on the way, so that a gradient to the output can be taken.
    output = result.transpose(1, 2)
    shape = (*query.shape[:3], key.shape[2])
    weights = watch.weights if _has_shape(watch.weights, shape) else None
    if weights is None and rest and _has_shape(rest[0], shape):
        weights = rest[0]
    recipe = _recipe(module, query, key, value, attention_mask, settings, watch.kernel)
    label = runs[0].session.places[id(module)].label
    watch.check(label)
    if not _under_dropout(settings, watch):
        if weights is not None:
            recipe.check(output, label, weights)
        if weights is None or ("logits" in parts_of(runs) and not _has_shape(watch.logits, shape)):
            recipe.check(output, label)
    seen = Seen(
        query,
        key,
        value,
        recipe,
        logits=watch.logits if _has_shape(watch.logits, shape) else None,
        weights=weights,
        output=output,
        causal=_forbids_looking_ahead(module, settings, recipe),
        window=_window(module, settings),
    )
    for run in runs:
        run.deliver(module, seen)
    return (output.transpose(1, 2), *rest)


def _has_shape(tensor: Any, shape: tuple[int, ...]) -> bool:
    return tensor is not None and tuple(tensor.shape) == shape


def _recipe(
    module: Any, q: Any, k: Any, v: Any, mask: Any, settings: dict[str, Any], kernel: KernelCall | None
) -> Recipe:
    """Say how the kernel made weights: from its own arguments if it was seen, else from the layer's."""
    scale = settings.get("scaling")
    recipe = Recipe(q, k, v, q.shape[-1] ** -0.5 if scale is None else float(scale))
    if kernel is not None and kernel.q.shape == q.shape:
        recipe.scale = kernel.scale
        recipe.masks = () if kernel.mask is None else (kernel.mask,)
        recipe.causal = "first" if kernel.causal else ""
        return recipe
    recipe.softcap = float(settings.get("softcap") or 0.0)
    recipe.sinks = settings.get("s_aux")
    bias = settings.get("position_bias")
    given = [] if bias is None else [bias]
    if torch.is_tensor(mask) and mask.ndim == 4:
        given.append(mask[..., : k.shape[2]])
    elif kernel is None:
        # As for flash attention: causality and window are settings, padding a mask [batch, keys].
        if torch.is_tensor(mask) and mask.ndim == 2:
            recipe.real_keys = mask[:, -k.shape[2] :].bool()
        recipe.causal = "last" if _causal(module, settings) and q.shape[2] > 1 else ""
        recipe.window = _window(module, settings)
    recipe.masks = tuple(given)
    return recipe


def _under_dropout(settings: dict[str, Any], watch: Watch) -> bool:
    """Return whether the output says nothing of the weights before dropout."""
    told = settings.get("dropout", 0.0) if watch.kernel is None else watch.kernel.dropout
    return bool(told) or watch.dropped is not None


def _forbids_looking_ahead(module: Any, settings: dict[str, Any], recipe: Recipe) -> bool | None:
    """The layer's own word counts; what a call is told is about its kernel, whose mask may be causal too.

    A mask may also let a causal layer look ahead, as in a prefix that is read in both directions.
    """
    said = getattr(module, "is_causal", settings.get("is_causal"))
    if not isinstance(said, bool):
        return None
    _, _, queries, keys = recipe.shape
    for mask in recipe.masks if said and queries == keys else ():
        if mask.ndim == 4 and mask.shape[-2:] == (queries, keys) and mask.dtype == torch.bool:
            return not bool(torch.triu(mask[0, 0], 1).any())
    return said


def _causal(module: Any, settings: dict[str, Any]) -> bool | None:
    said = settings.get("is_causal")
    said = getattr(module, "is_causal", None) if said is None else said
    return None if said is None else bool(said)


def _window(module: Any, settings: dict[str, Any]) -> int:
    said = settings.get("sliding_window", getattr(module, "sliding_window", None))
    return int(said) if isinstance(said, int) and not isinstance(said, bool) else 0


def _implementation(module: Any) -> str:
    return str(getattr(getattr(module, "config", None), "_attn_implementation", "") or "eager")
