"""Which writer `log_*` calls use when none is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tb_llmdebug.writing.writer import Writer

_entered: list[Writer] = []
_active: ContextVar[Writer | None] = ContextVar("llmdebug_writer", default=None)


def active_writer() -> Writer | None:
    """Return the innermost `Writer` made the default in this thread, or None."""
    return _active.get()


def latest_writer() -> Writer | None:
    """Return the writer that was made the default last, in whatever thread, and still is; or None."""
    return _entered[-1] if _entered else None


@contextmanager
def activated(writer: Writer) -> Iterator[Writer]:
    """Make `writer` the default inside the `with` block."""
    token = _active.set(writer)
    _entered.append(writer)
    try:
        yield writer
    finally:
        _entered.remove(writer)
        _active.reset(token)
