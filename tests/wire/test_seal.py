"""The seal over what an index shows without reading payloads."""

from __future__ import annotations

from pathlib import Path

import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.reading.scan import FileScan
from tb_llmdebug.wire import record_pb2, seal, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes, parse_event
from tests.data import layers_of, write_run
from tests.durability.runs import events_of

HEAD = record_pb2.RecordHead(version=1, kind="ATTENTION", map_state="FULL", examples=1, wall_time=2.5)


def file_of(root: Path, content: bytes, step: int) -> Path:
    """Write one record too large to be verified whole while it is indexed."""
    folder = root / "plugins" / "llmdebug"
    folder.mkdir(parents=True)
    event = event_bytes(EncodedRecord("decoder", step, 1.0, content, (b"", bytes(100_000))))
    path = folder / "records.1.a.1"
    path.write_bytes(tfrecord.frame(event))
    return path


@pytest.mark.parametrize("step", [0, 1, -1, (1 << 63) - 1, -(1 << 63)])
def test_any_step_is_sealed(tmp_path: Path, step: int) -> None:
    content = seal.sealed(HEAD.SerializeToString(), "decoder", step)
    assert record_pb2.RecordHead.FromString(content).seal != 0
    (found,) = FileScan(str(file_of(tmp_path, content, step))).advance()
    assert (found.step, found.wall_time) == (step, 2.5)


def test_every_bit_of_tag_step_and_head_is_sealed() -> None:
    head = HEAD.SerializeToString()
    content = seal.sealed(head, "decoder", 7)
    for place in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        assert not seal.is_sealed(bytes(damaged), "decoder", 7)
    assert not any(seal.is_sealed(content, "decoder", 7 ^ 1 << bit) for bit in range(63))
    assert not seal.is_sealed(content, "decodes", 7)


def test_a_record_without_a_seal_is_verified_whole(tmp_path: Path) -> None:
    path = file_of(tmp_path, HEAD.SerializeToString(), 5)
    assert [found.step for found in FileScan(str(path)).advance()] == [5]
    data = bytearray(path.read_bytes())
    data[50_000] ^= 1
    path.write_bytes(data)
    scan = FileScan(str(path))
    assert list(scan.advance()) == []
    assert "checksum does not match" in scan.problems()[0]


@pytest.mark.parametrize("inline", [False, True])
def test_what_writers_write_is_sealed(tmp_path: Path, inline: bool) -> None:
    write_run(str(tmp_path), inline=inline, tokens=[["a"] * 6] * 2, attention=lambda step: layers_of())
    with llmdebug.Writer(tmp_path, inline=inline):
        llmdebug.log_anomaly("loss", "text", rule="r", step=3)
        llmdebug.log_attribution("next", [1.0], tokens=["a"], target="t", method="m", step=3)
    found = [
        parse_event(lambda start, size, event=event: event[start : start + size], len(event))
        for path in tmp_path.rglob("*")
        if path.is_file()
        for event in events_of(path)
    ]
    fields = [each for each in found if each is not None]
    assert len(fields) == 7
    assert all(seal.is_sealed(each.content, each.tag, each.step) for each in fields)
