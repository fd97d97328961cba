"""Which taps are open on which PyTorch models, and which calls of these run in this thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, cast

import numpy as np
import torch

from tb_llmdebug.capture.landing import index_on
from tb_llmdebug.capture.taps import Block, Deliver, LayerTaps, Request, Rows, Selection
from tb_llmdebug.capture.torch_patches import forward_wrapped
from tb_llmdebug.capture.torch_recipe import Recipe, picked
from tb_llmdebug.records import InvalidRecordError, LayerWithoutMap


@dataclass(frozen=True)
class Place:
    """Where a layer stands in the model."""

    group: str
    number: int
    label: str
    cross: bool = False
    """whether it looks from one sequence at another"""
    without_map: tuple[LayerWithoutMap, ...] = ()
    """the blocks of the model that have no attention of this kind"""


@dataclass(eq=False)
class Seen:
    """What a layer did in one call, before it is cut to what was asked for."""

    q: Any
    k: Any
    v: Any
    recipe: Recipe
    logits: Any = None
    """the layer's own; else made by the recipe"""
    weights: Any = None
    output: Any = None
    causal: bool | None = None
    window: int = 0
    groups: int = 1
    """heads that the layer says share a key-value head; k and v may have been repeated for them"""
    own_arithmetic: bool = False
    """how its logits come about is written in the layer: the recipe does not say"""


@dataclass(eq=False)
class Session:
    """One open `tap` block."""

    root: Any
    request: Request
    deliver: Deliver
    places: dict[int, Place]
    """by the id of the layer's module"""
    calls: int = 0


@dataclass(eq=False)
class Run:
    """One call of the root model in one thread."""

    session: Session
    call: int
    used: set[tuple[str, int]] = field(default_factory=set)
    times: dict[int, int] = field(default_factory=dict)

    def deliver(self, module: Any, seen: Seen) -> None:
        """Hand on what a layer did, if it was asked for."""
        place = self._next_place(module)
        request = self.session.request
        if request.wants(place.number):
            self.session.deliver(_taps(place, request, seen, self.call))

    def _next_place(self, module: Any) -> Place:
        """A module that the model uses several times is a layer each time, numbered after those before."""
        place = self.session.places[id(module)]
        times = self.times[id(module)] = self.times.get(id(module), 0) + 1
        number = place.number
        if times > 1 or (place.group, number) in self.used:
            number = 1 + max(used for group, used in self.used if group == place.group)
        self.used.add((place.group, number))
        label = place.label if times == 1 else f"{place.label}#{times}"
        return replace(place, number=number, label=label)


_lock = threading.Lock()
_open: dict[int, list[Session]] = {}
_local = threading.local()


def runs_with(module: Any) -> list[Run]:
    """Return the calls that run in this thread and of whose model `module` is a known layer."""
    return [run for run in getattr(_local, "runs", ()) if id(module) in run.session.places]


def parts_of(runs: Sequence[Run]) -> frozenset[str]:
    """Return the parts that any of the calls wants, whole or in pieces."""
    requests = [run.session.request for run in runs]
    pieces = {"logits"} if any(request.logit_pieces for request in requests) else set()
    return frozenset(pieces).union(*(request.parts for request in requests))


@contextmanager
def opened(session: Session) -> Iterator[None]:
    """Count the calls of the session's root model, and let its layers know of them.

    A call of the root is one of a model inside it that holds all of its layers, too: what wraps a model may
    hand `generate` straight on to it. What runs outside such a call is not seen.
    """
    entries = _entries(session)
    with ExitStack() as stack:
        for module in entries:
            stack.enter_context(_listed(module, session))
            stack.enter_context(forward_wrapped(module, "root", _entry_forward))
        yield


def _entries(session: Session) -> list[Any]:
    """Return the root and the models inside it, one in the other, that hold all of its layers."""
    module, found = session.root, [session.root]
    while True:
        inner = [
            child for child in module.children() if session.places.keys() <= {id(m) for m in child.modules()}
        ]
        if not inner or id(inner[0]) in session.places:
            return found
        module = inner[0]
        if type(module).forward is not torch.nn.Module.forward:  # not a mere list of modules
            found.append(module)


@contextmanager
def _listed(module: Any, session: Session) -> Iterator[None]:
    with _lock:
        _open.setdefault(id(module), []).append(session)
    try:
        yield
    finally:
        with _lock:
            sessions = _open[id(module)]
            sessions.remove(session)
            if not sessions:
                del _open[id(module)]


