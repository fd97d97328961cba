"""Records that could not be written, told in the log itself once it can be written again."""

from __future__ import annotations

import threading
import time

from tb_llmdebug.records import Anomaly, AnomalyRecord, Severity

RULE = "log.records_lost"


class Losses:
    """Counts what was lost since it was last told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._step = 0
        self._reason = ""

    def add(self, error: BaseException, step: int | None) -> None:
        """Count one record of `step`, None if that is not known."""
        with self._lock:
            if self._count == 0 or self._step == 0:
                self._step = step or 0
            self._count += 1
            self._reason = _reason(error)

    def take(self) -> tuple[int, AnomalyRecord] | None:
        """Return how many were lost and the record that says so, and count anew; None if none was."""
        with self._lock:
            count, step, reason = self._count, self._step, self._reason
            self._count = self._step = 0
        return (count, _record(count, step, reason)) if count else None

    def put_back(self, count: int, record: AnomalyRecord, error: BaseException) -> None:
        """Count again what `take` gave, because it could not be told."""
        with self._lock:
            self._count += count
            self._step = record.step
            self._reason = _reason(error)


def _record(count: int, step: int, reason: str) -> AnomalyRecord:
    records = "1 record" if count == 1 else f"{count} records"
    anomaly = Anomaly(
        rule=RULE,
        severity=Severity.WARNING,
        message=f"{records} from this step on could not be written: {reason}.",
        why="The steps that are missing were logged; they are not a fault of the model.",
        advice="Make room on the disk, or mend its path or permissions.",
        observed=float(count),
    )
    return AnomalyRecord("log", step, time.time(), anomaly)


def _reason(error: BaseException) -> str:
    """Return what went wrong without what the error quotes: that may be a text that was to be redacted."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
