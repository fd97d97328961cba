"""Caches that share a bound in bytes, the least recently used thrown out first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar, cast

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 2048
"""what an entry takes besides its bytes: keys, nodes and the objects around them, as measured"""


class ByteBudget:
    """The bytes that several caches may hold together: what one does not need, another can have.

    Args:
        capacity: most bytes.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.held = 0
        self.lock = threading.Lock()
        self.entries: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        """(cache, key) -> value and size, the least recently used first"""

    def make_room(self) -> None:
        """Throw out what is too much; called under the lock."""
        while self.held > self.capacity:
            _, (_, size) = self.entries.popitem(last=False)
            self.held -= size


class ByteCache(Generic[K, V]):
    """Safe to use from several threads.

    Args:
        budget: what it shares with other caches.
        size: the bytes of a value; each is charged `ENTRY_BYTES` more.

    Example:
        >>> budget = ByteBudget(capacity=ENTRY_BYTES + 2)
        >>> cache = ByteCache(budget, size=len)
        >>> [cache.get(key, lambda: key * 2) for key in ("a", "b")]
        ['aa', 'bb']
        >>> budget.held - ENTRY_BYTES
        2
    """

    def __init__(self, budget: ByteBudget, size: Callable[[V], int]) -> None:
        self._budget = budget
        self._size = size

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under `key`, or make it. What `make` raises is passed on and not kept."""
        found = self._used(key)
        if found is not None:
            return found[0]
        value = make()  # outside the lock: two threads may both make it, none waits for the other
        self.keep(key, value)
        return value

    def peek(self, key: K) -> V | None:
        """Return what is kept under `key`, if anything is; that is a use of it, too."""
        found = self._used(key)
        return None if found is None else found[0]

    def keep(self, key: K, value: V) -> None:
        """Keep `value` under `key`, unless something is kept there or it is larger than all may be."""
        size, budget = self._size(value) + ENTRY_BYTES, self._budget
        if size > budget.capacity:
            return
        with budget.lock:
            if (self, key) not in budget.entries:
                budget.entries[self, key] = (value, size)
                budget.held += size
                budget.make_room()

    def _used(self, key: K) -> tuple[V, int] | None:
        budget = self._budget
        with budget.lock:
            if (self, key) not in budget.entries:
                return None
            budget.entries.move_to_end((self, key))
            return cast("tuple[V, int]", budget.entries[self, key])
