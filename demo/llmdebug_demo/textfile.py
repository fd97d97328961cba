"""Fine-tuning examples from one text file of the user's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from llmdebug_demo.batches import Batch, ordered_batches, shuffled_batches
from llmdebug_demo.corpus import HELD_OUT_SHARE
from llmdebug_demo.training import Data

HELD_OUT_BATCHES = 8
SAMPLE_BATCHES = 2
SHORTEST_EXAMPLE = 2  # tokens: one to read, one to predict


class UnusableText(ValueError):
    """The text file cannot be read, or holds too little."""


def read_paragraphs(path: Path) -> list[str]:
    """Split a text file at its empty lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableText(f"{path} cannot be read ({error.strerror}); give a text file.") from error
    except UnicodeDecodeError as error:
        raise UnusableText(f"{path} is not UTF-8 text; convert it first.") from error
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def paragraph_data(
    paragraphs: Sequence[str],
    tokenizer: PreTrainedTokenizerFast,
    probes: Batch,
    *,
    width: int,
    batch: int,
    seed: int,
) -> Data:
    """Make batches of paragraphs, each cut at `width` tokens; every tenth is held out."""
    encoded = tokenizer(list(paragraphs), add_special_tokens=False, verbose=False)["input_ids"]
    examples = [ids for ids in encoded if len(ids) >= SHORTEST_EXAMPLE]
    every = round(1 / HELD_OUT_SHARE)
    held_out = examples[every - 1 :: every]
    training = [ids for place, ids in enumerate(examples) if place % every != every - 1]
    if len(training) < batch or not held_out:
        raise UnusableText(
            f"The text has {len(examples)} usable paragraphs; at least {max(batch + 2, every)} are "
            "needed, separated by empty lines (or pass a smaller --batch)."
        )
    padding = int(tokenizer.pad_token_id)
    judged = ordered_batches(held_out, width, min(batch, len(held_out)), padding)[:HELD_OUT_BATCHES]
    generator = np.random.default_rng(seed)
    return Data(
        batches=shuffled_batches(training, width, batch, padding, generator),
        held_out=judged,
        held_out_sample=judged[:SAMPLE_BATCHES],
        probes=probes,
        tokenizer=tokenizer,
    )
