"""The stages of the demo in their order: texts, tokenizer, pre-training, fine-tuning."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from transformers import PreTrainedTokenizerFast, TFGPT2LMHeadModel

from llmdebug_demo.batches import (
    Batch,
    Ints,
    consecutive_windows,
    ordered_batches,
    random_windows,
    shuffled_batches,
)
from llmdebug_demo.corpus import python_topics, stdlib_docstrings
from llmdebug_demo.losses import unigram_entropy
from llmdebug_demo.model import CONTEXT, build_model, freeze_lower_layers
from llmdebug_demo.probes import probe_batch
from llmdebug_demo.progress import Advance
from llmdebug_demo.runs import PRETRAINING, FineTuning, Plan
from llmdebug_demo.tokenizer import encode_all, train_tokenizer
from llmdebug_demo.training import Data, Outcome, checkpoint_folder, train

PRETRAINING_BATCH = 8
FINE_TUNING_BATCH = 16
HELD_OUT_BATCHES = 20
SAMPLE_BATCHES = 4
SHORTEST_EXAMPLE = 5  # tokens


@dataclass(frozen=True)
class Texts:
    """Both texts as token ids, with the tokenizer that was trained on their training parts."""

    tokenizer: PreTrainedTokenizerFast
    topics: Ints
    topics_held_out: Ints
    docstrings: Sequence[list[int]]
    docstrings_held_out: Sequence[list[int]]
    probes: Batch


def prepare_texts() -> Texts:
    """Read both texts, train the tokenizer and encode; the same at every seed."""
    topics, docstrings = python_topics(), stdlib_docstrings()
    tokenizer = train_tokenizer([*topics.training, *docstrings.training])
    return Texts(
        tokenizer=tokenizer,
        topics=_stream(tokenizer, topics.training),
        topics_held_out=_stream(tokenizer, topics.held_out),
        docstrings=_examples(tokenizer, docstrings.training),
        docstrings_held_out=_spread(_examples(tokenizer, docstrings.held_out)),
        probes=probe_batch(tokenizer, CONTEXT),
    )


def make_reproducible(seed: int) -> None:
    """Make every random choice follow from the seed, and sums run in a fixed order."""
    tf_keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def pretrain(texts: Texts, plan: Plan, seed: int, logdir: Path, advance: Advance) -> Outcome:
    """Train the base model on running text and leave its checkpoints."""
    held_out = consecutive_windows(texts.topics_held_out, CONTEXT, PRETRAINING_BATCH)[:HELD_OUT_BATCHES]
    data = Data(
        batches=random_windows(texts.topics, CONTEXT, PRETRAINING_BATCH, np.random.default_rng(seed)),
        held_out=held_out,
        held_out_sample=held_out[:SAMPLE_BATCHES],
        probes=texts.probes,
        tokenizer=texts.tokenizer,
    )
    model = build_model(len(texts.tokenizer), texts.tokenizer.eos_token_id)
    return train(model, plan.pretraining_recipe(), data, logdir / PRETRAINING, advance)


def fine_tune(
    texts: Texts, plan: Plan, run: FineTuning, seed: int, logdir: Path, advance: Advance
) -> Outcome:
    """Train one run from the last checkpoint of the base model."""
    base = checkpoint_folder(logdir / PRETRAINING, plan.pretraining)
    model = TFGPT2LMHeadModel.from_pretrained(str(base))
    freeze_lower_layers(model, run.frozen_layers)
    padding, size = texts.tokenizer.pad_token_id, FINE_TUNING_BATCH
    held_out = ordered_batches(texts.docstrings_held_out, CONTEXT, size, padding)
    held_out = held_out[:HELD_OUT_BATCHES]
    # Every run sees the same batches in the same order: what differs is the run's own doing.
    generator = np.random.default_rng(seed + 1)
    data = Data(
        batches=shuffled_batches(texts.docstrings, CONTEXT, size, padding, generator),
        held_out=held_out,
        held_out_sample=held_out[:SAMPLE_BATCHES],
        probes=texts.probes,
        tokenizer=texts.tokenizer,
    )
    return train(model, plan.recipe(run), data, logdir / run.name, advance)


def held_out_entropy(texts: Texts) -> float:
    """Compute the unigram entropy of the text that pre-training is judged by."""
    return unigram_entropy(int(token) for token in texts.topics_held_out)


def _stream(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Ints:
    return np.array([token for ids in encode_all(tokenizer, texts) for token in ids], np.int32)


def _examples(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Keep docstrings that fit whole; their lengths differ widely, so most of a batch is padding."""
    encoded = encode_all(tokenizer, texts)
    return [ids for ids in encoded if SHORTEST_EXAMPLE <= len(ids) <= CONTEXT]


def _spread(examples: list[list[int]]) -> list[list[int]]:
    """Reorder so that any beginning of the list stands for all modules, not for the first few."""
    order = np.random.default_rng(0).permutation(len(examples))
    return [examples[index] for index in order]
