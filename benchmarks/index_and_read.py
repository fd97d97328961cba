"""Indexing what was logged, and reading one map."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.report import Figure, median, percentile, print_figures, seconds, size, times_of
from tb_llmdebug.reading.index import Index
from tb_llmdebug.wire import record_pb2, tfrecord
from tb_llmdebug.wire.event import EncodedRecord, event_bytes
from tb_llmdebug.wire.seal import sealed

LARGE_RECORDS = 1000
SMALL_RECORDS = 200_000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print_figures(
            "Index and read",
            [
                _index_large(f"{folder}/large"),
                _index_small(f"{folder}/small"),
                *_read(f"{folder}/read"),
            ],
        )


def _index_large(folder: str) -> Figure:
    """Records of 1 MB, sparse on disk so that only what the index reads is read."""
    payload = os.urandom(1 << 20)
    framed = tfrecord.frame(event_bytes(_record(0, payload)))
    path = _file(folder)
    with path.open("wb") as file:
        for _ in range(LARGE_RECORDS):
            file.write(framed)
    taken = _time_index(folder, LARGE_RECORDS)
    per_10_gb = taken * 10e9 / path.stat().st_size
    value = f"{seconds(taken)} for {size(path.stat().st_size)}, so {seconds(per_10_gb)} for 10 GB"
    return Figure("index, records of 1 MB", value, "2 s for 10 GB")


def _index_small(folder: str) -> Figure:
    path = _file(folder)
    with path.open("wb") as file:
        for step in range(SMALL_RECORDS):
            file.write(tfrecord.frame(event_bytes(_record(step, b"x" * 64))))
    taken = _time_index(folder, SMALL_RECORDS)
    value = f"{seconds(taken)} for {SMALL_RECORDS:,}, so {seconds(taken * 1e6 / SMALL_RECORDS)} for 1,000,000"
    return Figure("index, small records", value, "5 s for 1,000,000")


def _read(folder: str) -> list[Figure]:
    with llmdebug.Writer(folder, on_full="wait"):
        for step in range(40):
            llmdebug.log_attention("decoder", model_like(12, 12, 64, step), step=step)
    logdir = llmdebug.open_logdir(folder)
    logdir.payloads = type(logdir.payloads)(capacity=0)  # nothing is kept, so every read is a read
    generator = np.random.default_rng(0)

    def read_any() -> None:
        step, layer, head = generator.integers(40), generator.integers(12), generator.integers(12)
        logdir.attention(".", "decoder", int(step)).weights(int(layer), int(head))

    taken = times_of(read_any, 200)
    value = f"{seconds(median(taken))}, p95 {seconds(percentile(taken, 0.95))}"
    return [Figure("read one map of a record of 12 x 12 x 64 x 64", value, "p95 10 ms")]


def _record(step: int, payload: bytes) -> EncodedRecord:
    head = record_pb2.RecordHead(version=1, kind="ATTENTION", map_state="FULL", examples=1)
    content = sealed(head.SerializeToString(), "decoder", step)
    return EncodedRecord("decoder", step, 1.0, content, (b"header", payload))


def _file(folder: str) -> Path:
    path = Path(folder) / "plugins" / "llmdebug" / "records.1.a.1"
    path.parent.mkdir(parents=True)
    return path


def _time_index(folder: str, expected: int) -> float:
    start = time.perf_counter()
    index = Index(folder)
    index.refresh()
    taken = time.perf_counter() - start
    (run,) = index.runs()
    (series,) = run.series.values()
    assert len(series.entries) == expected
    return taken


if __name__ == "__main__":
    main()
