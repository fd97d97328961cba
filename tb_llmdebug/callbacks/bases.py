"""Classes that derive from a framework's own, without importing the framework.

A callback has to be one of the framework's, and the framework is optional: the base is put in when the
first callback is made, which needs the framework anyway.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from tb_llmdebug.records import InvalidRecordError


def with_bases(cls: type[Any], *places: str) -> type[Any]:
    """Return a subclass of `cls` and of those framework classes whose module was imported.

    Args:
        cls: what the methods are taken from; they come before the framework's.
        places: "module:name" of each class.

    Raises:
        InvalidRecordError: none of the modules was imported.

    Example:
        >>> class Quiet:
        ...     def writable(self):
        ...         return False
        >>> import io
        >>> with_bases(Quiet, "io:StringIO")().writable()
        False
    """
    bases = []
    for place in places:
        module, _, name = place.partition(":")
        base = getattr(sys.modules.get(module), name, None)
        if base is not None:
            bases.append(base)
    if not bases:
        modules = " or ".join(place.partition(":")[0] for place in places)
        raise InvalidRecordError(f"this callback is for {modules}: import it first.")
    own: Any = cls
    made: type[Any] = _made(own, tuple(bases))
    return made


@cache
def _made(cls: Any, bases: tuple[Any, ...]) -> Any:
    own = tuple(base for base in bases if not issubclass(cls, base))
    return (
        type(cls.__name__, (cls, *own), {"__module__": cls.__module__, "__doc__": cls.__doc__})
        if own
        else cls
    )
