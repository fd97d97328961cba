"""What a model is judged by: cross-entropy in nats per real token, beside the unigram entropy."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from llmdebug_demo.batches import Batch
from llmdebug_demo.model import Convention

# Held-out loss over unigram entropy: a model that only knows how often each token occurs reaches 1.
GOOD_ENOUGH = 0.8

Evaluation = Callable[[Sequence[Batch]], float]


class PretrainingTooWeak(RuntimeError):
    """The model has not learned more than the frequencies of the tokens."""


def token_loss(logits: tf.Tensor, ids: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum the cross-entropy of each next token, and count them.

    Only real tokens that follow a real token count, in every run alike: what padding does to a run
    is then the model's doing, not the measure's.

    logits: [batch, tokens, vocabulary]; ids, mask: [batch, tokens] -> two scalars
    """
    counted = tf.cast(mask[:, 1:] * mask[:, :-1], logits.dtype)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids[:, 1:], logits=logits[:, :-1])
    return tf.reduce_sum(losses * counted), tf.reduce_sum(counted)


def make_evaluation(model: Any, convention: Convention) -> Evaluation:
    """Compile the mean loss over batches, with the model called as `convention` says.

    Take batches of one shape, or each shape is compiled anew.
    """

    def sums(ids: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        output = model(ids, training=False, **convention.arguments(mask))
        return token_loss(output.logits, ids, mask)

    compiled = tf.function(sums)

    def evaluate(batches: Sequence[Batch]) -> float:
        pairs = [compiled(tf.constant(batch.ids), tf.constant(batch.mask)) for batch in batches]
        tokens = sum(float(count) for _, count in pairs)
        return sum(float(loss) for loss, _ in pairs) / tokens if tokens else math.nan

    return evaluate


def unigram_entropy(ids: Iterable[int]) -> float:
    """Compute -sum p ln p in nats: the least loss that frequencies alone can reach on this text."""
    counts = Counter(ids)
    total = sum(counts.values())
    return -sum(count / total * math.log(count / total) for count in counts.values())


def require_learning(loss: float, entropy: float) -> None:
    """Refuse to go on from a model that has learned nothing: its maps would mean nothing."""
    if not loss < GOOD_ENOUGH * entropy:
        raise PretrainingTooWeak(
            f"Pre-training reached a held-out loss of {loss:.2f}, not well below the unigram entropy "
            f"of {entropy:.2f} (less than {GOOD_ENOUGH:.0%} of it); train longer with --steps 2."
        )
