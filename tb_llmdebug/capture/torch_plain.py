"""Taps of attention layers that are written out: products around a softmax, or a call of
`scaled_dot_product_attention`, over [batch, heads, queries, keys] in their own `forward`.

So are Hugging Face's BERT and T5 of Transformers 4 and many a home-made model.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache, wraps
from types import CodeType
from typing import Any

from tb_llmdebug.capture.torch_patches import forward_wrapped
from tb_llmdebug.capture.torch_recipe import Recipe
from tb_llmdebug.capture.torch_sessions import Run, Seen, runs_with
from tb_llmdebug.capture.torch_watch import Watch
from tb_llmdebug.records import InvalidRecordError

_KERNEL = "scaled_dot_product_attention"
_NOT_FOLLOWED = {"einsum", "bmm", "baddbmm"}


def knows(module: Any) -> bool:
    """Return whether the module's own `forward` names what attention is made of.

    A product and a softmax make a router of experts too: these must call themselves attention.
    """
    names = _names_in_forward(module)
    return _KERNEL in names or (_calls_itself_attention(module, names) and bool({"matmul", "@"} & names))


def hides(module: Any) -> bool:
    """Return whether the module calls itself attention, but multiplies in a way that is not followed."""
    names = _names_in_forward(module)
    return (
        _calls_itself_attention(module, names) and bool(_NOT_FOLLOWED & names) and not {"matmul", "@"} & names
    )


def _calls_itself_attention(module: Any, names: frozenset[str]) -> bool:
    return "softmax" in names and "att" in type(module).__name__.lower()


def _names_in_forward(module: Any) -> frozenset[str]:
    code = getattr(inspect.unwrap(type(module).forward), "__code__", None)
    return frozenset() if code is None else _names_in(code)


@lru_cache(maxsize=1024)  # every probe asks for every module
def _names_in(code: CodeType) -> frozenset[str]:
    """Return the names that a function uses, "@" among them."""
    multiplies = any(
        each.argrepr == "@" or each.opname == "BINARY_MATRIX_MULTIPLY" for each in dis.get_instructions(code)
    )
    return frozenset(code.co_names) | ({"@"} if multiplies else set())


@contextmanager
def attached(modules: list[Any]) -> Iterator[None]:
    """Watch each of `modules` while it runs."""
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(forward_wrapped(module, "plain", _watched))
        yield


def _watched(module: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def forward(*args: Any, **kwargs: Any) -> Any:
        runs = runs_with(module)
        if not runs:
            return original(*args, **kwargs)
        with Watch() as watch:
            made = original(*args, **kwargs)
        seen = _seen(module, watch, runs)
        for run in runs:
            run.deliver(module, seen)
        return made

    return forward


def _seen(module: Any, watch: Watch, runs: list[Run]) -> Seen:
    label = runs[0].session.places[id(module)].label
    _check_that_it_is_one(watch, label)
    kernel = watch.kernel
    causal = _says_causal(module)
    if kernel is not None and kernel.q.ndim == 4:
        recipe = Recipe(
            kernel.q,
            kernel.k,
            kernel.v,
            kernel.scale,
            masks=() if kernel.mask is None else (kernel.mask,),
            causal="first" if kernel.causal else "",
        )
        if not kernel.dropout:
            recipe.check(kernel.output, label)
        causal = True if kernel.causal else causal
        return Seen(
            kernel.q, kernel.k, kernel.v, recipe, output=kernel.output, causal=causal, groups=_groups(module)
        )
    if watch.output is None or watch.q is None:
        raise InvalidRecordError(
            f"{label} does not compute [batch, heads, queries, keys] in one piece: its attention cannot be "
            "captured, give its weights to log_attention."
        )
    watch.check(label)
    # Its weights, logits and output are its own: the recipe says no more than the shapes.
    recipe = Recipe(watch.q, watch.k, watch.v, 1.0)
    if watch.dropped is None:
        recipe.check(watch.output, label, watch.weights)
    return Seen(
        watch.q,
        watch.k,
        watch.v,
        recipe,
        logits=watch.logits,
        weights=watch.weights,
        output=watch.output,
        causal=causal,
        groups=_groups(module),
        own_arithmetic=True,
    )


def _check_that_it_is_one(watch: Watch, label: str) -> None:
    """Refuse a layer in which it cannot be told which numbers are its q, k and weights."""
    more = (
        "attends more than once in one call"
        if watch.attentions > 1
        else "adds up more than one product before its softmax"
        if watch.products > 1
        else ""
    )
    if more:
        raise InvalidRecordError(
            f"{label} {more}, so that it cannot be told which is its attention: give its weights to "
            "log_attention."
        )


def _says_causal(module: Any) -> bool | None:
    said = getattr(module, "is_causal", getattr(module, "is_decoder", None))
    return said if isinstance(said, bool) else None


def _groups(module: Any) -> int:
    """Return how many heads the layer says share a key-value head; 1 if it does not say."""
    said = getattr(module, "num_key_value_groups", 1)
    return said if isinstance(said, int) else 1
