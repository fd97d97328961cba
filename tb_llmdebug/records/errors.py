"""The one error that a mistaken call raises, and how its sentence lists what there is."""

from __future__ import annotations

from collections.abc import Collection

_SHOWN = 5


class InvalidRecordError(ValueError):
    """A mistake in a logging call; the message says in one sentence how to mend it."""

    # While tracing, AutoGraph replaces exceptions by its own with a page of text; not those with this mark.
    ag_pass_through = True


def some_of(names: Collection[object]) -> str:
    """Return a few of `names` as a sentence lists them.

    Example:
        >>> some_of(["a", "b"]), some_of(range(99)), some_of([])
        ("'a', 'b'", '0, 1, 2, 3, 4 and 94 more', 'none')
    """
    shown = ", ".join(repr(name) for name, _ in zip(names, range(_SHOWN), strict=False))
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "none"
