"""One line that tells how far the whole demo is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

SECONDS_BETWEEN_LINES_IN_A_LOG = 10.0


class Advance(Protocol):
    """Called after each training step."""

    def __call__(self, run: str, loss: float) -> None:
        """Move on by one step of `run`, which had this training loss."""


@contextmanager
def progress_bar(steps: int) -> Iterator[Advance]:
    """Show a bar over all steps of all runs; written to a file, it is written seldom."""
    seldom = not sys.stderr.isatty()
    pause = SECONDS_BETWEEN_LINES_IN_A_LOG if seldom else 0.2
    with tqdm(total=steps, unit="step", mininterval=pause, ascii=seldom, dynamic_ncols=True) as bar:

        def advance(run: str, loss: float) -> None:
            bar.set_postfix_str(f"loss {loss:.2f}", refresh=False)
            bar.set_description(run, refresh=False)
            bar.update(1)

        yield advance
