import numpy as np
import pytest
import tensorflow as tf

from llmdebug_demo.batches import left_pad
from llmdebug_demo.model import (
    CORRECT,
    LAYERS,
    MISTAKEN,
    build_model,
    freeze_lower_layers,
    position_ids,
)

SENTENCE = [7, 3, 11, 5, 2]


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(0)
    return build_model(vocabulary=32, end_of_text=0)


def logits(model, width, convention):
    batch = left_pad([SENTENCE], width, padding_id=1)
    arguments = convention.arguments(tf.constant(batch.mask))
    output = model(tf.constant(batch.ids), training=False, **arguments)
    return output.logits.numpy()[0, -len(SENTENCE) :]


def test_positions_count_real_tokens():
    mask = tf.constant([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    assert position_ids(mask).numpy().tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]


def test_with_mask_and_positions_padding_changes_nothing(model):
    np.testing.assert_allclose(logits(model, 12, CORRECT), logits(model, 5, CORRECT), atol=1e-5)
    np.testing.assert_allclose(logits(model, 5, CORRECT), logits(model, 5, MISTAKEN), atol=1e-5)


def test_without_them_it_changes_the_prediction(model):
    difference = np.abs(logits(model, 12, MISTAKEN) - logits(model, 5, MISTAKEN)).max()
    assert difference > 1e-2


def test_a_mask_without_positions_is_not_enough(model):
    batch = left_pad([SENTENCE], 12, padding_id=1)
    output = model(tf.constant(batch.ids), attention_mask=tf.constant(batch.mask), training=False)
    without_positions = output.logits.numpy()[0, -len(SENTENCE) :]
    assert np.abs(without_positions - logits(model, 5, CORRECT)).max() > 1e-2


def test_freezing_leaves_the_upper_layers_to_train():
    model = build_model(vocabulary=32, end_of_text=0)
    freeze_lower_layers(model, 2)
    names = {variable.name for variable in model.trainable_variables}
    assert not [name for name in names if "wte" in name or "wpe" in name]
    trained = {layer for layer in range(LAYERS) for name in names if f"h_._{layer}/" in name}
    assert trained == {2, 3}
