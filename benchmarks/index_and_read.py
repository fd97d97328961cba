"""Indexing what was logged, and reading one map."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.report import Figure, median, percentile, print_figures, seconds, size, times_of
from tb_llmdebug.reading.cache import ByteBudget
from tb_llmdebug.reading.payload import Payloads
from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes
from tb_llmdebug.wire.seal import sealed

LARGE_RECORDS = 10_000
RECORDS_PER_FILE = 64
"""as the writer rolls its files at 64 MiB"""
SMALL_RECORDS = 1_000_000
TENSORFLOW = "TensorFlow installed" if find_spec("tensorflow") else "without TensorFlow"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print_figures(
            f"Index and read, {TENSORFLOW}",
            [
                _index_large(f"{folder}/large"),
                _index_small(f"{folder}/small"),
                *_read(f"{folder}/read"),
            ],
        )


def _index_large(folder: str) -> Figure:
    room = shutil.disk_usage(Path(folder).parent).free > 20e9
    records = LARGE_RECORDS if room else LARGE_RECORDS // 10
    framed = tfrecord.frame(event_at(0, (b"header", os.urandom(1 << 20))))
    path = new_record_file(folder)
    for number in range(-(-records // RECORDS_PER_FILE)):
        with path.with_name(f"records.1.a.{number:06}").open("wb") as file:
            file.writelines(framed for _ in range(min(RECORDS_PER_FILE, records - number * RECORDS_PER_FILE)))
    taken, memory = _index(folder, records)
    written = records * len(framed)
    shutil.rmtree(folder)
    value = f"{seconds(taken)} for {size(written)}, so {seconds(taken * 10e9 / written)} for 10 GB; {memory}"
    return Figure("index, records of 1 MB", value, "2 s for 10 GB, 200 MB of memory")


def _index_small(folder: str) -> Figure:
    write_small(folder)
    taken, memory = _index(folder, SMALL_RECORDS)
    value = f"{seconds(taken)} for {SMALL_RECORDS:,}; {memory}"
    return Figure("index, small records", value, "5 s for 1,000,000, 200 MB of memory")


def _read(folder: str) -> list[Figure]:
    with llmdebug.Writer(folder, on_full="wait"):
        for step in range(40):
            llmdebug.log_attention("decoder", model_like(12, 12, 64, step), step=step)
    logdir = llmdebug.open_logdir(folder)
    logdir.payloads = Payloads(ByteBudget(0))  # nothing is kept, so every read is a read
    generator = np.random.default_rng(0)

    def read_any() -> None:
        step, layer, head = generator.integers(40), generator.integers(12), generator.integers(12)
        logdir.attention(".", "decoder", int(step)).weights(int(layer), int(head))

    taken = times_of(read_any, 200)
    value = f"{seconds(median(taken))}, p95 {seconds(percentile(taken, 0.95))}"
    return [Figure("read one map of a record of 12 x 12 x 64 x 64", value, "p95 10 ms")]


def write_small(folder: str) -> None:
    """Write a run of `SMALL_RECORDS` records of 64 bytes each."""
    with new_record_file(folder).open("wb") as file:
        for step in range(SMALL_RECORDS):
            file.write(tfrecord.frame(event_at(step, (b"header", b"x" * 64))))


def event_at(step: int, blobs: tuple[bytes, ...]) -> bytes:
    """Return the event of an attention record."""
    wall_time = 1.7e9 + step
    head = record_pb2.RecordHead(
        version=1, kind="ATTENTION", map_state="FULL", examples=1, wall_time=wall_time
    )
    content = sealed(head.SerializeToString(), "decoder", step)
    return event_bytes(EncodedRecord("decoder", step, wall_time, content, blobs))


def new_record_file(folder: str) -> Path:
    """Return the path of the only file of a run, in a directory made for it."""
    path = Path(folder) / "plugins" / "llmdebug" / "records.1.a.1"
    path.parent.mkdir(parents=True)
    return path


def _index(folder: str, expected: int) -> tuple[float, str]:
    """Index `folder` in a process of its own; returns the time and a sentence about its memory."""
    result = subprocess.run(
        [sys.executable, "-c", _INDEXING, folder], capture_output=True, text=True, check=True
    )
    taken, records, memory, tensorflow = result.stdout.split()
    assert int(records) == expected
    with_it = "TensorFlow imported" if tensorflow == "True" else "no TensorFlow"
    return float(taken), f"process of {size(float(memory))}, {with_it}"


_INDEXING = """
import sys, time
from benchmarks.report import peak_memory
from tb_llmdebug.plugin import answers
from tb_llmdebug.reading.index import Index
start = time.perf_counter()
index = Index(sys.argv[1])
index.refresh()
taken = time.perf_counter() - start
(series,) = index.runs()[0].all_series()
answers.index(index, scanning=False).SerializeToString()
print(taken, len(series.entries), peak_memory(), "tensorflow" in sys.modules)
"""


if __name__ == "__main__":
    main()
