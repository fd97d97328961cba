"""Entries of dictionaries that are replaced for a while: of a module's `__dict__`, of a file's globals.

Several taps may hold the same entry at once, for the same or for different purposes, from several threads,
and let go in any order: each purpose wraps the entry once, and the last to let go puts back what stood there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_MISSING = object()
Wrap = Callable[[Any], Any]


@dataclass
class _Held:
    original: Any
    start: Any
    """what the innermost wrapper gets"""
    wraps: dict[str, Wrap] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)


_lock = threading.Lock()
_held: dict[tuple[int, str], _Held] = {}


@contextmanager
def wrapped(entries: dict[str, Any], name: str, purpose: str, wrap: Wrap, start: Any) -> Iterator[None]:
    """Replace `entries[name]` by `wrap(start)`, for as long as any block of this purpose is open.

    Args:
        entries: the dictionary.
        name: its key; it need not be there.
        purpose: blocks of one purpose share one wrapper; later purposes wrap around earlier ones.
        wrap: makes the replacement from what it replaces.
        start: what stands there now, or would be found if nothing does.

    Example:
        >>> colours = {"sky": "blue"}
        >>> with wrapped(colours, "sky", "night", "dark {}".format, colours["sky"]):
        ...     print(colours)
        {'sky': 'dark blue'}
        >>> colours
        {'sky': 'blue'}
    """
    key = (id(entries), name)
    with _lock:
        held = _held.setdefault(key, _Held(entries.get(name, _MISSING), start))
        if purpose not in held.wraps:
            held.wraps[purpose] = wrap
            _rebuild(entries, name, held)
        held.holders[purpose] = held.holders.get(purpose, 0) + 1
    try:
        yield
    finally:
        with _lock:
            held.holders[purpose] -= 1
            if not held.holders[purpose]:
                del held.holders[purpose], held.wraps[purpose]
                _rebuild(entries, name, held)
                if not held.wraps:
                    del _held[key]


def _rebuild(entries: dict[str, Any], name: str, held: _Held) -> None:
    if held.wraps:
        value = held.start
        for wrap in held.wraps.values():
            value = wrap(value)
        entries[name] = value
    elif held.original is _MISSING:
        entries.pop(name, None)
    else:
        entries[name] = held.original


@contextmanager
def forward_wrapped(module: Any, purpose: str, wrap: Callable[[Any, Any], Any]) -> Iterator[None]:
    """Replace a module's own `forward` by `wrap(module, forward)`.

    It is replaced, not hooked: a hook makes PyTorch leave the fused kernels of its encoder.
    """
    with wrapped(module.__dict__, "forward", purpose, lambda forward: wrap(module, forward), module.forward):
        yield
