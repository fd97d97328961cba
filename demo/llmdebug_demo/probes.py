"""The same sentences, shown to every model at every logged step."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from transformers import PreTrainedTokenizerFast

import tb_llmdebug as llmdebug
from llmdebug_demo.batches import Batch, left_pad
from llmdebug_demo.model import Convention

NAME = "decoder"
INSIDE = "decoder, with vectors"

SENTENCES = (
    "The for statement is used to iterate over the elements of a sequence.",  # pre-training's style
    "Return True if the given path is an existing directory, otherwise False.",  # fine-tuning's style
    "def read(path):\n    with open(path) as file:\n        return file.read()",
    "语言模型预测下一个词。",  # each character is three tokens
    "one two three four one two three four one two",  # can it copy?
    "Return a copy.",  # the shortest: mostly padding
)


def probe_batch(tokenizer: PreTrainedTokenizerFast, width_limit: int) -> Batch:
    """Tokenize the sentences and pad them on the left to the longest, at most `width_limit`."""
    ids = tokenizer(list(SENTENCES), add_special_tokens=False, verbose=False)["input_ids"]
    width = min(width_limit, max(len(sequence) for sequence in ids))
    return left_pad(ids, width, tokenizer.pad_token_id)


def make_probe(
    model: Any, convention: Convention, batch: Batch, tokenizer: PreTrainedTokenizerFast
) -> Callable[[tf.Tensor], Any]:
    """Compile a function of the step that runs the probes and logs their attention from the graph.

    Call it for the first time while the run's writer is active: as with `tf.summary`, that is when
    the writer is bound.
    """
    ids = tf.constant(batch.ids)
    # What the data pipeline knows to be real, whether or not the model is told. It is by this mask
    # that weight on padding is found.
    mask = tf.constant(batch.mask)
    tokens = llmdebug.TokenIds(batch.ids, tokenizer)

    def probe(step: tf.Tensor) -> tf.Tensor:
        # training=False: with dropout on, the rows would not be the probabilities that were used.
        output = model(ids, training=False, output_attentions=True, **convention.arguments(mask))
        llmdebug.log_attention(NAME, output.attentions, tokens=tokens, mask=mask, causal=True, step=step)
        return output.logits

    compiled: Callable[[tf.Tensor], Any] = tf.function(probe)
    return compiled


def look_inside(
    model: Any, convention: Convention, batch: Batch, tokenizer: PreTrainedTokenizerFast, step: int
) -> None:
    """Log the probes with their query, key and value vectors: the page shows how a weight comes about.

    Too much for every logged step, so it is done where weights are saved.
    """
    llmdebug.log_probe(
        INSIDE,
        model,
        {"input_ids": tf.constant(batch.ids), **convention.arguments(tf.constant(batch.mask))},
        tokens=llmdebug.TokenIds(batch.ids, tokenizer),
        mask=batch.mask,
        causal=True,
        vectors=True,
        step=step,
    )
