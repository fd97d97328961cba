"""Batches of token ids: windows of running text, and texts of unequal length padded on the left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Batch:
    """Token ids with the mask that says which of them are real.

    ids:  [batch, tokens] int32
    mask: [batch, tokens] int32, 1 = real, 0 = padding
    """

    ids: Ints
    mask: Ints

    def __post_init__(self) -> None:
        if self.ids.ndim != 2 or self.ids.shape != self.mask.shape:
            raise ValueError(
                f"ids and mask must both be [batch, tokens]; got {self.ids.shape} and {self.mask.shape}."
            )

    def padding_share(self) -> float:
        """Say which part of the batch is padding."""
        return float(1.0 - self.mask.mean())


def left_pad(sequences: Sequence[Sequence[int]], width: int, padding_id: int) -> Batch:
    """Put each sequence at the right edge; what is longer than `width` loses its end."""
    ids = np.full((len(sequences), width), padding_id, np.int32)
    mask = np.zeros((len(sequences), width), np.int32)
    for row, sequence in enumerate(sequences):
        kept = sequence[:width]
        if kept:
            ids[row, -len(kept) :] = kept
            mask[row, -len(kept) :] = 1
    return Batch(ids, mask)


def random_windows(stream: Ints, width: int, batch: int, generator: np.random.Generator) -> Iterator[Batch]:
    """Cut windows at random places of one long text, for ever; nothing is padded."""
    if len(stream) < width:
        raise ValueError(f"The text has {len(stream)} tokens; at least {width} are needed.")
    while True:
        starts = generator.integers(0, len(stream) - width + 1, size=batch)
        ids = np.stack([stream[start : start + width] for start in starts])
        yield Batch(ids, np.ones_like(ids))


def consecutive_windows(stream: Ints, width: int, batch: int) -> list[Batch]:
    """Cut a text into windows side by side, for evaluation; a short rest is dropped."""
    windows = stream[: len(stream) // width * width].reshape(-1, width)
    chunks = [windows[start : start + batch] for start in range(0, len(windows), batch)]
    return [Batch(ids, np.ones_like(ids)) for ids in chunks]


def shuffled_batches(
    sequences: Sequence[Sequence[int]],
    width: int,
    batch: int,
    padding_id: int,
    generator: np.random.Generator,
) -> Iterator[Batch]:
    """Go through the sequences in a new order each time, for ever; batches are always full."""
    if len(sequences) < batch:
        raise ValueError(f"There are {len(sequences)} texts; at least {batch} are needed.")
    while True:
        order = generator.permutation(len(sequences))
        for start in range(0, len(order) - batch + 1, batch):
            chosen = [sequences[index] for index in order[start : start + batch]]
            yield left_pad(chosen, width, padding_id)


def ordered_batches(
    sequences: Sequence[Sequence[int]], width: int, batch: int, padding_id: int
) -> list[Batch]:
    """Cut the sequences into batches as they stand, for evaluation; a short rest is dropped."""
    last = len(sequences) - len(sequences) % batch
    return [left_pad(sequences[start : start + batch], width, padding_id) for start in range(0, last, batch)]
