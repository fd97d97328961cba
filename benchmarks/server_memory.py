"""The memory of a `tensorboard` process that serves gigabytes, beside one that serves nothing."""

from __future__ import annotations

import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path

import numpy as np

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import Served, tensorboard
from benchmarks.index_and_read import SMALL_RECORDS, TENSORFLOW, event_at, new_record_file, write_small
from benchmarks.report import Figure, peak_memory, print_figures, size
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.records import AttentionRecord
from tb_llmdebug.records.vectors import LayerVectors
from tb_llmdebug.wire import messages, tfrecord

RECORDS, MAPS, FEW = 4000, 500, 20
LAYERS, HEADS, TOKENS, SIZE = 12, 12, 64, 64
AS_THE_PAGE = "pool=max&sinks=aside"
TARGET = "200 MB whatever the payload"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as folder:
        with tensorboard(empty) as served:
            _index(served)
            nothing = peak_memory(served.process)
        written = _write(folder)
        figures = [Figure("a server of an empty directory", size(nothing)), *_looked_at(folder, nothing)]
        title = f"Memory of TensorBoard over {RECORDS:,} records, {size(written)}"
        print_figures(f"{title}, {TENSORFLOW}", figures)
        write_small(f"{folder}/small")
        title = f"{title}, and {SMALL_RECORDS:,} small ones"
        print_figures(f"{title}, {TENSORFLOW}", _looked_at(folder, nothing))


def _looked_at(folder: str, nothing: float) -> list[Figure]:
    """Return how far above `nothing` the peak of a server is after each kind of view."""
    figures = []
    with tensorboard(folder) as served:
        series = {run.name: run.series[0].id for run in _index(served).runs}
        for name, requests in _visits(series):
            for request in requests:
                _get(served, request)
            more = peak_memory(served.process) - nothing
            figures.append(Figure(f"{name}: more than that, at its peak", size(more), TARGET))
    return figures


def _visits(series_of: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what is looked at, one after the other, and the requests for it."""
    series = series_of["maps"]
    some = [step * (RECORDS // MAPS) for step in range(MAPS)]
    heads = cycle(product(range(LAYERS), range(HEADS)))
    yield "index and one overview", [f"maps?at={series}.0.0&{AS_THE_PAGE}"]
    yield f"{MAPS} overviews", [f"maps?at={series}.{step}.0&{AS_THE_PAGE}" for step in some]
    places = [f"{step}.0.{layer}.{head}" for step, (layer, head) in zip(some, heads, strict=False)]
    yield f"{MAPS} single maps", [f"maps?at={series}.{place}" for place in places]
    yield "statistics of all steps", [f"heads?series={series}"]
    few = list(zip(some[:FEW], places[:FEW], strict=True))
    pairs = [f"maps?at={series}.0.0&at={series}.{step}.0&compare=0.1&{AS_THE_PAGE}" for step, _ in few]
    others = [f"lens?at={series}.{place}&lens=rollout" for _, place in few]
    others += [f"lens?at={series_of['vectors']}.{step}.0.0.0&lens=mean" for step in range(FEW)]
    others += [f"changes?a={series}.0&b={series}.{step}" for step, _ in few[1:]]
    others += [f"similar?at={series}.{step}.0" for step, _ in few]
    rows = [f"from={step}&to={step + 64}" for step in range(0, 64 * FEW, 64)]
    others += [f"multiples?series={series}&{row}&example=0&layer=0&head=0&{AS_THE_PAGE}" for row in rows]
    others += [f"vectors?at={series_of['vectors']}.{step}.0.0.0.{TOKENS - 1}" for step in range(FEW)]
    others += [f"attributions?series={series_of['attributions']}", "anomalies"] * FEW
    yield f"the other views, {FEW} times each", pairs + others


def _write(folder: str) -> int:
    """Write one real record under every step, and a few of each other kind; returns the bytes."""
    given = np.random.default_rng(0).normal(size=(3, 2, HEADS, TOKENS, SIZE)).astype(np.float32)
    vectors = LayerVectors(*given, groups=tuple(range(HEADS)), scale=SIZE**-0.5)
    two = _record(examples=2)
    two = replace(two, layers=tuple(replace(layer, vectors=vectors) for layer in two.layers))
    for name, one, count in (("maps", _record(examples=1), RECORDS), ("vectors", two, FEW)):
        blobs = messages.encode(one).blobs
        with new_record_file(f"{folder}/{name}").open("wb") as file:
            file.writelines(tfrecord.frame(event_at(step, blobs)) for step in range(count))
    with llmdebug.Writer(f"{folder}/attributions", on_full="wait"):
        for step in range(RECORDS):
            scores = np.full((1, TOKENS), step, np.float32)
            llmdebug.log_attribution("next token", scores, method="gradient x input", step=step)
            llmdebug.log_anomaly("attention", "One head looks at one token.", rule="collapse", step=step)
    return sum(file.stat().st_size for file in Path(folder).rglob("records.*"))


def _record(examples: int) -> AttentionRecord:
    """Return what is logged of a batch."""
    maps = np.repeat(model_like(LAYERS, HEADS, TOKENS)[:, None], examples, axis=1)
    with tempfile.TemporaryDirectory() as folder:
        with llmdebug.Writer(folder):
            llmdebug.log_attention("decoder", [*maps], step=0)
        return llmdebug.open_logdir(folder).attention(".", "decoder", 0).record()


def _index(served: Served) -> view_pb2.IndexResponse:
    """Return the index once the first scan has ended."""
    while True:
        found = view_pb2.IndexResponse.FromString(_get(served, "index"))
        if not found.scanning:
            return found


def _get(served: Served, request: str) -> bytes:
    with urllib.request.urlopen(f"{served.address}data/plugin/llmdebug/{request}") as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    main()
