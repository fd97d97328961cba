"""A real tokenizer of a few words, for models that the tests make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tokenizers
import transformers


def tokenizer_of(words: Sequence[str]) -> Any:
    """Return a fast tokenizer of Hugging Face; the first word stands for all others."""
    model = tokenizers.models.WordLevel({word: place for place, word in enumerate(words)}, words[0])
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token=words[0])
