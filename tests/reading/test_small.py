"""Small records: looked up by the bytes they share, and the same as when each is parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb_llmdebug.reading.scan import FileScan
from tb_llmdebug.records import Anomaly, AnomalyRecord, Severity
from tb_llmdebug.wire import messages, record_pb2, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes, parse_whole_event
from tb_llmdebug.wire.seal import sealed

STEPS = [0, 1, 127, 128, 300, 16_384, 2**31, 2**62, -1, -300, 0]
TAGS = ["a", "decoder", "解码器", "x" * 126, "x" * 127, "x" * 128, "x" * 300, "a/b"]


def record(tag: str, step: int, *, wall_time: float = 1.7e9, size: int = 64, **head: object) -> EncodedRecord:
    message = record_pb2.RecordHead(
        version=1, kind="ATTENTION", map_state="FULL", wall_time=wall_time, **head
    )
    content = sealed(message.SerializeToString(), tag, step)
    return EncodedRecord(tag, step, wall_time, content, (b"header", b"x" * size))


def anomaly(step: int) -> EncodedRecord:
    flag = Anomaly(rule="r", severity=Severity.ERROR, message=f"At {step}.", why="", advice="")
    return messages.encode(AnomalyRecord("a", step, 1.5, flag))


def written(folder: Path, records: list[EncodedRecord]) -> Path:
    file = folder / "plugins" / "llmdebug" / "records.1.a.1"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"".join(tfrecord.frame(event_bytes(one)) for one in records))
    return file


def test_what_is_looked_up_is_what_would_be_parsed(tmp_path: Path) -> None:
    records = [record(tag, step, examples=1) for tag in TAGS for step in STEPS]
    records += [record("decoder", step, examples=2, worker=step % 3) for step in range(20)]
    records += [record("decoder", 1, size=size) for size in (0, 100, 1000, 9000, 16_000, 16_380, 20_000)]
    records += [record("decoder", 1, wall_time=0.0), *map(anomaly, range(5)), record("decoder", 7)]
    unsealed = record_pb2.RecordHead(version=1, kind="ATTENTION").SerializeToString()
    records += [EncodedRecord("decoder", step, 2.5, unsealed, (b"",)) for step in range(3)]
    found = list(FileScan(str(written(tmp_path, records))).advance())
    assert len(found) == len(records)
    for one, original in zip(found, records, strict=True):
        fields = parse_whole_event(event_bytes(original))
        head = messages.parse_head(fields.content)
        assert (one.tag, one.step) == (original.tag, original.step) == (fields.tag, fields.step)
        assert one.wall_time == (head.wall_time or fields.wall_time)
        assert (one.what.kind, one.what.map_state) == (head.kind, head.map_state)
        assert (one.what.examples, one.what.worker) == (head.examples, head.worker)
        assert list(one.head.anomalies) == list(head.anomalies)


@pytest.mark.parametrize("place", range(0, 80, 3))
def test_a_flipped_bit_takes_one_record_away_and_never_changes_it(tmp_path: Path, place: int) -> None:
    file = written(tmp_path, [record("decoder", 100 + step) for step in range(4)])
    data = bytearray(file.read_bytes())
    second = list(FileScan(str(file)).advance())[1].offset
    data[second + place] ^= 1
    file.write_bytes(data)
    scan = FileScan(str(file))
    assert [one.step for one in scan.advance()] == [100, 102, 103]
    assert "checksum does not match" in scan.problems()[0]
