"""What a check or a user found to be wrong, and what was checked."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tb_llmdebug.records.errors import InvalidRecordError


class Severity(enum.IntEnum):
    """How bad an anomaly is; the numbers are those on disk."""

    NONE = 0
    INFO = 1
    WARNING = 2
    ERROR = 3

    @classmethod
    def parse(cls, value: Severity | str) -> Severity:
        """Return the severity that `value` names.

        Raises:
            InvalidRecordError: `value` names none.

        Example:
            >>> Severity.parse("warning").name
            'WARNING'
        """
        if isinstance(value, Severity) and value is not Severity.NONE:
            return value
        name = str(value).upper()
        if name in ("INFO", "WARNING", "ERROR"):
            return cls[name]
        raise InvalidRecordError(f"severity is {value!r}: use 'info', 'warning' or 'error'.")


class CheckState(enum.IntEnum):
    """What became of a check; the numbers are those on disk."""

    NOT_CHECKED = 0
    PASSED = 1
    FAILED = 2


@dataclass(frozen=True)
class Check:
    """One check of a record; `reason` says why it was not made."""

    rule: str
    state: CheckState
    reason: str = ""


@dataclass(frozen=True)
class Anomaly:
    """One finding, with the worst place that shows it."""

    rule: str
    """dotted id, e.g. "attention.padding_attended" """
    severity: Severity
    message: str
    """what was seen, one sentence"""
    why: str = ""
    """why it matters, one sentence"""
    advice: str = ""
    """what to try, one sentence"""
    observed: float | None = None
    threshold: float | None = None
    example: int | None = None
    layer: int | None = None
    head: int | None = None
    query: int | None = None
    key: int | None = None
    heads_affected: int = 0
    heads_checked: int = 0

    def __post_init__(self) -> None:
        for field in ("message", "why", "advice"):
            if not isinstance(getattr(self, field), str):
                raise InvalidRecordError(f"{field} of an anomaly must be a text.")
        for field in ("example", "layer", "head", "query", "key"):
            place = getattr(self, field)
            if place is not None and not 0 <= place < 1 << 32:
                raise InvalidRecordError(f"{field} of an anomaly is {place}: count from 0.")


@dataclass(frozen=True)
class AnomalyRecord:
    """An anomaly logged by itself, as `log_anomaly` does."""

    name: str
    step: int
    wall_time: float
    anomaly: Anomaly
