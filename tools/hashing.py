"""A hash over named files: what tells whether a build is still that of its sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def hash_files(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the paths (relative to `root`) and contents of `files`, in any order given."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        name = file.relative_to(root).as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
