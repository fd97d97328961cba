"""The asynchronous writer that a training loop talks to."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from tb_llmdebug.records import AnomalyRecord, InvalidRecordError
from tb_llmdebug.records.redaction import Record, Redact
from tb_llmdebug.wire.event import event_bytes
from tb_llmdebug.writing.active import activated
from tb_llmdebug.writing.files import RecordFiles
from tb_llmdebug.writing.losses import Losses
from tb_llmdebug.writing.once import Once
from tb_llmdebug.writing.worker import Worker

if TYPE_CHECKING:
    from tb_llmdebug.writing.emitter import Emitter

Build = Callable[[], Iterable[Record]]
EXIT_SECONDS = 30.0
"""how long the end of the process waits for queued records"""


@dataclass(frozen=True)
class WriterStatus:
    """What a writer has done so far."""

    written: int = 0
    """records on disk, tokens not counted"""
    dropped_maps: int = 0
    """maps left out because the queue was full; their statistics were kept"""
    lost_records: int = 0
    """records that could not be written"""
    last_error: str = ""


class Writer:
    """Writes records in the background; no method raises because of the disk.

    The training loop hands over its arrays and goes on; statistics, compression and writing happen on one
    background thread. When `queue_bytes` are waiting, `on_full="drop"` leaves the map out and keeps its
    statistics: the background thread computes them while a quarter more of `queue_bytes` lasts, the caller's
    beyond that. `on_full="wait"` blocks instead.

    Once `flush()` has returned, killing the process loses nothing. Without it, what is lost is what waits: a
    record goes to the operating system as soon as those before it have.

    Where records could not be written, an anomaly "log.records_lost" says how many, as soon as the disk
    takes records again.

    Args:
        logdir: the run's directory.
        inline: write an ordinary TensorBoard event file instead of files of our own. TensorBoard then
            loads it whole, and keeps only a sample of the steps in its own views.
        queue_bytes: most bytes of arrays that may wait.
        on_full: "drop" or "wait".
        redact: called with every logged text before it is stored: tokens, labels, targets, messages. What
            records are found by is stored as given: their names, rules and methods.
        worker: number of this process among those that log into the same run at the same time, for
            example its rank. What they log under one name is shown as one series.

    Raises:
        InvalidRecordError: an argument is none of what is allowed.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import tb_llmdebug as llmdebug
        >>> uniform = np.full((1, 2, 4, 4), 0.25, np.float32)
        >>> with tempfile.TemporaryDirectory() as logdir:
        ...     with llmdebug.Writer(logdir) as writer:
        ...         accepted = llmdebug.log_attention("decoder", (uniform,), step=0)
        ...     accepted, writer.status().written
        (True, 1)
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        *,
        inline: bool = False,
        queue_bytes: int = 256 << 20,
        on_full: Literal["drop", "wait"] = "drop",
        redact: Redact | None = None,
        worker: int = 0,
    ) -> None:
        if on_full not in ("drop", "wait"):
            raise InvalidRecordError(f"on_full is {on_full!r}: use 'drop' or 'wait'.")
        if queue_bytes <= 0:
            raise InvalidRecordError(f"queue_bytes is {queue_bytes}: give a positive number of bytes.")
        if not 0 <= worker < 1 << 31:
            raise InvalidRecordError(f"worker is {worker}: give a number that is not negative.")
        if not isinstance(logdir, (str, os.PathLike)):
            raise InvalidRecordError(f"logdir is {logdir!r}: give the run's directory, such as 'logs/run'.")
        self.logdir = os.fspath(logdir)
        self._wait = on_full == "wait"
        self._files = RecordFiles(self.logdir, inline)
        self._redact = redact
        self._worker_number = worker
        self._emitter: Emitter | None = None
        self._losses = Losses()
        self.once = Once()
        """what was said and flagged already"""
        self._overflow = queue_bytes // 4
        self._worker = Worker(queue_bytes, name="llmdebug-writer")
        self._lock = threading.Lock()
        self._status = WriterStatus()
        self._closed = False
        self._place = ""
        _open_writers.add(self)
        # A writer that is forgotten takes its thread and its file with it.
        self._end = weakref.finalize(self, _abandon, self._worker, self._files)
        self._end.atexit = False

    def __repr__(self) -> str:
        status = self.status()
        closed = ", closed" if self._closed else ""
        return f"<Writer {self.logdir!r}: {status.written} written, {status.lost_records} lost{closed}>"

    def submit(self, build: Build, nbytes: int, without_map: Build | None = None) -> bool:
        """Queue the records that `build` makes; used by the `log_*` functions.

        Args:
            build: called on the background thread.
            nbytes: bytes of arrays that `build` holds.
            without_map: what is written instead when the queue is full. Made on the background thread while
                a quarter more than the queue lasts, on this thread otherwise; queued in any case.

        Returns:
            Whether a record was accepted.
        """
        if self._closed:
            message = f"the writer of {self.logdir} is closed: make a new one to log more."
            self.once.warn("closed", message, stacklevel=4)
            return False
        try:
            if self._worker.offer(lambda: self._write(build), nbytes, wait=self._wait):
                return True
            if without_map is None or self._closed:
                return False
            self._count(dropped_maps=1)
            if self._worker.offer(lambda: self._write(without_map), nbytes, beyond=self._overflow):
                return True
            records = list(without_map())
            return self._worker.offer(lambda: self._write(lambda: records), 0, always=True)
        except Exception as error:  # noqa: BLE001 - no thread can be started, no memory is left
            self._lose(error)
            return False

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was logged is written; returns whether it was in time.

        What could not be written is counted in `status()`.
        """
        return self._worker.drain(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Write what is queued and take no more. May be called twice."""
        if not self._closed:
            self._worker.offer(self._tell_losses, 0, always=True)
        self._closed = True
        if self._worker.close(timeout):
            self._files.close()

    def status(self) -> WriterStatus:
        """Return what was written, dropped and lost so far."""
        with self._lock:
            return self._status

    def as_default(self) -> AbstractContextManager[Writer]:
        """Make this the writer that `log_*` calls use inside the `with` block."""
        return activated(self)

    def __enter__(self) -> Writer:
        self._scope = self.as_default()
        return self._scope.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._scope.__exit__(kind, error, traceback)
        self.close()

    def _forget(self) -> None:
        """In the child of a fork: what waits is the parent's to write, and any lock may be held for ever."""
        self._end.detach()
        self._lock = threading.Lock()
        self._losses = Losses()
        self._worker = Worker(1, name="llmdebug-forked")
        self._worker.close()
        self._closed = True

    def _write(self, build: Build) -> None:
        """Run on the background thread; nothing may escape into it."""
        step: int | None = None
        try:
            for record in build():
                step = record.step
                self._tell_of_another(record)
                self._append(record)
                self._count(written=1)
        except BaseException as error:  # noqa: BLE001 - also an exit() in redact must not end the thread
            self._lose(error, step)
        else:
            self._tell_losses()

    def _tell_of_another(self, record: Record) -> None:
        """Say once if another open writer of this process logs the same into the same run.

        Nothing is lost, but no session has all steps. Anomalies are listed of all sessions.
        """
        if isinstance(record, AnomalyRecord):
            return
        self._place = self._place or os.path.realpath(self.logdir)
        key = (self._place, self._worker_number, type(record), record.name)
        other = _logging.setdefault(key, self)
        if other._closed:
            _logging[key] = self
        elif other is not self:
            _told.warn(
                self._place,
                f"two open writers log {record.name!r} into {self.logdir}, as two sessions, and the page "
                "shows one of them: close the first before making the second, or give each its own worker=.",
            )

    def _append(self, record: Record) -> None:
        if self._emitter is None:
            # Only now: the protobuf runtime would take a sixth of the time that the import may take.
            from tb_llmdebug.writing.emitter import Emitter

            self._emitter = Emitter(self._redact, self._worker_number)
        for encoded in self._emitter.encode(record):
            self._files.append(event_bytes(encoded))

    def _tell_losses(self) -> None:
        """Record what was lost, if anything was; on the background thread."""
        lost = self._losses.take()
        if lost is None:
            return
        count, record = lost
        try:
            self._append(record)
        except BaseException as error:  # noqa: BLE001 - as above
            self._losses.put_back(count, record, error)

    def _lose(self, error: BaseException, step: int | None = None) -> None:
        self._losses.add(error, step)
        self._count(lost_records=1, last_error=f"{type(error).__name__}: {error}")
        self.once.warn(
            "lost",
            f"a record for {self.logdir} was lost ({error}); training goes on, later losses are only "
            "counted in status().",
        )

    def _count(
        self, written: int = 0, dropped_maps: int = 0, lost_records: int = 0, last_error: str = ""
    ) -> None:
        with self._lock:
            old = self._status
            self._status = replace(
                old,
                written=old.written + written,
                dropped_maps=old.dropped_maps + dropped_maps,
                lost_records=old.lost_records + lost_records,
                last_error=last_error or old.last_error,
            )


def _abandon(worker: Worker, files: RecordFiles) -> None:
    worker.close(0)
    files.close()


_open_writers: weakref.WeakSet[Writer] = weakref.WeakSet()
_logging: weakref.WeakValueDictionary[tuple[str, int, type, str], Writer] = weakref.WeakValueDictionary()
"""by run, worker, kind and name"""
_told = Once()


def _forget_in_child() -> None:
    for writer in list(_open_writers):
        writer._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


@atexit.register
def _close_at_exit() -> None:
    for writer in list(_open_writers):
        writer.close(EXIT_SECONDS)
