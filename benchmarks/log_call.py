"""What a log call costs its caller, beside the other ways to log the same maps."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.attention import model_like
from benchmarks.report import Figure, median, percentile, print_figures, seconds, size, times_of

CALLS = 20


def main() -> None:
    """Measure and print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    maps = model_like(12, 12, 128)
    layers = tuple(layer[None] for layer in maps)
    tensors = tuple(tf.constant(layer) for layer in layers)
    target = np.empty_like(maps)
    copy = times_of(lambda: np.copyto(target, maps), 50)
    one = median(copy)

    def row(name: str, taken: list[float], written: float, goal: str = "") -> Figure:
        times = f"{seconds(median(taken))}, p99 {seconds(percentile(taken, 0.99))}"
        per_step = f", {size(written)} per step" if written else ""
        return Figure(name, f"{times}, {median(taken) / one:.2f} copies{per_step}", goal)

    with tempfile.TemporaryDirectory() as folder:
        print_figures(
            "A log call of float32 [12, 12, 128, 128]: time that the caller is blocked",
            [
                row("a plain copy", copy, 0),
                row(
                    "log_attention, Writer, NumPy",
                    *_through_writer(f"{folder}/a", layers),
                    "1.5 copies, p99 3",
                ),
                row(
                    "log_attention, Writer, TensorFlow",
                    *_through_writer(f"{folder}/b", tensors),
                    "1.1 copies",
                ),
                row("log_attention, tf.summary writer", *_through_tf(f"{folder}/c", _log_call(tensors))),
                row("tf.summary.write of the raw array", *_through_tf(f"{folder}/d", _raw_call(maps))),
                row("tf.summary.image of the heads", *_through_tf(f"{folder}/e", _image_call(maps))),
                row("a matplotlib figure", *_through_tf(f"{folder}/f", _figure_call(maps), calls=3)),
            ],
        )


def _through_writer(folder: str, attention: object) -> tuple[list[float], float]:
    import tb_llmdebug as llmdebug

    step = iter(range(10_000))
    with llmdebug.Writer(folder) as writer:
        taken = []
        for _ in range(CALLS + 2):
            taken += times_of(
                lambda: llmdebug.log_attention("decoder", attention, step=next(step)), 1, warm=0
            )
            writer.flush()
    return taken[2:], _bytes_below(folder) / len(taken)


def _through_tf(folder: str, call: Callable[[int], object], calls: int = CALLS) -> tuple[list[float], float]:
    import tensorflow as tf

    step = iter(range(10_000))
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default():
        taken = times_of(lambda: call(next(step)), calls)
    writer.close()
    return taken, _bytes_below(folder) / (calls + 2)


def _log_call(attention: object) -> Callable[[int], object]:
    import tb_llmdebug as llmdebug

    return lambda step: llmdebug.log_attention("decoder", attention, step=step)


def _raw_call(maps: np.ndarray) -> Callable[[int], object]:
    import tensorflow as tf

    return lambda step: tf.summary.write("attention", maps, step=step)


def _image_call(maps: np.ndarray) -> Callable[[int], object]:
    import tensorflow as tf

    images = maps.reshape(-1, *maps.shape[2:], 1)
    return lambda step: tf.summary.image("attention", images, step=step, max_outputs=len(images))


def _figure_call(maps: np.ndarray) -> Callable[[int], object]:
    import io

    import matplotlib as mpl
    import tensorflow as tf

    mpl.use("agg")
    from matplotlib import pyplot as plt

    def call(step: int) -> None:
        figure, axes = plt.subplots(*maps.shape[:2], figsize=(12, 12))
        for axis, head in zip(axes.flat, maps.reshape(-1, *maps.shape[2:]), strict=True):
            axis.imshow(head)
            axis.axis("off")
        data = io.BytesIO()
        figure.savefig(data, format="png")
        plt.close(figure)
        tf.summary.image("attention", tf.io.decode_png(data.getvalue())[None], step=step)

    return call


def _bytes_below(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
