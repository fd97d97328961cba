import numpy as np
import tensorflow as tf

from llmdebug_demo.attributions import embedding_table, make_explanation
from llmdebug_demo.batches import left_pad
from llmdebug_demo.model import CORRECT, build_model


def test_gradient_times_input_is_the_slope_along_each_token():
    tf.keras.utils.set_random_seed(0)
    model = build_model(vocabulary=32, end_of_text=0)
    batch = left_pad([[7, 3, 11, 5], [9, 4]], 4, padding_id=1)
    ids, mask = tf.constant(batch.ids), tf.constant(batch.mask)
    scores, targets, outputs = make_explanation(model, CORRECT)(ids, mask)
    plain = model(ids, training=False, **CORRECT.arguments(mask)).logits[:, -1].numpy()
    assert targets.numpy().tolist() == plain.argmax(-1).tolist()
    np.testing.assert_allclose(outputs, plain.max(-1), atol=1e-5)
    assert np.abs(scores.numpy()[1, :2]).max() == 0  # padding that is masked says nothing

    # Independent of any gradient: stretch one token's embedding a little and see what F does.
    embedded = tf.gather(embedding_table(model), ids).numpy()
    stretch = 1e-2
    for example, token in [(0, 0), (0, 2), (0, 3), (1, 3)]:
        found = []
        for sign in (1, -1):
            moved = embedded.copy()
            moved[example, token] *= 1 + sign * stretch
            output = model(None, inputs_embeds=moved, training=False, **CORRECT.arguments(mask))
            found.append(float(output.logits[example, -1, int(targets[example])]))
        slope = (found[0] - found[1]) / (2 * stretch)
        np.testing.assert_allclose(scores[example, token], slope, atol=2e-3, rtol=2e-2)
