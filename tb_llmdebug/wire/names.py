"""Names of files and tags: where a record is to be found by name alone.

A Writer's files stand in `<run>/plugins/llmdebug/` and are called `records.<start>.<session>.<roll>`: no
`tfevents` in the name, so that TensorBoard's own loader passes them over.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tb_llmdebug.wire.event import PLUGIN_NAME

SUBDIRECTORY = os.path.join("plugins", PLUGIN_NAME)
_PREFIX = "records."
_TOKENS = "__tokens__/"


class Session(NamedTuple):
    """One Writer, or one event file."""

    id: str
    start: float
    """seconds since the epoch, 0 if the name does not say"""


def record_file(start: float, session: str, roll: int) -> str:
    """Return the name of a Writer's file.

    Example:
        >>> record_file(1.5, "ab12", 3)
        'records.0000000001500.ab12.000003'
        >>> session_of(record_file(1.5, "ab12", 3))
        Session(id='0000000001500.ab12', start=1.5)
    """
    return f"{_PREFIX}{int(start * 1000):013d}.{session}.{roll:06d}"


def holds_records(directory: str, file: str) -> bool:
    """Return whether a file in `directory` may hold records, by its name."""
    own = directory.endswith(os.sep + SUBDIRECTORY)
    return file.startswith(_PREFIX) if own else "tfevents" in file


def is_record_file(path: str) -> bool:
    """Return whether `path` is a Writer's own file, in which nothing else stands."""
    directory, file = os.path.split(path)
    return directory.endswith(os.sep + SUBDIRECTORY) and holds_records(directory, file)


def run_directory(directory: str) -> str:
    """Return the directory of the run whose files stand in `directory`."""
    own = directory.endswith(os.sep + SUBDIRECTORY)
    return directory[: -len(SUBDIRECTORY) - 1] if own else directory


def session_of(file: str) -> Session:
    """Return the session that a file of this name belongs to."""
    parts = file.split(".")
    if file.startswith(_PREFIX) and len(parts) >= 4:
        return Session(f"{parts[1]}.{parts[2]}", _number(parts[1]) / 1000)
    return Session(file, _number(parts[3]) if len(parts) > 3 else 0.0)


def tokens_tag(digest: bytes) -> str:
    """Return the tag under which tokens are stored."""
    return f"{_TOKENS}{digest.hex()}"


def tokens_digest(tag: str) -> bytes | None:
    """Return the hash that a tag of tokens holds, or None."""
    try:
        return bytes.fromhex(tag.removeprefix(_TOKENS))
    except ValueError:
        return None


def _number(text: str) -> float:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0.0