def _entry_forward(module: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def forward(*args: Any, **kwargs: Any) -> Any:
        with _running(module):
            return original(*args, **kwargs)

    if "torch._dynamo" in sys.modules:
        # Inside a step that the user compiled, the model runs eagerly while it is looked into.
        return cast("Callable[..., Any]", torch.compiler.disable(forward))
    return forward


@contextmanager
def _running(module: Any) -> Iterator[None]:
    runs: list[Run] = _local.__dict__.setdefault("runs", [])
    inside = {id(run.session) for run in runs}
    started = []
    with _lock:
        for session in () if _in_backward_pass() else _open.get(id(module), ()):
            if id(session) not in inside:  # a model that calls itself is one call
                started.append(Run(session, session.calls))
                session.calls += 1
    runs.extend(started)
    try:
        yield
    finally:
        for run in started:
            runs.remove(run)


def _in_backward_pass() -> bool:
    """Return whether this thread computes gradients: a model that runs then is one that ran before.

    `torch.utils.checkpoint` asks the same way.
    """
    return bool(torch._C._current_graph_task_id() != -1)


def _taps(place: Place, request: Request, seen: Seen, call: int) -> LayerTaps:
    _, heads, queries, _ = shape = seen.recipe.shape
    chosen_heads = _chosen(request.heads, heads, "heads", place.label)
    chosen_rows = _chosen(request.rows, queries, "rows", place.label)
    cut = request.heads is not None or request.rows is not None

    def part(name: str) -> Any:
        if name not in request.parts:
            return None
        own = getattr(seen, name)
        if own is None:
            return seen.recipe.whole(name, chosen_heads, chosen_rows)
        return own[:, list(chosen_heads)][:, :, list(chosen_rows)] if cut else own

    return LayerTaps(
        layer=place.number,
        label=place.label,
        shape=shape,
        group=place.group,
        key_value_heads=_key_value_heads(seen, heads),
        causal=False if place.cross else seen.causal,
        window=seen.window,
        without_map=place.without_map,
        q=seen.q if "q" in request.parts else None,
        k=seen.k if "k" in request.parts else None,
        v=seen.v if "v" in request.parts else None,
        logits=part("logits"),
        weights=part("weights"),
        output=part("output"),
        block=_block(seen.recipe, seen.weights, seen.recipe.weights),
        on_gpu=_on_gpu(seen.recipe, seen.weights),
        logit_block=_block(seen.recipe, seen.logits, seen.recipe.logits) if request.logit_pieces else None,
        scale=None if seen.own_arithmetic else seen.recipe.scale,
        softcap=seen.recipe.softcap,
        sinks=seen.recipe.sinks,
        call=call,
    )


def _key_value_heads(seen: Seen, heads: int) -> int:
    """Return how many key-value heads there are; 0 = as many as heads.

    A layer that is written out may repeat them itself: then its word counts, if its keys say the same.
    """
    given = int(seen.k.shape[1])
    if given != heads:
        return given
    if seen.groups <= 1 or heads % seen.groups:
        return 0
    keys = seen.k.detach().unflatten(1, (heads // seen.groups, seen.groups))
    return heads // seen.groups if bool((keys == keys[:, :, :1]).all()) else 0


def _chosen(asked: tuple[int, ...] | None, count: int, what: str, label: str) -> Sequence[int]:
    if asked is None:
        return range(count)
    for place in asked:
        if not 0 <= place < count:
            raise InvalidRecordError(f"{what} names {place}, but {label} has {count}: they count from 0.")
    return asked


def _block(recipe: Recipe, own: Any, compute: Callable[[Any, Any, Any], Any]) -> Block:
    """Return what cuts a piece out of the layer's `own`, or computes it where the layer shows none."""
    own = None if own is None else own.detach()
    device = recipe.q.device

    def block(example: int, heads: slice, rows: Rows) -> np.ndarray[Any, np.dtype[np.float32]]:
        some = torch.arange(recipe.shape[1], device=device)[heads]
        lines = torch.arange(recipe.shape[2], device=device)
        lines = lines[rows] if isinstance(rows, slice) else lines[torch.as_tensor(rows, device=device).long()]
        if own is None:
            piece = compute(torch.arange(example, example + 1, device=device), some, lines)[0]
        else:
            piece = own[example].index_select(0, some).index_select(1, lines)
        host: np.ndarray[Any, np.dtype[np.float32]] = piece.float().cpu().numpy()
        return host

    return block


def _on_gpu(recipe: Recipe, own: Any) -> Selection | None:
    if not recipe.q.is_cuda:
        return None

    def selection(examples: Sequence[int], heads: Sequence[int], rows: Sequence[int]) -> Any:
        if own is None:
            return recipe.whole("weights", heads, rows, examples)
        return picked(
            own.detach(), *(index_on(own.device, places) for places in (examples, heads, rows))
        ).float()

    return selection
