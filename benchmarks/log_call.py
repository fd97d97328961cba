"""What a log call costs its caller, beside the other ways to log the same maps.

A plain copy is timed in turn with the calls, with the processor's caches as these find them: emptied by other
work. Copied again and again, the array would stay in them, which no training loop lets it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.report import Figure, median, percentile, print_figures, seconds, size
from benchmarks.rivals import RIVALS, cost_of

SHAPE = (12, 12, 128)
ROUNDS = 100
BUSY_ROUNDS = 60
MAPS_PER_SECOND = 10
IMPORTS = 9

COPY, COPY_OF_TENSORS = "a plain copy", "a plain copy of PyTorch's tensors"

Maps = npt.NDArray[np.float32]
Times = dict[str, list[float]]


def main() -> None:
    """Measure and print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    maps = model_like(*SHAPE)
    with tempfile.TemporaryDirectory() as folder:
        quiet = _calls_in_turn(maps, f"{folder}/quiet", ROUNDS, busy=False)
        busy = _calls_in_turn(maps, f"{folder}/busy", BUSY_ROUNDS, busy=True)
        one = median(quiet[COPY])
        figures = [_figure(name, taken, one) for name, taken in quiet.items()]
        figures += [_figure(f"{name}, worker busy", taken, one) for name, taken in busy.items()]
        figures += [
            Figure(name, _spread(taken), goal) for name, taken, goal in _without_a_map(maps, f"{folder}/none")
        ]
        for rival in RIVALS:
            cost = cost_of(rival, maps, f"{folder}/{rival.name}")
            rest = f"{size(cost.bytes_per_step)} per step, {seconds(cost.flush)} at the end"
            figures.append(Figure(rival.name, f"{_copies(cost.calls, one)}; {rest}"))
        figures.append(_background(maps, f"{folder}/background"))
    title = (
        f"A log call of float32 [{SHAPE[0]}, {SHAPE[1]}, {SHAPE[2]}, {SHAPE[2]}]: time the caller is blocked"
    )
    print_figures(title, figures)
    print_figures("Import", [_import_time()])


def _calls_in_turn(maps: Maps, folder: str, rounds: int, busy: bool) -> Times:
    """Time a plain copy and a call for each framework's arrays, in turn."""
    arrays = _arrays(maps)
    layers, target = arrays["NumPy"], np.empty_like(maps)
    step = iter(range(1_000_000))

    def log(attention: object) -> None:
        accepted = llmdebug.log_attention("decoder", attention, step=next(step))
        assert accepted, "what is not logged costs nothing"

    calls: dict[str, Callable[[], None]] = {COPY: lambda: np.copyto(target, maps)}
    if "PyTorch" in arrays:
        # Twelve tensors lie apart in memory, as a model's do: that alone costs a tenth of a copy.
        theirs = [np.asarray(tensor)[0] for tensor in arrays["PyTorch"]]
        calls[COPY_OF_TENSORS] = lambda: _copy_each(target, theirs)
    for name, attention in arrays.items():
        calls[f"log_attention, {name}"] = lambda attention=attention: log(attention)  # type: ignore[misc]
    taken: Times = {name: [] for name in calls}
    with llmdebug.Writer(folder, queue_bytes=1 << 30) as writer:
        for turn in range(rounds + 3):
            for name, call in calls.items():
                log(layers)
                if busy:
                    log(layers)
                    time.sleep(0.002 + 0.0003 * turn)  # somewhere in the first of the two jobs
                else:
                    writer.flush()
                start = time.perf_counter()
                call()
                spent = time.perf_counter() - start
                writer.flush()
                if turn >= 3:
                    taken[name].append(spent)
        assert writer.status().dropped_maps == 0
    return taken


def _copy_each(target: Maps, layers: list[Maps]) -> None:
    for place, layer in enumerate(layers):
        target[place] = layer


def _arrays(maps: Maps) -> dict[str, tuple[object, ...]]:
    """Return the same layers as each framework that is installed holds them."""
    import tensorflow as tf

    layers = tuple(layer[None] for layer in maps)
    found: dict[str, tuple[object, ...]] = {
        "NumPy": layers,
        "TensorFlow": tuple(tf.constant(layer) for layer in layers),
    }
    try:
        import torch
    except ImportError:
        return found
    return found | {"PyTorch": tuple(torch.tensor(layer) for layer in layers)}


def _without_a_map(maps: Maps, folder: str) -> list[tuple[str, list[float], str]]:
    """Time the calls that hand no map over."""
    import tensorflow as tf

    layers = _arrays(maps)["TensorFlow"]

    def times(call: Callable[[], object]) -> list[float]:
        taken = []
        for _ in range(200):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
            time.sleep(0.001)
        return taken

    with llmdebug.Writer(folder):
        anomaly = times(lambda: llmdebug.log_anomaly("loss", "It jumped.", rule="loss.spike", step=0))
        with tf.summary.record_if(False):
            refused = times(lambda: llmdebug.log_attention("decoder", layers, step=0))
    return [("log_anomaly", anomaly, "50 us"), ("log_attention under record_if(False)", refused, "50 us")]


def _background(maps: Maps, folder: str) -> Figure:
    """Measure the processor time that one map per second takes, the caller's share left out."""
    layers = tuple(layer[None] for layer in maps)
    with llmdebug.Writer(folder) as writer:
        llmdebug.log_attention("decoder", layers, step=0)
        writer.flush()
        time.sleep(1)
        whole, own, start = time.process_time(), time.thread_time(), time.perf_counter()
        for step in range(MAPS_PER_SECOND):
            llmdebug.log_attention("decoder", layers, step=step)
            time.sleep(1)
        spent = (time.process_time() - whole) - (time.thread_time() - own)
        share = spent / (time.perf_counter() - start)
    return Figure("background processor time at one map per second", f"{share:.1%} of a core", "5 %")


def _import_time() -> Figure:
    """Measure the import in fresh processes, the start of Python left out."""
    code = "import time; start = time.perf_counter(); import tb_llmdebug; print(time.perf_counter() - start)"
    taken = []
    for _ in range(IMPORTS):
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        taken.append(float(result.stdout))
    return Figure("import tb_llmdebug", _spread(taken), "0.3 s")


GOALS = {
    "log_attention, NumPy": "1.5 copies, p99 3",
    "log_attention, PyTorch": "1.5 copies, p99 3",
    "log_attention, TensorFlow": "1.1 copies, p99 3",
}


def _figure(name: str, taken: list[float], one: float) -> Figure:
    return Figure(name, _copies(taken, one), GOALS.get(name, "p99 3" if name.endswith("busy") else ""))


def _copies(taken: list[float], one: float) -> str:
    return f"{_spread(taken)}: {median(taken) / one:.2f} copies, p99 {percentile(taken, 0.99) / one:.2f}"


def _spread(taken: list[float]) -> str:
    return f"{seconds(median(taken))}, p99 {seconds(percentile(taken, 0.99))}"


if __name__ == "__main__":
    main()
