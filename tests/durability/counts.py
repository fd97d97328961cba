"""How much of what is counted in thousands a run of the tests does: a share that takes seconds, or all.

`make soak` sets LLMDEBUG_SOAK=1, and the same tests then try everything.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

SOAKING = os.environ.get("LLMDEBUG_SOAK", "") not in ("", "0")


def count(share: int, full: int) -> int:
    """Return `full` under `make soak`, else `share`."""
    return full if SOAKING else share


def some_of(everything: Sequence[T], share: int) -> list[T]:
    """Return all of `everything` under `make soak`, else `share` of it, ends included."""
    if SOAKING or len(everything) <= share:
        return list(everything)
    chosen = set(random.Random(share).sample(range(len(everything)), share - 2))
    return [everything[place] for place in sorted(chosen | {0, len(everything) - 1})]
