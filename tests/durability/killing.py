"""Training loops that are killed: `python killing.py FOLDER TRIALS SEED`.

One process imports everything and then forks a child per trial, which logs until it is killed at a random
moment. Each child says through a pipe what it logged and what `flush` returned for; what was said of all
trials goes to standard output as JSON.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import struct
import sys
import time
from dataclasses import dataclass, field

import numpy as np

import tb_llmdebug as llmdebug
from tb_llmdebug.writing import files

TOGETHER = 6
"""children that live at the same time"""
_SAID = struct.Struct("<cqd")


def maps_of(step: int) -> tuple[np.ndarray, ...]:
    """Return what is logged at `step`: two layers, every seventh step large."""
    size = 96 if step % 7 == 3 else 20
    weights = np.random.default_rng(step).random((2, 1, 3, size, size)).astype(np.float32)
    return tuple(weights / weights.sum(axis=-1, keepdims=True))


def log_for_ever(folder: str, said: int, seed: int) -> None:
    """Log, now and then flush, and say both."""
    generator = random.Random(seed)
    files.ROLL_BYTES = 300_000
    writer = llmdebug.Writer(folder, inline=seed % 2 == 0)
    tokens = [[f"token {place}" for place in range(20)]]
    for step in range(1 << 30):
        small = step % 7 != 3
        accepted = llmdebug.log_attention(
            "decoder", maps_of(step), tokens=tokens if small else None, step=step, writer=writer
        )
        if accepted:
            os.write(said, _SAID.pack(b"L", step, time.monotonic()))
        if generator.random() < 0.2 and writer.flush(30):
            os.write(said, _SAID.pack(b"F", step, time.monotonic()))
        time.sleep(generator.random() * 0.02)


@dataclass
class Trial:
    """One child."""

    folder: str
    process: int
    pipe: int
    kill_at: float
    after_flush: bool
    said: bytearray = field(default_factory=bytearray)


def start(folder: str, seed: int, generator: random.Random) -> Trial:
    """Fork a child."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            log_for_ever(folder, writing, seed)
        finally:
            os._exit(1)
    os.close(writing)
    lives = generator.uniform(1.2, 2.5) if generator.random() < 0.15 else generator.uniform(0, 0.5)
    return Trial(folder, process, reading, time.monotonic() + lives, seed % 3 == 1)


def end(trial: Trial) -> dict[str, object]:
    """Kill a child and return what it had said."""
    killed = time.monotonic()
    os.kill(trial.process, signal.SIGKILL)
    _, status = os.waitpid(trial.process, 0)
    while data := os.read(trial.pipe, 1 << 16):
        trial.said += data
    os.close(trial.pipe)
    said = list(_SAID.iter_unpack(trial.said[: len(trial.said) // _SAID.size * _SAID.size]))
    return {
        "folder": trial.folder,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "flushed": max((step for what, step, _ in said if what == b"F"), default=-1),
        "logged": max((step for what, step, _ in said if what == b"L"), default=-1),
        "a_second_before": max(
            (step for what, step, when in said if what == b"L" and when < killed - 1), default=-1
        ),
    }


def is_due(trial: Trial) -> bool:
    """Return whether its moment has come; for one child in three, the moment after a flush returned."""
    if trial.kill_at > time.monotonic():
        return False
    return (
        not trial.after_flush or trial.said[-_SAID.size :][:1] == b"F" or trial.kill_at + 1 < time.monotonic()
    )


def main(root: str, trials: int, seed: int) -> None:
    """Run `trials` children, a few at a time."""
    generator = random.Random(seed)
    waiting = [(os.path.join(root, str(number)), seed + number) for number in range(trials)]
    running: list[Trial] = []
    ended = []
    while waiting or running:
        while waiting and len(running) < TOGETHER:
            running.append(start(*waiting.pop(), generator))
        # A pipe that is full would stop its child.
        ready, _, _ = select.select([trial.pipe for trial in running], [], [], 0.002)
        for trial in list(running):
            if trial.pipe in ready:
                trial.said += os.read(trial.pipe, 1 << 16)
            if is_due(trial):
                running.remove(trial)
                ended.append(end(trial))
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
