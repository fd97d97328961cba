"""What came of the runs, as a table."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import tb_llmdebug as llmdebug
from llmdebug_demo.training import Outcome

COLUMNS = ("run", "held-out loss before", "after", "as its own loop calls it", "flags")


@dataclass(frozen=True)
class Row:
    """One run: its losses, and how many flags the data checks raised, by rule."""

    outcome: Outcome
    flags: dict[str, int]


def seen_flags(run: Path) -> dict[str, int]:
    """Read the run back and count by rule the steps at which it spoke, under whatever name."""
    logdir = llmdebug.open_logdir(run)
    seen = {(anomaly.rule, step) for name in logdir.runs for step, anomaly in logdir.anomalies(name)}
    return dict(Counter(rule for rule, _ in seen))


def format_table(rows: list[Row]) -> str:
    """Set the rows in columns; losses in nats per real token."""
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join(line.rstrip() for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    flags = ", ".join(f"{rule} x {count}" for rule, count in sorted(row.flags.items()))
    return (
        row.outcome.name,
        f"{row.outcome.before:.3f}",
        f"{row.outcome.after:.3f}",
        f"{row.outcome.as_trained:.3f}",
        flags or "none",
    )
