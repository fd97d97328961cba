"""Copies in memory that is used again: never while somebody still sees it."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from tb_llmdebug.capture.buffers import LARGEST, SMALLEST, BufferPool

ORIGINAL = np.arange(64 * 128, dtype=np.float32).reshape(2, 32, 128)


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "bool", "int32"])
def test_a_copy_equals_its_original_and_shares_nothing_with_it(dtype: str) -> None:
    pool = BufferPool(1 << 20)
    for original in (
        ORIGINAL.astype(dtype),
        ORIGINAL.astype(dtype)[:, ::2],
        ORIGINAL.astype(dtype).swapaxes(1, 2),
        ORIGINAL.astype(dtype)[:, :0],
    ):
        copy = pool.copy(original)
        assert copy.dtype == original.dtype and np.array_equal(copy, original)
        assert copy.flags.c_contiguous and copy.flags.writeable
        assert not np.shares_memory(copy, original)


def test_a_read_only_array_and_bfloat16_are_copied() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    original = np.ones((64, 256), ml_dtypes.bfloat16)
    original.setflags(write=False)
    assert np.array_equal(BufferPool(1 << 20).copy(original), original)


def test_memory_comes_back_only_when_the_last_view_has_ended() -> None:
    pool = BufferPool(1 << 20)
    first = pool.copy(ORIGINAL)
    where, view = address(first), first[1:].reshape(-1)[::3]
    del first
    second = pool.copy(ORIGINAL)
    assert address(second) != where
    assert np.array_equal(view, ORIGINAL[1:].reshape(-1)[::3])
    del view
    gc.collect()
    assert address(pool.copy(ORIGINAL)) == where


def test_several_copies_share_a_block_until_the_last_of_them_has_ended() -> None:
    pool = BufferPool(1 << 20)
    originals = [ORIGINAL, ORIGINAL[:, :3].astype(np.float64), ORIGINAL[:1, :1, :5] + 1, ORIGINAL[:, ::2]]
    copies = pool.copies(originals)
    assert all(np.array_equal(copy, original) for copy, original in zip(copies, originals, strict=True))
    assert not any(np.may_share_memory(a, b) for a in copies for b in copies if a is not b)
    last = copies.pop()
    del copies
    assert pool.idle_bytes == 0
    assert np.array_equal(last, originals[-1])
    del last
    assert pool.idle_bytes >= sum(original.nbytes for original in originals)


def test_a_block_is_no_larger_than_it_needs_to_be() -> None:
    pool = BufferPool(1 << 30)
    quarter = np.zeros(LARGEST // 4 + 1, np.uint8)
    copies = pool.copies([quarter] * 7)
    del copies[0]
    assert pool.idle_bytes == 0
    del copies[:2]
    assert 3 * quarter.nbytes <= pool.idle_bytes <= LARGEST
    assert pool.copies([]) == []


def test_what_lies_idle_is_bounded_and_sizes_of_long_ago_go_first() -> None:
    pool = BufferPool(3 * ORIGINAL.nbytes)
    copies = [pool.copy(ORIGINAL) for _ in range(6)]
    del copies
    assert pool.idle_bytes == 3 * ORIGINAL.nbytes
    small = ORIGINAL[:1]
    several = [pool.copy(small) for _ in range(6)]
    addresses = {address(copy) for copy in several}
    del several
    assert pool.idle_bytes == 3 * ORIGINAL.nbytes
    assert {address(copy) for copy in [pool.copy(small) for _ in range(6)]} == addresses


def test_little_arrays_are_left_to_numpy() -> None:
    pool = BufferPool(1 << 20)
    pool.copy(np.zeros(SMALLEST // 8 - 1))
    assert pool.idle_bytes == 0


def test_copies_of_many_threads_never_share_memory() -> None:
    pool, wrong = BufferPool(8 * ORIGINAL.nbytes), []

    def work(number: int) -> None:
        original = np.full_like(ORIGINAL, number)
        for _ in range(300):
            held = [pool.copy(original) for _ in range(3)]
            wrong.extend(1 for copy in held if not (copy == number).all())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert 0 <= pool.idle_bytes <= 8 * ORIGINAL.nbytes
