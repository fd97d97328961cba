"""A cache bounded in bytes, the least recently used thrown out first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Safe to use from several threads.

    Example:
        >>> cache = ByteCache(capacity=2, size=len)
        >>> [cache.get(key, lambda: key * 2) for key in ("a", "b")]
        ['aa', 'bb']
        >>> cache.held
        2
    """

    def __init__(self, capacity: int, size: Callable[[V], int]) -> None:
        self.held = 0
        self._capacity = capacity
        self._size = size
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under `key`, or make it. What `make` raises is passed on and not kept."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][0]
        value = make()  # outside the lock: two threads may both make it, none waits for the other
        self.keep(key, value)
        return value

    def peek(self, key: K) -> V | None:
        """Return what is kept under `key`, if anything is."""
        with self._lock:
            return self._entries[key][0] if key in self._entries else None

    def keep(self, key: K, value: V) -> None:
        """Keep `value` under `key`, unless something is kept there or it is larger than all may be."""
        size = self._size(value)
        if size > self._capacity:
            return
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = (value, size)
            self.held += size
            while self.held > self._capacity:
                _, (_, oldest) = self._entries.popitem(last=False)
                self.held -= oldest
