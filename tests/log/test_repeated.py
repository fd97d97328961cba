"""Random tokens that come twice, and what the induction score says of heads on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.records import InvalidRecordError
from tb_llmdebug.stats import STATISTICS


def test_tokens_come_twice_in_the_same_order_and_no_other_way() -> None:
    ids = llmdebug.repeated_tokens(range(5, 40), length=30, examples=3, first=7)
    assert ids.shape == (3, 61) and (ids[:, 0] == 7).all()
    assert (ids[:, 1:31] == ids[:, 31:]).all()
    assert all(len(set(row[:31].tolist())) == 31 for row in ids)
    assert ids.min() >= 5 and len({tuple(row) for row in ids.tolist()}) == 3
    np.testing.assert_array_equal(ids, llmdebug.repeated_tokens(range(5, 40), 30, 3, first=7))
    with pytest.raises(InvalidRecordError, match="smaller length="):
        llmdebug.repeated_tokens(10, length=11)


def test_an_induction_head_scores_1_and_others_what_they_put_there(tmp_path: Path) -> None:
    ids = llmdebug.repeated_tokens(100, length=10, examples=2, first=0)
    n = ids.shape[1]
    rows = np.arange(n)
    heads = np.zeros((2, 4, n, n), np.float32)
    heads[:, 0, rows, np.where(rows > 10, rows - 9, 0)] = 1  # after the token's first occurrence
    heads[:, 1, rows, np.where(rows > 10, rows - 10, 0)] = 1  # the occurrence itself
    heads[:, 2, rows, rows] = 1
    heads[:, 3] = np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]
    with llmdebug.Writer(tmp_path):
        tokens = [[str(token) for token in row] for row in ids]
        assert llmdebug.log_attention("induction", (heads,), tokens=tokens, causal=True, step=0)
    stored = llmdebug.open_logdir(tmp_path).attention(".", "induction", step=0)
    score = stored.statistics(0, 1)[:, STATISTICS.index("induction")]
    even = np.mean([1 / (row + 1) for row in range(11, n)])
    np.testing.assert_allclose(score, [1, 0, 0, even], atol=1e-6)


def test_a_token_beside_its_like_is_not_what_came_after_it(tmp_path: Path) -> None:
    heads = np.stack([np.eye(4), np.eye(4, k=-1)]).astype(np.float32)
    heads[1, 0, 0] = 1
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_attention("text", (heads[None],), tokens=[["a", "a", "a", "b"]], step=0)
    stored = llmdebug.open_logdir(tmp_path).attention(".", "text", step=0)
    score = stored.statistics(0)[:, STATISTICS.index("induction")]
    # Only the third "a" has an earlier one with another token behind it: the second.
    np.testing.assert_array_equal(score, [0, 1])
