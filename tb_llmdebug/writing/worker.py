"""One background thread and a queue bounded in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]
LOOK_SECONDS = 0.05
"""how long a job may wait before the thread looks for it: to wake a sleeping thread takes longer than a whole
log call, and the caller would pay for it"""


class Worker:
    """Runs jobs one after the other on a daemon thread that starts with the first.

    A job must not raise: the worker has nobody to tell.
    """

    def __init__(self, capacity: int, name: str) -> None:
        self._capacity = capacity
        self._name = name
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Job, int]] = deque()
        self._held = 0
        self._taken = 0
        self._done = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def offer(
        self, job: Job, nbytes: int, *, wait: bool = False, always: bool = False, beyond: int = 0
    ) -> bool:
        """Queue `job`, which holds `nbytes` until it has run; returns whether it was taken.

        A job larger than the whole queue is taken when the queue is empty. With `wait` the call blocks
        until there is room; with `always` the bound is not asked; `beyond` is added to it for this job.
        """
        with self._changed:
            while not (always or self._closed or self._has_room(nbytes, beyond)):
                if not wait:
                    return False
                self._changed.notify_all()
                self._changed.wait()
            if self._closed:
                return False
            self._start()
            self._jobs.append((job, nbytes))
            self._held += nbytes
            self._taken += 1
            if self._held > self._capacity // 4:
                self._changed.notify_all()
            return True

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until the jobs taken so far have run; returns whether that happened in time."""
        with self._changed:
            taken = self._taken
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= taken, timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Take no more jobs and drain."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        return self.drain(timeout)

    def _has_room(self, nbytes: int, beyond: int) -> bool:
        return self._held == 0 or self._held + nbytes <= self._capacity + beyond

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closed:
                        return
                    self._changed.wait(LOOK_SECONDS)
                job, nbytes = self._jobs.popleft()
            job()
            # The job holds the arrays: let go of it before saying that the room is free.
            del job
            with self._changed:
                self._held -= nbytes
                self._done += 1
                self._changed.notify_all()
