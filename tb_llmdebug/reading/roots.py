"""From what TensorBoard was told to directories and names of runs, as TensorBoard makes them."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from urllib.request import url2pathname

_URL = re.compile(r"[a-zA-Z][0-9a-zA-Z.+-]*://")


class Root(NamedTuple):
    """One directory whose runs are shown."""

    path: str
    group: str = ""
    """put before the names of its runs, if there is one"""

    def run_name(self, directory: str) -> str:
        r"""Return the name of the run in `directory`, relative to this root.

        A name that is no text is escaped, so that two of them stay two.

        Example:
            >>> Root("/logs").run_name("."), Root("/logs", "base").run_name("a")
            ('.', 'base/a')
            >>> Root("/logs").run_name(b"\xff".decode("utf-8", "surrogateescape"))
            '\\xff'
        """
        name = os.path.join(self.group, directory) if self.group else directory
        try:
            return os.fsencode(name).decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:
            return name.encode("utf-8", "backslashreplace").decode()


def is_url(path: str) -> bool:
    """Return whether `path` names a file system of its own.

    Example:
        >>> is_url("gs://bucket/logs"), is_url("/logs"), is_url("C:/logs")
        (True, False, False)
    """
    return _URL.match(path) is not None


def roots_of(logdir: str, spec: str = "") -> list[Root]:
    """Return the roots that `--logdir`, or else `--logdir_spec`, names.

    Example:
        >>> roots_of("/logs")
        [Root(path='/logs', group='')]
        >>> roots_of("", "base:/a,/b:c,gs://bucket/d")
        [Root(path='/a', group='base'), Root(path='/b:c', group=''), Root(path='gs://bucket/d', group='')]
    """
    if logdir or not spec:
        # Nothing given is nothing to read, not the current directory.
        return [Root(os.path.expanduser(_local(logdir)))] if logdir else []
    found: dict[str, Root] = {}
    for part in spec.split(","):
        group, colon, path = part.partition(":")
        if is_url(part) or not colon or part.startswith("/") or os.path.splitdrive(part)[0]:
            group, path = "", part
        if path:
            path = _local(path)
            path = path if is_url(path) else os.path.realpath(os.path.expanduser(path))
            # TensorBoard keeps one name per path: the last.
            found[path] = Root(path, group)
    return list(found.values())


def not_a_directory(path: str) -> str:
    """Return one sentence if nothing can be logged below `path`, "" if it is a directory or a URL.

    Example:
        >>> not_a_directory("gs://bucket/logs"), not_a_directory("/nowhere").partition(":")[0]
        ('', '/nowhere is no directory')
    """
    if is_url(path) or os.path.isdir(os.path.expanduser(path)):
        return ""
    return f"{path} is no directory: give a run's, or the one given to tensorboard --logdir."


def _local(path: str) -> str:
    """`file://` is the file system that needs no other package."""
    return url2pathname(path[len("file://") :]) if path.startswith("file:///") else path
