"""Damage at any place: what is left is right, and what is lost is told."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tensorboard.compat.proto import event_pb2

import tb_llmdebug as llmdebug
from tb_llmdebug.wire import tfrecord
from tests.durability.counts import count, some_of
from tests.durability.runs import LAYOUTS, Readable, read_everything, starts_of, write_layout


class Original(NamedTuple):
    """A run as it was written."""

    root: Path
    file: Path
    data: bytes
    records: list[tuple[int, int]]
    whole: Readable


@pytest.fixture(scope="module", params=LAYOUTS)
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Original:
    root = tmp_path_factory.mktemp(request.param)
    file = write_layout(root, request.param)
    whole = read_everything(root)
    assert not whole.problems and not whole.refused
    return Original(root, file, file.read_bytes(), starts_of(file), whole)


def damaged(original: Original, data: bytes, whole_records: bool = False) -> Readable:
    """Read the run with `data` in place of its file; whatever is read must be what was written.

    With `whole_records` the file ends where a record does: that more were written can nobody know.
    """
    original.file.write_bytes(data)
    os.utime(original.file, (1, 1))  # what is cut off is told once nobody writes any more
    found = read_everything(original.root)
    told = bool(found.problems)
    for key, value in found.values.items():
        assert key in original.whole.values, f"{key} was never written"
        if value != original.whole.values[key]:
            # Tokens are records of their own: a map may be shown without them, and the loss is told.
            assert told and without_tokens(value, original.whole.values[key]), f"{key} reads as another value"
    lost = original.whole.values.keys() - found.values.keys() - found.refused
    assert told or whole_records or not lost, f"{lost} is lost and nobody is told"
    return found


def without_tokens(value: object, whole: object) -> bool:
    """Return whether `value` is `whole` but for tokens that are missing."""
    if isinstance(value, bytes):
        return isinstance(whole, bytes) and len(value) < len(whole)
    if isinstance(value, tuple) and isinstance(whole, tuple) and len(value) == len(whole):
        return all(a == b or without_tokens(a, b) for a, b in zip(value, whole, strict=True))
    return value == "None" and isinstance(whole, tuple) and whole[:1] == ("Tokens",)


def untouched(original: Original, places: set[int]) -> set[tuple[int, int]]:
    return {(a, b) for a, b in original.records if not any(a <= place < b for place in places)}


def test_truncation_at_every_byte_of_the_end(original: Original) -> None:
    size = len(original.data)
    between_records = [last for _, last in original.records[:-1] if last >= size - 4096]
    for end in {*some_of(range(size - 4096, size), count(30, 4096)), *between_records}:
        check_cut(original, end)


def test_truncation_at_random_offsets(original: Original) -> None:
    generator = random.Random(2000)
    for _ in range(count(40, 2000)):
        check_cut(original, generator.randrange(len(original.data)))


def check_cut(original: Original, end: int) -> None:
    ends = [last for _, last in original.records]
    on_an_edge = end in ends or end in (first for first, _ in original.records) or end == 0
    found = damaged(original, original.data[:end], whole_records=on_an_edge)
    assert len(starts_of(original.file)) == sum(last <= end for last in ends)
    assert bool(found.problems) is not on_an_edge


def flips(original: Original, bits: Iterator[int] | list[int]) -> Iterator[tuple[int, Readable]]:
    for bit in bits:
        data = bytearray(original.data)
        data[bit // 8] ^= 1 << bit % 8
        yield bit, damaged(original, bytes(data))


def test_every_bit_of_record_headers(original: Original) -> None:
    headers = [8 * first + bit for first, _ in original.records for bit in range(8 * tfrecord.HEADER_BYTES)]
    for bit, found in flips(original, some_of(headers, 40)):
        assert found.problems
        kept = {(first, last) for first, last in starts_of(original.file)}
        assert kept == untouched(original, {bit // 8})


def test_every_bit_before_the_payload(original: Original) -> None:
    """Where tag, step, kind and what was found stand: the index shows them without reading the payload."""
    first, last = max(original.records, key=lambda span: span[1] - span[0])
    start = first + tfrecord.HEADER_BYTES
    edges = [*range(8 * start, 8 * (start + 160)), *range(8 * (last - 160), 8 * last)]
    for _, found in flips(original, some_of(edges, 90)):
        assert found.problems or found.refused


def test_random_bits_of_payloads(original: Original) -> None:
    """Half of them in small records, which take little of the file."""
    generator = random.Random(5000)
    small = [span for span in original.records if span[1] - span[0] < 4096]

    def bit() -> int:
        first, last = generator.choice(small) if generator.random() < 0.5 else (0, len(original.data))
        return generator.randrange(8 * first, 8 * last)

    for flipped, found in flips(original, [bit() for _ in range(count(80, 5000))]):
        hit = any(8 * first <= flipped < 8 * last for first, last in original.records)
        assert found.problems or found.refused or not hit
        assert untouched(original, {flipped // 8}) <= set(starts_of(original.file))


def test_a_sector_of_zeros_and_one_of_noise(original: Original) -> None:
    """Half of them at the start of a record's payload, where it says what it is."""
    generator = random.Random(512)
    for _ in range(count(20, 500)):
        place = generator.randrange(len(original.data) - 512)
        if generator.random() < 0.5:
            place = min(generator.choice(original.records)[0] + 12, len(original.data) - 512)
        filling = bytes(512) if generator.random() < 0.5 else generator.randbytes(512)
        damaged(original, original.data[:place] + filling + original.data[place + 512 :])


def test_what_is_not_ours_in_a_file_of_ours_is_told(tmp_path: Path) -> None:
    file = write_layout(tmp_path, "own")
    foreign = event_pb2.Event(step=1)
    foreign.summary.value.add(tag="image").tensor.string_val.append(bytes(100_000))
    file.write_bytes(file.read_bytes() + tfrecord.frame(foreign.SerializeToString()))
    (problem,) = llmdebug.open_logdir(tmp_path).problems
    assert "not this plugin's" in problem
