"""Log directories of other file systems (`gs://`, `s3://`, `http://` and more), through fsspec.

Only ranges are read, never whole files. Nothing is imported before a path with a scheme is opened.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime
from typing import Any

from tb_llmdebug.reading.files import Listed, NotReadableError, Opened, reason
from tb_llmdebug.wire import names


class NoFileSystemError(ValueError):
    """No file system can be had for a path; one sentence that says what to do."""


class RemoteFiles:
    """A directory that fsspec reaches.

    Raises:
        NoFileSystemError: fsspec or the file system's own package is not installed, or knows no such scheme.

    Example:
        >>> RemoteFiles("nonsense://logs")
        Traceback (most recent call last):
        tb_llmdebug.reading.remote.NoFileSystemError: nonsense://logs cannot be read: ...
    """

    def __init__(self, root: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise NoFileSystemError(
                f"{root} cannot be read without fsspec: pip install 'tb-llmdebug[remote]'."
            ) from None
        try:
            # Each refresh has to see what is there now.
            self._system, path = url_to_fs(root, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise NoFileSystemError(f"{root} cannot be read: {error}") from None
        self.root = root
        self.base = str(path).rstrip("/")
        self._found: dict[str, dict[str, Any]] = {}
        """what the last listing said of each file"""

    def listed(self, failed: Callable[[str, str], None]) -> Iterator[Listed]:
        """Yield the files that may hold records, without opening any."""
        found: dict[str, dict[str, Any]] = {}
        try:
            self._system.invalidate_cache()
            if _lists_flat(self._system):
                found = self._system.find(self.base, detail=True)
            else:
                # `find` would pass over what cannot be listed, and its runs would vanish.
                for _, _, files in self._system.walk(self.base, detail=True, on_error=_raise_unless_gone):
                    found.update({information["name"]: information for information in files.values()})
        except FileNotFoundError:
            pass
        except Exception as error:  # noqa: BLE001 - each file system raises errors of its own
            failed(self.base, _reason(error))
            return
        self._found = found
        for path in sorted(found):
            directory, name = posixpath.split(path)
            if names.holds_records(directory, name):
                base = names.run_directory(directory)
                yield Listed(posixpath.relpath(base, self.base or "."), path)

    def open(self, path: str) -> Opened:
        """Open one file; see `Files.open`."""
        try:
            return _RemoteFile(self._system, path, self._found.get(path, {}))
        except OSError:
            raise
        except Exception as error:
            raise NotReadableError(f"cannot be read: {_reason(error)}.") from error


class _RemoteFile:
    """One file of a remote file system; every read is one request for a range."""

    def __init__(self, system: Any, path: str, listed: dict[str, Any]) -> None:
        # Not every listing knows sizes.
        information = listed if listed.get("size") is not None else system.info(path)
        if information.get("type") != "file" or information.get("islink"):
            raise NotReadableError("is not a regular file and was not read.")
        size = information.get("size")
        if size is None:
            raise NotReadableError("has no known size and was not read.")
        self.size = int(size)
        self.modified = _modified(information)
        # Growing means being replaced on most of these; the scan knows a file again by its content.
        self.identity: Hashable = None
        tag = information.get("etag") or information.get("ETag") or self.modified
        self.version: Hashable = (self.size, tag) if tag else None
        self._system = system
        self._path = path

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset`, or fewer where the file ends."""
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        try:
            return bytes(self._system.cat_file(self._path, start=offset, end=end))[: end - offset]
        except OSError:
            raise
        except Exception as error:
            raise OSError(_reason(error)) from error

    def close(self) -> None:
        """Nothing is held."""


def _lists_flat(system: Any) -> bool:
    """Return whether a file system has a way of its own to list everything below a directory at once."""
    from fsspec.asyn import AsyncFileSystem
    from fsspec.spec import AbstractFileSystem

    if isinstance(system, AsyncFileSystem):
        return type(system)._find is not AsyncFileSystem._find
    return type(system).find is not AbstractFileSystem.find


def _raise_unless_gone(error: Exception) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _modified(information: dict[str, Any]) -> float:
    """Return when a file was last written; file systems call it differently, and some do not know."""
    for key in ("mtime", "LastModified", "updated", "last_modified", "modified", "created"):
        value = information.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    return 0.0


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return reason(error)
    return type(error).__name__
