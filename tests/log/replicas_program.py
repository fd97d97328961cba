"""A program of its own, because a process that used its processor as one device can no longer split it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

import tb_llmdebug as llmdebug

STEPS = 3


def main(logdir: Path) -> None:
    """Log from two replicas, through both kinds of writers."""
    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    for sink in (llmdebug.Writer(logdir / "ours"), tf.summary.create_file_writer(str(logdir / "tf"))):
        with sink.as_default():
            run = tf.function(lambda step: strategy.run(replica, (step,)))
            for step in range(STEPS):
                run(tf.constant(step, tf.int64))
        sink.close()


def replica(step: tf.Tensor) -> Any:
    """Log a map that is right on the first replica and empty on the other."""
    number = tf.distribute.get_replica_context().replica_id_in_sync_group
    maps = tf.fill([1, 1, 2, 2], 0.5) * tf.cast(1 - number, tf.float32)
    return llmdebug.log_attention("decoder", (maps,), step=step)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
