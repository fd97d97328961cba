"""Taps under MirroredStrategy on two virtual CPU devices, which must be made before TensorFlow starts.

Run as a program by test_keras_adapter.py; prints what the taps delivered.
"""

import json
import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tb_llmdebug.capture.adapters import tap

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)


def main() -> None:
    """Run a model on two replicas, eagerly and in a graph."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    keras.utils.set_random_seed(0)
    with strategy.scope():
        inputs = keras.Input((None, 8))
        x = inputs
        for number in range(2):
            layer = keras.layers.MultiHeadAttention(2, 4, dropout=0.1, name=f"attention{number}")
            x = layer(x, x, use_causal_mask=True)
        model = keras.Model(inputs, x)
    data = np.random.default_rng(0).normal(size=(2, 3, 5, 8)).astype("f")

    def per_replica(context: Any) -> Any:
        return tf.constant(data[context.replica_id_in_sync_group])

    def step(x: Any) -> Any:
        return model(x)

    values = strategy.experimental_distribute_values_from_function(per_replica)
    plain = strategy.experimental_local_results(strategy.run(step, (values,)))
    seen: list[Any] = []
    with tap(model, "weights", each=seen.append):
        for _ in range(2):
            tapped = strategy.experimental_local_results(strategy.run(step, (values,)))
    expected = []
    for replica in range(2):
        with tap(model, "weights") as captured:
            model(data[replica])
        expected.append([np.asarray(taps.weights) for taps in captured])

    with tap(model, "weights") as kept:
        graph = strategy.experimental_local_results(tf.function(lambda v: strategy.run(step, (v,)))(values))
    same = [
        np.array_equal(one, eager) and np.allclose(one, compiled)
        for one, eager, compiled in zip(plain, tapped, graph, strict=True)
    ]
    found = {
        "same": same,
        "order": sorted([taps.call, taps.replica, taps.layer] for taps in seen),
        "weights": all(
            np.allclose(taps.weights, expected[taps.replica][taps.layer], atol=1e-6) for taps in seen
        ),
        "graph": sorted([taps.call, taps.replica, taps.layer] for taps in kept),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
