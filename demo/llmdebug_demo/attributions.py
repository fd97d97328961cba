"""Gradient x input: how much each token speaks for the next token that the model predicts."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from transformers import PreTrainedTokenizerFast

import tb_llmdebug as llmdebug
from llmdebug_demo.batches import Batch
from llmdebug_demo.model import Convention
from llmdebug_demo.tokenizer import token_text

NAME = "next token"
METHOD = "gradient x input"

# ids, mask -> scores [batch, tokens], target ids [batch], outputs [batch]
Explanation = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def make_explanation(model: Any, convention: Convention) -> Explanation:
    """Compile the attribution of the most likely next token's logit F(x) to the token embeddings.

    The score of a token is the inner product of its embedding with the gradient of F there: the
    first-order estimate of what F would lose without it.
    """
    table = embedding_table(model)

    def explain(ids: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        embedded = tf.gather(table, ids)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(embedded)
            arguments = convention.arguments(mask)
            output = model(None, inputs_embeds=embedded, training=False, **arguments)
            last = output.logits[:, -1]  # padding is on the left, so the last token is real
            target = tf.argmax(last, axis=-1, output_type=tf.int32)
            chosen = tf.gather(last, target, batch_dims=1)
        # Examples do not see each other, so the gradient of the sum holds that of each.
        gradient = tape.gradient(chosen, embedded)
        return tf.reduce_sum(gradient * embedded, axis=-1), target, chosen

    compiled: Explanation = tf.function(explain)
    return compiled


def embedding_table(model: Any) -> tf.Variable:
    """Find the matrix [vocabulary, width] that turns token ids into vectors."""
    return model.get_input_embeddings().weights[0]


def log_explanation(
    explain: Explanation, batch: Batch, tokenizer: PreTrainedTokenizerFast, step: int
) -> None:
    """Explain what the model predicts after each probe, and log it."""
    scores, targets, outputs = explain(tf.constant(batch.ids), tf.constant(batch.mask))
    llmdebug.log_attribution(
        NAME,
        scores,
        tokens=llmdebug.TokenIds(batch.ids, tokenizer),
        method=METHOD,
        target=[token_text(tokenizer, int(target)) for target in targets.numpy()],
        output=outputs,
        step=step,
    )
