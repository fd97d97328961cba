import numpy as np
import pytest

from llmdebug_demo.batches import (
    Batch,
    consecutive_windows,
    left_pad,
    ordered_batches,
    random_windows,
    shuffled_batches,
)


def test_padding_stands_on_the_left_and_long_texts_lose_their_end():
    batch = left_pad([[5, 6], [1, 2, 3, 4], []], width=3, padding_id=9)
    assert batch.ids.tolist() == [[9, 5, 6], [1, 2, 3], [9, 9, 9]]
    assert batch.mask.tolist() == [[0, 1, 1], [1, 1, 1], [0, 0, 0]]
    assert batch.padding_share() == pytest.approx(4 / 9)


def test_ids_and_mask_must_fit():
    with pytest.raises(ValueError, match=r"\[batch, tokens\]"):
        Batch(np.zeros((2, 3), np.int32), np.zeros((2, 4), np.int32))


def test_windows_are_real_text():
    stream = np.arange(100, dtype=np.int32)
    batch = next(random_windows(stream, 8, 4, np.random.default_rng(0)))
    assert (np.diff(batch.ids) == 1).all()
    assert batch.mask.all()
    windows = consecutive_windows(stream, 8, 5)
    assert np.concatenate([one.ids for one in windows]).reshape(-1).tolist() == list(range(96))
    with pytest.raises(ValueError, match="at least 101 are needed"):
        next(random_windows(stream, 101, 4, np.random.default_rng(0)))


def test_a_pass_shows_each_text_once_in_an_order_that_the_seed_decides():
    texts = [[number] for number in range(12)]

    def three_batches(seed):
        batches = shuffled_batches(texts, 1, 4, 99, np.random.default_rng(seed))
        return [next(batches).ids.reshape(-1).tolist() for _ in range(3)]

    assert sorted(number for batch in three_batches(0) for number in batch) == list(range(12))
    assert three_batches(0) == three_batches(0) != three_batches(1)
    assert [batch.ids.shape for batch in ordered_batches(texts, 1, 5, 99)] == [(5, 1), (5, 1)]
