"""Logs faster than its disk writes, and prints what became of it: `python slow_disk.py LOGDIR`.

Where nothing below Python slows the writes down, the variable SLOW_WRITES has it done here.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np

import tb_llmdebug as llmdebug

SLOW_WRITES = "LLMDEBUG_TEST_SLOW_WRITES"
STEPS = 24
MAPS = np.random.default_rng(0).random((1, 4, 64, 64), np.float32)


def _slow_down() -> None:
    """Let every write of this process but those to its output take as long as slow_write.c has them take."""
    write = os.write

    def slow(file: int, data: memoryview) -> int:
        if file > 2:
            time.sleep(0.06)
        return write(file, data)

    os.write = slow


def main(logdir: str) -> None:
    """Log all steps in a row, then wait for the disk."""
    if os.environ.get(SLOW_WRITES):
        _slow_down()
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
