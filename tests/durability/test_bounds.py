"""Files that declare more than there is: nothing is allocated for it, and the page says what is wrong."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import pytest
import zstandard

from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes
from tb_llmdebug.wire.seal import sealed
from tests.data import write_run
from tests.durability import bounded
from tests.durability.counts import count

MIB = 1 << 20
MEMORY = 96 * MIB
"""that reading may take beyond what the imports take: the plugin is to stay under 200 MB"""


def read(logdir: Path, memory: int = MEMORY) -> dict[str, Any]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, bounded.__file__, str(logdir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["memory"] < memory, f"{found['memory'] >> 20} MiB"
    assert found["largest_answer"] < 32 * MIB
    return found


def record_file(logdir: Path) -> Path:
    folder = logdir / "run" / "plugins" / "llmdebug"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "records.1.a.1"


def attention(message: record_pb2.Attention, body: bytes = b"", tag: str = "d", examples: int = 1) -> bytes:
    """Return one framed record with whatever header a hostile writer wants."""
    head = record_pb2.RecordHead(version=1, kind="ATTENTION", map_state="FULL", examples=examples)
    content = sealed(head.SerializeToString(), tag, 0)
    return tfrecord.frame(
        event_bytes(EncodedRecord(tag, 0, 1.0, content, (message.SerializeToString(), body)))
    )


def layer(queries: int, keys: int, heads: int = 1, **more: Any) -> record_pb2.Layer:
    return record_pb2.Layer(heads=range(heads), queries=queries, keys=keys, **more)


def of_layers(
    *layers: record_pb2.Layer, frames: list[int], tile: int = 256, examples: int = 1
) -> record_pb2.Attention:
    return record_pb2.Attention(
        layers=layers, examples=[record_pb2.Example()] * examples, tile=tile, frame_bytes=frames
    )


def small(*layers: record_pb2.Layer, **masks: bytes) -> Callable[[], bytes]:
    """Return what makes a record of such small layers, of zeros, and one example."""
    for entry in layers:
        entry.codec, entry.heads_together = record_pb2.F16, True
    message = of_layers(*layers, frames=[0, 0] * len(layers))
    message.examples[0].MergeFrom(record_pb2.Example(**masks))
    return lambda: attention(message)


class Declared(NamedTuple):
    """A record that declares too much, and what is said of it."""

    record: Callable[[], bytes]
    sentence: str


def bomb(declares_its_size: bool) -> bytes:
    compressor = zstandard.ZstdCompressor(level=1, write_content_size=declares_its_size)
    frame = compressor.compress(bytes(1 << 30))
    message = of_layers(layer(64, 64, codec="F16", heads_together=True), frames=[len(frame), len(frame)])
    return attention(message, frame + frame)


TOO_LARGE = "larger than any"
DECLARED = {
    "queries x keys": Declared(
        lambda: attention(of_layers(layer(1 << 31, 1 << 31, codec="F16"), frames=[1, 1]), b"xx"), TOO_LARGE
    ),
    "queries x keys overflow to 0": Declared(
        lambda: attention(of_layers(layer(1 << 31, 1 << 31, 4, codec="F16"), frames=[]), b""), "No map was"
    ),
    "heads together": Declared(
        lambda: attention(of_layers(layer(8192, 8192, 64, codec="F16", heads_together=True), frames=[0, 0])),
        TOO_LARGE,
    ),
    "heads together, of small maps": Declared(
        lambda: attention(of_layers(layer(64, 64, 512, codec="F16", heads_together=True), frames=[0, 0])),
        TOO_LARGE,
    ),
    "a map of zeros in 135 bytes": Declared(
        lambda: attention(of_layers(layer(8192, 8192, codec="F32", heads_together=True), frames=[0, 0])),
        "",
    ),
    "maps of zeros, all heads": Declared(
        lambda: attention(
            of_layers(
                *[layer(2048, 2048, 16, codec="SQRT_U8", heads_together=True, layer=n) for n in range(4)],
                frames=[0, 0] * 4,
            )
        ),
        TOO_LARGE,
    ),
    "one tile for all": Declared(
        lambda: attention(
            of_layers(layer(8192, 8192, 4, codec="SQRT_U8"), frames=[0] * 5, tile=(1 << 32) - 1)
        ),
        "",
    ),
    "examples": Declared(
        lambda: attention(
            of_layers(
                layer(2048, 2048, 16, codec="F16", heads_together=True), frames=[0] * 20_000, examples=10_000
            )
        ),
        "",
    ),
    "rows by the million": Declared(small(layer(1 << 24, 1), query_mask=b"\1"), ""),
    "rows by the million, no mask": Declared(
        lambda: attention(of_layers(layer(1 << 24, 1, codec="F16"), frames=[0] * (1 + (1 << 16)))), TOO_LARGE
    ),
    "row sums of many heads": Declared(
        lambda: attention(of_layers(layer(1 << 20, 1, 32, codec="F16"), frames=[0] * (1 + (32 << 12)))),
        TOO_LARGE,
    ),
    "a mask shorter than the rows": Declared(small(layer(4, 4), query_mask=b"\1\1"), "another length"),
    "a mask longer than the keys": Declared(small(layer(4, 4), key_mask=b"\1" * 5), "another length"),
    "a mask of one layer": Declared(
        small(layer(4, 4), layer(5, 4, layer=1), query_mask=b"\1" * 4), "another"
    ),
    "rows that are not there": Declared(
        small(layer(4, 4, rows=[0, 99]), query_mask=b"\1" * 4), "not positions"
    ),
    "rows out of order": Declared(small(layer(4, 4, rows=[2, 1])), "not positions"),
    "a layer twice": Declared(small(layer(4, 4), layer(4, 4)), "a layer twice"),
    "a head twice": Declared(
        small(record_pb2.Layer(heads=[1, 0, 1], queries=4, keys=4)), "a head of layer 0 twice"
    ),
    "a frame of a gigabyte": Declared(lambda: bomb(True), "1073741824 bytes where 128 were expected"),
    "a frame of unknown size": Declared(lambda: bomb(False), "were expected"),
}


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_record_declares_is_not_allocated(tmp_path: Path, name: str) -> None:
    record_file(tmp_path).write_bytes(DECLARED[name].record())
    found = read(tmp_path)
    assert found["series"] == 1
    assert any(DECLARED[name].sentence in sentence for sentence in found["said"]), found["said"]


def test_a_length_of_a_terabyte_is_not_waited_for(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(3))
    file = next(tmp_path.rglob("records.*"))
    header = struct.pack("<Q", 1 << 40)
    header += struct.pack("<I", tfrecord.mask(google_crc32c.value(header)))
    file.write_bytes(header + bytes(100) + file.read_bytes())
    found = read(tmp_path)
    assert "is damaged from byte 0 to 112" in found["problems"][0]
    assert found["said"][0] == ""


def test_a_length_beyond_the_end_is_told(tmp_path: Path) -> None:
    write_run(str(tmp_path), steps=range(3))
    file = next(tmp_path.rglob("records.*"))
    header = struct.pack("<Q", (1 << 31) - 1)
    header += struct.pack("<I", tfrecord.mask(google_crc32c.value(header)))
    file.write_bytes(file.read_bytes() + header)
    os.utime(file, (1, 1))
    found = read(tmp_path)
    assert "ends inside a record" in found["problems"][0]
    assert found["said"][0] == ""


def test_a_record_of_gigabytes_of_nothing_is_refused(tmp_path: Path) -> None:
    """A sparse file: it takes no space on the disk, and all of its length when it is read."""
    length = count(1 << 28, (1 << 31) - 1)
    head = sealed(record_pb2.RecordHead(version=1, kind="ATTENTION").SerializeToString(), "d", 0)
    event = event_bytes(EncodedRecord("d", 0, 1.0, head, (b"",)))
    # One more field, of zeros, that takes the rest of the record.
    filling = length - len(event) - 6
    event += bytes([15 << 3 | 2]) + bytes(
        filling >> shift & 0x7F | (0x80 if shift < 28 else 0) for shift in range(0, 35, 7)
    )
    with record_file(tmp_path).open("wb") as file:
        header = struct.pack("<Q", length)
        file.write(header + struct.pack("<I", tfrecord.mask(google_crc32c.value(header))) + event)
        file.truncate(12 + length + 4)
    found = read(tmp_path)
    assert found["series"] == 1
    assert "checksum does not match" in found["said"][0]


@pytest.mark.parametrize("size", [5000, MIB])
def test_a_tag_of_a_megabyte_is_refused(tmp_path: Path, size: int) -> None:
    message = record_pb2.Attention(examples=[record_pb2.Example()])
    record_file(tmp_path).write_bytes(attention(message, tag="t" * size) + attention(message))
    found = read(tmp_path)
    assert (found["series"], len(found["problems"])) == (1, 1)
    assert len(found["problems"][0]) < 300


def test_a_hundred_thousand_tags(tmp_path: Path) -> None:
    tags = count(25_000, 100_000)
    message = record_pb2.Attention(examples=[record_pb2.Example()])
    with record_file(tmp_path).open("wb") as file:
        for number in range(tags):
            file.write(attention(message, tag=f"layer {number}"))
    found = read(tmp_path, memory=MEMORY + 2048 * tags)
    assert found["series"] == tags


def test_links_to_files_out_of_the_log_directory_are_not_followed(tmp_path: Path) -> None:
    outside, logdir = tmp_path / "outside", tmp_path / "logdir"
    write_run(str(outside / "run"), steps=range(1), name="secret")
    file = record_file(logdir)
    file.symlink_to(next(outside.rglob("records.*")))
    file.with_name("records.2.b.1").symlink_to("/dev/zero")
    file.with_name("records.3.c.1").symlink_to(file.with_name("records.3.c.1"))
    file.with_name("records.4.d.1").symlink_to("/etc/passwd")
    found = read(logdir)
    assert found["series"] == 0
    assert len(found["problems"]) == 4
    assert not any(str(outside) in problem or "passwd" in problem for problem in found["problems"])


def test_a_fifo_a_folder_and_a_socket_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = record_file(tmp_path)
    os.mkfifo(file)
    file.with_name("records.2.b.1").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(file.parent)  # the path of a socket is short
        listening.bind("records.3.c.1")
    found = read(tmp_path)
    assert found["series"] == 0
    assert all(
        "not a regular file" in problem or "cannot be read" in problem for problem in found["problems"]
    )
    assert len(found["problems"]) == 2
