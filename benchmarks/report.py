"""How figures are taken and printed."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure beside what it is held against."""

    name: str
    value: str
    target: str = ""


def print_figures(title: str, figures: list[Figure]) -> None:
    """Print a table of figures, in Markdown."""
    rows = [(figure.name, figure.value, figure.target or "-") for figure in figures]
    widths = [
        max(len(row[column]) for row in [*rows, ("figure", "measured", "target")]) for column in range(3)
    ]
    print(f"\n## {title}\n")
    for row in [("figure", "measured", "target"), tuple("-" * width for width in widths), *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def times_of(call: Callable[[], object], repeat: int, warm: int = 2) -> list[float]:
    """Return the seconds that each of `repeat` calls took, after `warm` calls that do not count."""
    for _ in range(warm):
        call()
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken


def median(taken: list[float]) -> float:
    """Return the median."""
    return statistics.median(taken)


def percentile(taken: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(taken)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def seconds(value: float) -> str:
    """Return a time as people read it.

    Example:
        >>> seconds(0.00123), seconds(2.5)
        ('1.23 ms', '2.5 s')
    """
    if value < 1e-3:
        return f"{value * 1e6:.3g} us"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def peak_memory(process: int | str = "self") -> float:
    """Return the most bytes that a process has held in memory; NaN where that is not told (not Linux).

    `getrusage` would not do: there a program starts with the peak of the one that started it.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except FileNotFoundError:
        return math.nan
    return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("VmHWM:"))


def size(value: float) -> str:
    """Return a size as people read it.

    Example:
        >>> size(9_437_184)
        '9.44 MB'
    """
    if value >= 1e9:
        return f"{value / 1e9:.3g} GB"
    return f"{value / 1e6:.3g} MB" if value >= 1e6 else f"{value / 1e3:.3g} kB"
