import math

import numpy as np
import pytest
import tensorflow as tf

from llmdebug_demo.losses import PretrainingTooWeak, require_learning, token_loss, unigram_entropy


def test_only_real_tokens_after_real_tokens_count():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 4, 6)).astype(np.float32)
    ids = np.array([[1, 1, 4, 2], [3, 0, 5, 2]], np.int32)
    mask = np.array([[0, 0, 1, 1], [1, 1, 1, 1]], np.int32)
    total, count = token_loss(tf.constant(logits), tf.constant(ids), tf.constant(mask))
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -sum(log_p[row, at, ids[row, at + 1]] for row, at in [(0, 2), (1, 0), (1, 1), (1, 2)])
    assert float(count) == 4
    assert float(total) == pytest.approx(expected, rel=1e-5)


def test_unigram_entropy():
    assert unigram_entropy([0, 1, 2, 3]) == pytest.approx(math.log(4))
    assert unigram_entropy([7, 7, 7]) == 0


def test_a_model_that_knows_only_frequencies_is_refused():
    require_learning(3.8, 5.6)
    for loss in (5.5, math.nan):
        with pytest.raises(PretrainingTooWeak, match=r"not well below the unigram entropy of 5\.60"):
            require_learning(loss, 5.6)
