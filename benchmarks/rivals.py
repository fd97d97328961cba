"""Other ways to log the same maps to TensorBoard."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.report import times_of

Maps = npt.NDArray[np.float32]
Call = Callable[[int], object]
Finish = Callable[[], object]

CALLS = 20


@dataclass(frozen=True)
class Rival:
    """One way: `open(folder, maps)` returns what to call per step, and what brings the rest to disk."""

    name: str
    open: Callable[[str, Maps], tuple[Call, Finish]]


@dataclass(frozen=True)
class Cost:
    """What a rival took."""

    calls: list[float]
    """seconds of each call"""
    flush: float
    """seconds until all of it was on disk, after the last call"""
    bytes_per_step: float


def cost_of(rival: Rival, maps: Maps, folder: str) -> Cost:
    """Log the maps once per step and measure."""
    call, finish = rival.open(folder, maps)
    step = iter(range(10_000))
    taken = times_of(lambda: call(next(step)), CALLS)
    start = time.perf_counter()
    finish()
    flush = time.perf_counter() - start
    written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return Cost(taken, flush, written / (CALLS + 2))


def _tensorflow(call: Callable[[Maps, int], object]) -> Callable[[str, Maps], tuple[Call, Finish]]:
    def open_writer(folder: str, maps: Maps) -> tuple[Call, Finish]:
        import tensorflow as tf

        writer = tf.summary.create_file_writer(folder)

        def log(step: int) -> None:
            with writer.as_default():
                call(maps, step)

        return log, writer.close

    return open_writer


def _raw(maps: Maps, step: int) -> None:
    import tensorflow as tf

    tf.summary.write("attention", maps, step=step)


def _images(maps: Maps, step: int) -> None:
    import tensorflow as tf

    images = maps.reshape(-1, *maps.shape[2:], 1)
    tf.summary.image("attention", images, step=step, max_outputs=len(images))


def _figure(maps: Maps, step: int) -> None:
    import matplotlib as mpl
    import tensorflow as tf

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(*maps.shape[:2], figsize=(12, 12))
    for axis, head in zip(axes.flat, maps.reshape(-1, *maps.shape[2:]), strict=True):
        axis.imshow(head)
        axis.axis("off")
    data = io.BytesIO()
    figure.savefig(data, format="png")
    plt.close(figure)
    tf.summary.image("attention", tf.io.decode_png(data.getvalue())[None], step=step)


def _event_file_writer(folder: str, maps: Maps) -> tuple[Call, Finish]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    writer = EventFileWriter(folder, max_queue_size=1000)

    def call(step: int) -> None:
        value = Summary.Value(tag="attention", tensor=make_tensor_proto(maps))
        writer.add_event(Event(step=step, summary=Summary(value=[value])))

    return call, writer.close


RIVALS = (
    Rival("tf.summary.write of the raw array", _tensorflow(_raw)),
    Rival("tf.summary.image of the heads", _tensorflow(_images)),
    Rival("a matplotlib figure", _tensorflow(_figure)),
    Rival("TensorBoard's EventFileWriter", _event_file_writer),
)
