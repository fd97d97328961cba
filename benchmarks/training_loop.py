"""How much slower the demo's training loop is with logging: processes in turn, probe pass included."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Figure, median, print_figures, seconds

ROUNDS = 2
STEPS = 100
EVERY = 10
DEMO = Path(__file__).parent.parent / "demo"


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {"plain": [], "probe": [], "logged": []}
    for _ in range(ROUNDS):
        for mode, times in taken.items():
            times.append(_in_process(mode))
    plain, probe, logged = (median(times) for times in taken.values())
    print_figures(
        f"The demo's loop: {STEPS} steps, a probe of 6 sentences every {EVERY}",
        [
            Figure("without logging", seconds(plain)),
            Figure("with the probe's forward pass alone", f"{seconds(probe)}, {probe / plain - 1:+.1%}"),
            Figure(
                "with the probe and log_attention", f"{seconds(logged)}, {logged / plain - 1:+.1%}", "+2 %"
            ),
        ],
    )


def _in_process(mode: str) -> float:
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "benchmarks.training_loop", mode]
    root = Path(__file__).parent.parent
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    return float(result.stdout.split()[-1])


def _measure(mode: str) -> float:
    """Return the seconds of STEPS steps, everything compiled before the clock starts."""
    sys.path.insert(0, str(DEMO))
    import tensorflow as tf

    import tb_llmdebug as llmdebug
    from llmdebug_demo import model as demo_model
    from llmdebug_demo import probes, stages, training

    texts = stages.prepare_texts()
    model = demo_model.build_model(len(texts.tokenizer), texts.tokenizer.eos_token_id)
    recipe = training.Recipe("benchmark", STEPS, EVERY, 1e-3, demo_model.CORRECT)
    step_once = training.make_train_step(model, recipe)
    ids = tf.random.uniform([stages.FINE_TUNING_BATCH, demo_model.CONTEXT], 1, 500, tf.int32)
    mask = tf.ones_like(ids)
    with tempfile.TemporaryDirectory() as folder, llmdebug.Writer(folder) as writer:
        with tf.summary.record_if(mode == "logged"):
            probe = probes.make_probe(model, demo_model.CORRECT, texts.probes, texts.tokenizer)
            for _ in range(3):
                step_once(ids, mask)
                probe(tf.constant(0, tf.int64))
        writer.flush()
        start = time.perf_counter()
        for step in range(STEPS):
            step_once(ids, mask)
            if mode != "plain" and step % EVERY == 0:
                probe(tf.constant(step, tf.int64))
        return time.perf_counter() - start


if __name__ == "__main__":
    print(_measure(sys.argv[1]))
