"""Saying things once."""

from __future__ import annotations

import warnings
from contextlib import suppress


class Once:
    """Remembers what has come before. Needs no lock, so it works in any thread and after a fork.

    Example:
        >>> once = Once()
        >>> once.first("a"), once.first("a"), once.first("b")
        (True, False, True)
    """

    def __init__(self) -> None:
        self._seen: dict[str, object] = {}

    def first(self, key: str) -> bool:
        """Return whether `key` comes for the first time."""
        mark = object()
        return self._seen.setdefault(key, mark) is mark

    def warn(self, key: str, message: str, stacklevel: int = 3) -> None:
        """Warn with `message` the first time that `key` comes."""
        if self.first(key):
            # Under `-W error` a warning is an exception, and showing one may fail; neither may reach the
            # training loop.
            with suppress(Exception):
                warnings.warn(f"llmdebug: {message}", RuntimeWarning, stacklevel=stacklevel)
