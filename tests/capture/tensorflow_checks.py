"""What must hold of the taps in any model on TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import tb_llmdebug.capture.keras_adapter as adapter
from tb_llmdebug.capture.adapters import tap
from tb_llmdebug.capture.taps import PARTS, Captured, LayerTaps


def arrays(structure: Any) -> list[np.ndarray]:
    """Return every number that a model returned."""
    if hasattr(structure, "to_tuple"):
        structure = structure.to_tuple()
    return [np.asarray(part) for part in tf.nest.flatten(structure) if part is not None]


def assert_bit_equal(first: Any, second: Any) -> None:
    first, second = arrays(first), arrays(second)
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        assert one.dtype == other.dtype and one.tobytes() == other.tobytes()


def layers_of(model: Any) -> list[Any]:
    return list(model._flatten_layers())


def marks(model: Any) -> list[dict[str, Any]]:
    """Return what stands on every layer itself, to be compared with `==` on identity."""
    return [{name: id(value) for name, value in vars(layer).items()} for layer in layers_of(model)]


def run(model: Any, inputs: Any, training: bool = False) -> Any:
    if isinstance(inputs, dict) and adapter._takes_keywords(model, inputs):
        return model(**inputs, training=training)
    return model(inputs, training=training)


def floats(structure: Any) -> list[Any]:
    return [part for part in tf.nest.flatten(structure) if part is not None and part.dtype.is_floating]


def loss_and_gradients(model: Any, inputs: Any) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        out = [
            part
            for part in tf.nest.flatten(run(model, inputs))
            if part is not None and part.dtype.is_floating
        ]
        loss = tf.add_n([tf.reduce_sum(tf.cast(part, tf.float32) ** 2) for part in out])
    gradients = tape.gradient(loss, model.trainable_variables)
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    assert len(dense) > 4
    return arrays([loss, *dense])


def trained(model: Any, inputs: Any, steps: int = 3) -> list[np.ndarray]:
    """Return the weights after some steps; the model gets its old ones back."""
    before = [variable.numpy().copy() for variable in model.trainable_variables]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            out = floats(run(model, inputs))
            loss = tf.add_n([tf.reduce_mean(tf.cast(part, tf.float32) ** 2) for part in out])
        for variable, gradient in zip(
            model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
        ):
            if gradient is not None:
                variable.assign(variable - 0.1 * tf.cast(tf.convert_to_tensor(gradient), variable.dtype))
    after = [variable.numpy().copy() for variable in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, before, strict=True):
        variable.assign(value)
    return after


def check_changes_nothing(model: Any, inputs: Any) -> None:
    """Outputs, gradients and trained weights are those of the model without taps, to the bit."""
    plain = adapter.probe(model, inputs), loss_and_gradients(model, inputs), trained(model, inputs)
    before = marks(model)
    with tap(model, *PARTS):
        tapped = adapter.probe(model, inputs), loss_and_gradients(model, inputs), trained(model, inputs)
    for one, other in zip(plain, tapped, strict=True):
        assert_bit_equal(one, other)
    assert marks(model) == before


def capture(model: Any, inputs: Any, *parts: str, **settings: Any) -> Captured:
    with tap(model, *(parts or PARTS), **settings) as captured:
        adapter.probe(model, inputs)
    assert len(captured)
    return captured


def repeated(taps: LayerTaps, values: Any) -> np.ndarray:
    values = np.asarray(values)
    return np.repeat(values, taps.shape[1] // values.shape[1], axis=1)


def check_parts_agree(taps: LayerTaps, scale: float | None, soft_cap: float = 0.0) -> None:
    """softmax(logits) = weights, weights v = output, scale q k^T = logits where nothing is masked."""
    batch, heads, queries, keys = taps.shape
    key_value_heads = taps.key_value_heads or heads
    assert taps.q.shape[:3] == (batch, heads, queries)
    assert taps.k.shape[:3] == taps.v.shape[:3] == (batch, key_value_heads, keys)
    assert taps.weights.shape == taps.logits.shape == taps.shape
    assert taps.output.shape == (batch, heads, queries, taps.v.shape[-1])
    np.testing.assert_allclose(tf.nn.softmax(taps.logits), taps.weights, atol=1e-6)
    np.testing.assert_allclose(taps.weights @ repeated(taps, taps.v), taps.output, atol=1e-5)
    if scale is not None:
        expected = np.asarray(taps.q) @ repeated(taps, taps.k).swapaxes(2, 3) * scale
        if soft_cap:
            expected = np.tanh(expected / soft_cap) * soft_cap
        logits = np.asarray(taps.logits)
        open_ = logits > -1e3
        assert open_.sum() > 0
        np.testing.assert_allclose(logits[open_], expected[open_], atol=1e-5)
        assert np.all(np.asarray(taps.weights)[~open_] == 0)
    assert taps.block is not None
    piece = taps.block(batch - 1, slice(1, heads), np.array([queries - 1, 0]))
    assert piece.dtype == np.float32
    expected = np.asarray(taps.weights)[batch - 1, 1:, [queries - 1, 0]].swapaxes(0, 1)
    # Fewer rows at once are summed in another order on some processors.
    np.testing.assert_allclose(piece, expected, atol=1e-6)
    piece = taps.block(0, slice(0, 1), slice(1, 3))
    np.testing.assert_allclose(piece, np.asarray(taps.weights)[0, :1, 1:3], atol=1e-6)


def check_chosen_heads_and_rows(model: Any, inputs: Any, whole: Captured) -> None:
    heads, rows = [1, 0], [3, 1]
    for part in capture(model, inputs, "weights", "logits", "output", heads=heads, rows=rows):
        of = next(taps for taps in whole if (taps.group, taps.layer) == (part.group, part.layer))
        for name in ("weights", "logits", "output"):
            expected = np.asarray(getattr(of, name))[:, heads][:, :, rows]
            np.testing.assert_allclose(getattr(part, name), expected, atol=1e-6)
        assert part.q is part.k is part.v is None and part.shape == of.shape


def check_gradients(
    model: Any, inputs: Any, scale: float, biases: dict[str, Any] | None = None, weights: bool = True
) -> None:
    """A gradient with respect to a tapped tensor is the one that the chain rule gives.

    Args:
        scale: of the logits.
        biases: variables that are added to q and v as they are made: their gradient is the sum of the
            tensor's over the batch and time.
        weights: whether the layer makes weights that the model goes on from.
    """
    names = ["q", "v", "output", *(["weights"] if weights else [])]
    with tf.GradientTape(persistent=True) as tape:
        with tap(model, *PARTS) as captured:
            out = next(
                p for p in tf.nest.flatten(run(model, inputs)) if p is not None and p.dtype.is_floating
            )
        loss = tf.reduce_sum(tf.cast(out, tf.float32) ** 3)
    taps = captured[0]
    gradients = {name: np.asarray(tape.gradient(loss, getattr(taps, name))) for name in names}
    own_weights, of_output = np.asarray(taps.weights), gradients["output"]
    of_weights = of_output @ repeated(taps, taps.v).swapaxes(2, 3)
    expected = {"weights": of_weights, "v": own_weights.swapaxes(2, 3) @ of_output}
    of_logits = own_weights * (of_weights - (of_weights * own_weights).sum(-1, keepdims=True))
    expected["q"] = of_logits @ repeated(taps, taps.k) * scale
    batch, _, keys, size = expected["v"].shape
    expected["v"] = expected["v"].reshape(batch, taps.v.shape[1], -1, keys, size).sum(2)
    for name in set(names) - {"output"}:
        close(gradients[name], expected[name])
    for name, bias in (biases or {}).items():
        close(gradients[name].sum(axis=(0, 2)).ravel(), np.asarray(tape.gradient(loss, bias)).ravel())


def close(one: np.ndarray, other: np.ndarray) -> None:
    size = np.abs(other).max()
    assert size > 0
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * size)
