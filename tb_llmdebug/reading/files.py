"""The files of a log directory: which there are, and reading ranges of them.

Symbolic links: directories are followed, because TensorBoard follows them and proposes trees of links for
logs that lie in several places. A link in the place of a record file is followed only if it leads to a
file below the log directory or below the directory that it stands in: whoever may write into a log
directory must not be able to have any file of the machine read.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tb_llmdebug.wire import names

MOST_VISITS = 64
"""so many names one directory may have through links; more is a maze, not a log directory"""
_FLAGS = (
    os.O_RDONLY
    # Opening a FIFO that somebody put here must not wait for a writer.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class NotReadableError(Exception):
    """A file is not read, for a reason that is no fault of the disk; one sentence without its subject."""


class Opened(Protocol):
    """One open file."""

    size: int
    modified: float
    """seconds since the epoch"""
    identity: Hashable
    """differs between two files of the same name; None where the file system cannot tell"""
    version: Hashable
    """differs whenever the content does; None where the file system cannot tell"""

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset`, or fewer where the file ends."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file that may hold records."""

    run: str
    """the run's directory relative to the root, "." for the root itself"""
    path: str


class Files(Protocol):
    """A root directory somewhere."""

    root: str
    """as it was given"""
    base: str
    """what the paths of its files start with"""

    def listed(self, failed: Callable[[str, str], None]) -> Iterator[Listed]:
        """Yield the files that may hold records; `failed(path, reason)` is told what cannot be listed."""

    def open(self, path: str) -> Opened:
        """Open one of them.

        Raises:
            OSError: it cannot be read.
            NotReadableError: it will not be read.
        """


class LocalFiles:
    """A directory of this machine.

    Example:
        >>> import tempfile
        >>> from tb_llmdebug.reading.files import LocalFiles
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(LocalFiles(folder).listed(print))
        []
    """

    def __init__(self, root: str) -> None:
        self.root = self.base = os.path.abspath(os.path.expanduser(root))

    def listed(self, failed: Callable[[str, str], None]) -> Iterator[Listed]:
        """Yield the files that may hold records, without opening any."""
        visits: dict[tuple[int, int], int] = {}
        pending = deque([(self.root, ".", frozenset[tuple[int, int]]())])
        while pending:
            directory, run, above = pending.popleft()
            try:
                status = os.stat(directory)
                place = (status.st_dev, status.st_ino)
                visits[place] = visits.get(place, 0) + 1
                if place in above or visits[place] > MOST_VISITS:
                    continue  # a link that leads back up, or a maze of links
                entries = sorted(os.scandir(directory), key=lambda entry: entry.name, reverse=True)
            except FileNotFoundError:
                continue
            except OSError as error:
                failed(directory, reason(error))
                continue
            base = names.run_directory(directory)
            owner = run if base == directory else os.path.relpath(base, self.root)
            for entry in entries:
                if _is_directory(entry):
                    below = entry.name if run == "." else os.path.join(run, entry.name)
                    # Links come last, so that a maze of them hides no directory that is really there.
                    put = pending.append if entry.is_symlink() else pending.appendleft
                    put((entry.path, below, above | {place}))
                elif names.holds_records(directory, entry.name):
                    yield Listed(owner, entry.path)

    def open(self, path: str) -> Opened:
        """Open one file; see `Files.open`."""
        return LocalFile(self._resolved(path))

    def _resolved(self, path: str) -> str:
        if not os.path.islink(path) and not names.is_record_file(path):
            return path
        real = os.path.realpath(path)
        # `plugins/llmdebug` itself may be a link too, so it vouches for nothing: its run does.
        homes = (self.root, names.run_directory(os.path.dirname(path)))
        if not any(_is_below(real, os.path.realpath(home)) for home in homes):
            raise NotReadableError("is a link that leads out of the log directory and was not read.")
        return real


class LocalFile:
    """A regular file of this machine, open for reading."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, _FLAGS)
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise NotReadableError("is not a regular file and was not read.")
        self.size = status.st_size
        self.modified = status.st_mtime
        self.identity: Hashable = (status.st_dev, status.st_ino)
        self.version: Hashable = (*self.identity, status.st_size, status.st_mtime_ns)

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes at `offset`, or fewer where the file ends."""
        data = _read_at(self._file, length, offset)
        while 0 < len(data) < length:  # one call reads at most 2 GiB
            more = _read_at(self._file, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


def reason(error: OSError) -> str:
    """Return what went wrong without naming a path.

    Example:
        >>> reason(PermissionError(13, "x", "/a/path"))
        'Permission denied'
    """
    return os.strerror(error.errno) if error.errno else "unknown error"


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip(os.sep) + os.sep)


def _seek_and_read(file: int, length: int, offset: int) -> bytes:
    os.lseek(file, offset, os.SEEK_SET)
    return os.read(file, length)


# Windows has no pread; each LocalFile is used by one thread at a time.
_read_at: Callable[[int, int, int], bytes] = getattr(os, "pread", _seek_and_read)
