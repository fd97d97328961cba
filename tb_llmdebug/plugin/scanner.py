"""The background thread that keeps the index fresh."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

WATCHED_SECONDS = 1.0
"""between scans while somebody looks at the page"""
IDLE_SECONDS = 10.0
"""between scans otherwise"""
LOOKING_SECONDS = 30.0
"""so long after its last request a page counts as looked at"""
LONGEST_PAUSE = 60.0
LARGEST_SHARE = 0.2
"""of one core that scanning may take"""

_log = logging.getLogger(__name__)


class Scanner:
    """Calls `refresh` again and again, more often while somebody looks.

    Args:
        refresh: reads what is new.
        prepare: makes what will be asked for first, after the first scan and while somebody looks.
    """

    def __init__(self, refresh: Callable[[], None], prepare: Callable[[], None] = lambda: None) -> None:
        self._refresh = refresh
        self._prepare = prepare
        self.first_scan_is_running = True
        self._asked = 0.0
        self._wake = threading.Event()

    def start(self) -> None:
        """Start scanning on a daemon thread."""
        threading.Thread(target=self._run, name="llmdebug-scanner", daemon=True).start()

    def wake(self) -> None:
        """Say that somebody looks at the page."""
        was_idle = time.monotonic() - self._asked > LOOKING_SECONDS
        self._asked = time.monotonic()
        if was_idle:
            self._wake.set()

    def _run(self) -> None:
        while True:
            started = time.monotonic()
            self._try(self._refresh)
            first, self.first_scan_is_running = self.first_scan_is_running, False
            if first or self._is_watched():
                self._try(self._prepare)
            now = time.monotonic()
            pause = WATCHED_SECONDS if self._is_watched() else IDLE_SECONDS
            self._wake.clear()
            self._wake.wait(min(max(pause, (now - started) / LARGEST_SHARE), LONGEST_PAUSE))

    def _is_watched(self) -> bool:
        return time.monotonic() - self._asked < LOOKING_SECONDS

    @staticmethod
    def _try(task: Callable[[], None]) -> None:
        try:
            task()
        except Exception:  # noqa: BLE001
            # One bad file must not end the watch over the others.
            _log.exception("scanning the logs failed")
