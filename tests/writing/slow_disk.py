"""Logs faster than its disk writes, and prints what became of it: `python slow_disk.py LOGDIR`."""

from __future__ import annotations

import json
import sys

import numpy as np

import tb_llmdebug as llmdebug

STEPS = 24
MAPS = np.random.default_rng(0).random((1, 4, 64, 64), np.float32)


def main(logdir: str) -> None:
    """Log all steps in a row, then wait for the disk."""
    with llmdebug.Writer(logdir, queue_bytes=8 * MAPS.nbytes) as writer:
        accepted = [llmdebug.log_attention("decoder", (MAPS,), step=step) for step in range(STEPS)]
        meanwhile = writer.status().written
        writer.flush()
        end = writer.status()
    found = {
        "accepted": accepted,
        "meanwhile": meanwhile,
        "dropped": end.dropped_maps,
        "lost": end.lost_records,
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
