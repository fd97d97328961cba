"""Log directories of other file systems (`gs://`, `s3://`, `http://` and more), through fsspec.

Only ranges are read, never whole files. Nothing is imported before a path with a scheme is opened.
"""

from __future__ import annotations

import errno
import posixpath
import time
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime
from typing import Any

from tb_llmdebug.reading.files import Listed, NotReadableError, Opened, reason
from tb_llmdebug.wire import names

READ_SECONDS = 60.0
"""so long one read may take, of 8 MiB at most; a network that is gone would be waited for much longer"""
SILENT_SECONDS = 20.0
"""so long a file that did not answer in time is not asked again: who reads it has many records to read"""


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
        self._silent: dict[str, float] = {}
        """until when a file is not asked, by its path"""

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
            return _RemoteFile(self, path, self._found.get(path, {}))
        except OSError:
            raise
        except Exception as error:
            raise NotReadableError(f"cannot be read: {_reason(error)}.") from error

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Return what a method of the file system says of a file.

        Raises:
            TimeoutError: it did not answer in time, or did not a moment ago.
            Exception: each file system raises errors of its own.
        """
        from fsspec.exceptions import FSTimeoutError

        if time.monotonic() < self._silent.get(path, 0.0):
            raise _no_answer()
        if getattr(self._system, "async_impl", False):
            # All others end a call by rules of their own.
            options["timeout"] = READ_SECONDS
        try:
            answer = getattr(self._system, method)(path, **options)
        except (TimeoutError, FSTimeoutError) as error:
            self._silent[path] = time.monotonic() + SILENT_SECONDS
            raise _no_answer() from error
        self._silent.pop(path, None)
        return answer


class _RemoteFile:
    """One file of a remote file system; every read is one request for a range."""

    def __init__(self, files: RemoteFiles, path: str, listed: dict[str, Any]) -> None:
        # Not every listing knows sizes.
        information = listed if listed.get("size") is not None else files.ask("info", path)
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
        self._files = files
        self._path = path

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset`, or fewer where the file ends."""
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        try:
            return bytes(self._files.ask("cat_file", self._path, start=offset, end=end))[: end - offset]
        except OSError:
            raise
        except Exception as error:
            raise OSError(_reason(error)) from error

    def close(self) -> None:
        """Nothing is held."""


def _no_answer() -> TimeoutError:
    return TimeoutError(errno.ETIMEDOUT, "no answer in time")


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
