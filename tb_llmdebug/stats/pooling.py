"""Maps of long contexts, pooled over blocks of weights while they pass by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class Pooling:
    """Largest and mean weight of each block of rows x columns, for the heads of one layer and example.

    Fed with pieces, so that the whole map never has to exist. NaN and infinities stay in the blocks that
    hold them. Rows of padding are left out: with a correct mask they look anywhere.

    Args:
        shape: heads, rows, keys of the whole.
        factors: rows and keys of one block.

    Example:
        >>> import numpy as np
        >>> pooling = Pooling((1, 2, 4), (2, 2))
        >>> pooling.add(np.array([[[1, 0, 0, 0], [0.5, 0.5, 0, 0]]], np.float32), slice(0, 1), first_row=0)
        >>> pooling.max().tolist(), pooling.mean().tolist()
        ([[[1.0, 0.0]]], [[[0.5, 0.0]]])
    """

    def __init__(self, shape: tuple[int, int, int], factors: tuple[int, int]) -> None:
        heads, rows, keys = shape
        self.factors = factors
        self._rows, self._keys = rows, keys
        shape = heads, -(-rows // factors[0]), -(-keys // factors[1])
        self._max = np.full(shape, -np.inf, np.float32)
        self._sums = np.zeros(shape, np.float32)
        self._fed = np.zeros(shape[:2], bool)

    @property
    def shape(self) -> tuple[int, ...]:
        """Heads, rows and columns of blocks."""
        return self._max.shape

    def add(
        self,
        weights: Floats,
        heads: slice,
        first_row: int,
        real: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Take a piece in, each row once; pieces of nothing but zeros may be left out.

        Args:
            weights: float32 [heads, rows, keys], all keys of consecutive rows.
            heads: which heads these are.
            first_row: which row the first one is.
            real: bool [rows], False for padding; None = all real.
        """
        if real is not None and not real.all():
            weights = np.where(real[:, None], weights, np.float32(0))
        row, column = self.factors
        blocks = (first_row + np.arange(weights.shape[1])) // row
        starts = np.flatnonzero(np.append(True, blocks[1:] != blocks[:-1]))
        columns = np.arange(0, self._keys, column)
        place = slice(int(blocks[0]), int(blocks[-1]) + 1)
        with np.errstate(invalid="ignore", over="ignore"):
            maxima = _reduce(np.maximum, weights, starts, columns)
            self._max[heads, place] = np.maximum(self._max[heads, place], maxima)
            self._fed[heads, place] = True
            self._sums[heads, place] += _reduce(np.add, weights, starts, columns)

    def coarser(self, factors: tuple[int, int]) -> Pooling:
        """Return the same, pooled further to blocks of `factors`, multiples of the present ones."""
        row, column = factors[0] // self.factors[0], factors[1] // self.factors[1]
        found = Pooling.__new__(Pooling)
        found.factors, found._rows, found._keys = factors, self._rows, self._keys
        rows, columns = (
            np.arange(0, size, step) for size, step in zip(self.shape[1:], (row, column), strict=True)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            found._max = _reduce(np.maximum, self._max, rows, columns)
            found._sums = _reduce(np.add, self._sums, rows, columns)
        found._fed = np.logical_or.reduceat(self._fed, rows, axis=1)
        return found

    def max(self) -> Floats:
        """Return the largest weight of each block, float32 [heads, rows, columns]; 0 where none was given."""
        return np.where(self._fed[:, :, None], self._max, np.float32(0))

    def mean(self, real: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Return the mean weight of each block, float32 [heads, rows, columns]; 0 where no row is real.

        Args:
            real: bool [rows of the whole], False for padding, as it was given to `add`.
        """
        heights = np.ones(self._rows, np.int64) if real is None else real.astype(np.int64)
        heights = np.add.reduceat(heights, np.arange(0, self._rows, self.factors[0]))
        widths = np.diff(np.append(np.arange(0, self._keys, self.factors[1]), self._keys))
        counts = np.broadcast_to(heights[:, None] * widths, self._sums.shape)
        mean = np.zeros_like(self._sums)
        np.divide(self._sums, counts, out=mean, where=counts > 0)
        return mean


def _reduce(
    operation: np.ufunc, values: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> Floats:
    # Keys first: they are contiguous, and what is left is small.
    reduced: Floats = operation.reduceat(operation.reduceat(values, columns, axis=2), rows, axis=1)
    return reduced
