"""How much slower the demo's training loop is with logging.

One process each trains without a probe, with the probe's forward pass alone, and with the probe logged. All
are ready before the clock starts; then they take turns, ten steps at a time, so that whatever else the
machine does falls on all of them. What counts is the median over the turns of each turn's ratio to the plain
loop's turn beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.report import Figure, median, percentile, print_figures, seconds

MODES = ("plain", "probe", "logged")
EVERY = 10
TURNS = 60
WARM_TURNS = 3
ROOT = Path(__file__).parent.parent

Turn = tuple[float, float, float]
"""seconds on the clock, seconds of processor time, seconds on the clock in the probe alone"""


def main() -> None:
    """Measure and print."""
    turns: dict[str, list[Turn]] = {mode: [] for mode in MODES}
    with ExitStack() as stack:
        processes = {mode: stack.enter_context(_process(mode)) for mode in MODES}
        for process in processes.values():
            _answer(process)  # ready
        for turn in range(WARM_TURNS + TURNS):
            # Each mode comes first as often as the others.
            for mode in (*MODES[turn % 3 :], *MODES[: turn % 3]):
                taken = _turn(processes[mode])
                if turn >= WARM_TURNS:
                    turns[mode].append(taken)
        for process in processes.values():
            assert process.stdin is not None
            process.stdin.close()
    print_figures(
        f"The demo's loop: {TURNS} turns of {EVERY} steps, a probe of 6 sentences in each",
        [
            Figure("a turn without a probe", seconds(median([clock for clock, *_ in turns["plain"]]))),
            Figure("with the probe's forward pass alone", _slower(turns, "probe")),
            Figure("with the probe and log_attention", _slower(turns, "logged"), "+2 %"),
            Figure("of which the loop waits for the probe and its call", _waited(turns["logged"])),
        ],
    )


def _slower(turns: dict[str, list[Turn]], mode: str) -> str:
    """Return by how much a mode is slower than the plain loop, on the clock and in processor time."""
    ratios = [
        [taken[place] / plain[place] - 1 for taken, plain in zip(turns[mode], turns["plain"], strict=True)]
        for place in (0, 1)
    ]
    clock, processor = (
        f"{median(found):+.1%} (middle half {percentile(found, 0.25):+.1%} to {percentile(found, 0.75):+.1%})"
        for found in ratios
    )
    return f"{clock} on the clock, {processor} of processor time"


def _waited(turns: list[Turn]) -> str:
    """Return how much of a turn the loop itself stood still for; less noisy than what two processes take."""
    return f"{median([waited / (clock - waited) for clock, _, waited in turns]):+.1%}"


def _process(mode: str) -> subprocess.Popen[str]:
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "benchmarks.training_loop", mode]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _turn(process: subprocess.Popen[str]) -> Turn:
    assert process.stdin is not None
    process.stdin.write("turn\n")
    process.stdin.flush()
    clock, processor, waited = _answer(process)
    return float(clock), float(processor), float(waited)


def _answer(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a process of the benchmark ended with status {process.wait()}.")
    return line.split()


def _serve(mode: str) -> None:
    """Make everything ready, then take a turn per line of the input."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        take_turn = _loop(mode, folder, stack)
        print("ready", flush=True)
        for _ in sys.stdin:
            clock, processor = time.perf_counter(), time.process_time()
            waited = take_turn()
            print(time.perf_counter() - clock, time.process_time() - processor, waited, flush=True)


def _loop(mode: str, folder: str, stack: ExitStack) -> Callable[[], float]:
    """Return a function that trains for a turn and says how long its probe took; everything is compiled."""
    sys.path.insert(0, str(ROOT / "demo"))
    import tensorflow as tf

    import tb_llmdebug as llmdebug
    from llmdebug_demo import model as demo_model
    from llmdebug_demo import probes, stages, training

    texts = stages.prepare_texts()
    model = demo_model.build_model(len(texts.tokenizer), texts.tokenizer.eos_token_id)
    recipe = training.Recipe("benchmark", 10_000, EVERY, 1e-3, demo_model.CORRECT)
    step_once = training.make_train_step(model, recipe)
    ids = tf.random.uniform([stages.FINE_TUNING_BATCH, demo_model.CONTEXT], 1, 500, tf.int32)
    mask = tf.ones_like(ids)
    stack.enter_context(llmdebug.Writer(folder))
    stack.enter_context(tf.summary.record_if(mode == "logged"))
    probe = probes.make_probe(model, demo_model.CORRECT, texts.probes, texts.tokenizer)
    number = 0

    def take_turn() -> float:
        nonlocal number
        start = time.perf_counter()
        if mode != "plain":
            probe(tf.constant(number, tf.int64))
        waited = time.perf_counter() - start
        for _ in range(EVERY):
            loss = step_once(ids, mask)
            float(loss)  # the demo shows it after every step
        number += EVERY
        return waited

    take_turn()
    return take_turn


if __name__ == "__main__":
    _serve(sys.argv[1])
