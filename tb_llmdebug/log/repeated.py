"""A probe on which the induction score says what it is named after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records import InvalidRecordError


def repeated_tokens(
    vocabulary: int | Sequence[int],
    length: int = 50,
    examples: int = 4,
    *,
    first: int | None = None,
    seed: int = 0,
) -> npt.NDArray[np.int64]:
    """Return token ids that are drawn at random and then come once more in the same order.

    An induction head is one that looks at what came after the present token last time. Random tokens have no
    other reason to look there, so on them the statistic `induction` is the prefix-matching score of Olsson et
    al. (2022, "In-context learning and induction heads"). No id comes twice before the repeat.

    Args:
        vocabulary: how many ids there are, or the ids to draw from, without special tokens.
        length: tokens before the repeat.
        examples: how many such sequences.
        first: id of a token to put before each, such as that of <s>; None = nothing.
        seed: the same ids at every step, so that steps can be compared.

    Returns:
        int64 [examples, 2 * length], one column more with `first`.

    Raises:
        InvalidRecordError: there are fewer ids than `length`.

    Example:
        >>> ids = repeated_tokens(1000, length=3, examples=1)[0].tolist()
        >>> ids[:3] == ids[3:]
        True
    """
    known = (
        np.arange(vocabulary) if isinstance(vocabulary, int) else np.unique(np.asarray(vocabulary, np.int64))
    )
    known = known[known != first] if first is not None else known
    if not 0 < length <= len(known):
        raise InvalidRecordError(
            f"{length} different tokens cannot be drawn from {len(known)}: pass a smaller length=."
        )
    generator = np.random.default_rng(seed)
    once = np.stack([generator.choice(known, length, replace=False) for _ in range(examples)])
    start = np.full((examples, 0 if first is None else 1), 0 if first is None else first)
    return np.concatenate([start, once, once], axis=1).astype(np.int64)
