"""The memory of a `tensorboard` process that serves gigabytes, beside one that serves nothing."""

from __future__ import annotations

import tempfile
import urllib.request
from collections.abc import Iterator
from itertools import cycle, product

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import Served, tensorboard
from benchmarks.index_and_read import TENSORFLOW, event_at, new_record_file
from benchmarks.report import Figure, peak_memory, print_figures, size
from tb_llmdebug.plugin import view_pb2
from tb_llmdebug.wire import messages, tfrecord

RECORDS, MAPS, FEW = 4000, 500, 20
LAYERS, HEADS, TOKENS = 12, 12, 64
AS_THE_PAGE = "pool=max&sinks=aside"
TARGET = "200 MB whatever the payload"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as folder:
        with tensorboard(empty) as served:
            _index(served)
            nothing = peak_memory(served.process)
        written = _write(folder)
        figures = [Figure("a server of an empty directory", size(nothing))]
        with tensorboard(folder) as served:
            series = _index(served).runs[0].series[0].id
            for name, requests in _visits(series):
                for request in requests:
                    _get(served, request)
                more = peak_memory(served.process) - nothing
                figures.append(Figure(f"{name}: more than that, at its peak", size(more), TARGET))
    print_figures(f"Memory of TensorBoard over {RECORDS:,} records, {size(written)}, {TENSORFLOW}", figures)


def _visits(series: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what is looked at, one after the other, and the requests for it."""
    some = [step * (RECORDS // MAPS) for step in range(MAPS)]
    heads = cycle(product(range(LAYERS), range(HEADS)))
    yield "index and one overview", [f"maps?at={series}.0.0&{AS_THE_PAGE}"]
    yield f"{MAPS} overviews", [f"maps?at={series}.{step}.0&{AS_THE_PAGE}" for step in some]
    places = [f"{step}.0.{layer}.{head}" for step, (layer, head) in zip(some, heads, strict=False)]
    yield f"{MAPS} single maps", [f"maps?at={series}.{place}" for place in places]
    yield "statistics of all steps", [f"heads?series={series}"]
    others = [f"lens?at={series}.{place}&lens=rollout" for place in places[:FEW]]
    others += [f"changes?a={series}.0&b={series}.{step}" for step in some[1:FEW]]
    others += [f"similar?at={series}.{step}.0" for step in some[:FEW]]
    rows = [f"from={step}&to={step + 64}" for step in range(0, 64 * FEW, 64)]
    others += [f"multiples?series={series}&{row}&example=0&layer=0&head=0&{AS_THE_PAGE}" for row in rows]
    yield f"the other views, {FEW} times each", others


def _write(folder: str) -> int:
    """Write one real record under every step; returns the bytes."""
    with tempfile.TemporaryDirectory() as other:
        with llmdebug.Writer(other):
            llmdebug.log_attention("decoder", [*model_like(LAYERS, HEADS, TOKENS)[:, None]], step=0)
        record = messages.encode(llmdebug.open_logdir(other).attention(".", "decoder", 0).record())
    path = new_record_file(folder)
    with path.open("wb") as file:
        for step in range(RECORDS):
            file.write(tfrecord.frame(event_at(step, record.blobs)))
    return path.stat().st_size


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
