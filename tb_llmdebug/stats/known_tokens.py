"""What statistics know of the tokens that attention looks from and at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class KnownTokens:
    """The keys of one example of self-attention.

    Args:
        identity: int [keys], equal numbers for equal tokens.
        special: bool [keys], True for special tokens; None = not known.
    """

    identity: npt.NDArray[np.integer]
    special: Mask | None = None

    def after_repeats(self, positions: npt.NDArray[np.intp], key_mask: Mask | None = None) -> Mask:
        """Return for each query the keys that follow an earlier occurrence of the query's own token.

        An induction head looks there: what came after this token last time (Olsson et al. 2022, "In-context
        learning and induction heads"). It is never the query itself, which follows its like in "a a".

        Args:
            positions: int [rows], the position of each query.
            key_mask: bool [keys], True = real; repeats of padding do not count.

        Returns:
            bool [rows, keys].

        Example:
            >>> import numpy as np
            >>> tokens = KnownTokens(np.array([7, 8, 7]))
            >>> tokens.after_repeats(np.array([0, 1, 2])).astype(int).tolist()
            [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
        """
        keys = np.arange(len(self.identity))
        same: Mask = self.identity[positions][:, None] == self.identity[None, :]
        same &= keys + 1 < positions[:, None]
        if key_mask is not None:
            same &= key_mask
        after = np.zeros(same.shape, bool)
        after[:, 1:] = same[:, :-1]
        return after
