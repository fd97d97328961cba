"""A byte-level BPE tokenizer trained on the demo's own text.

Byte-level: any text can be written, also Chinese, which the training text hardly holds; one
character then takes up to three tokens.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 1024
END_OF_TEXT = "<|endoftext|>"
PADDING = "<|pad|>"


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """Train on `texts`; the result pads on the left, as decoder models want it for generation."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT, PADDING],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_OF_TEXT,
        pad_token=PADDING,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def encode_all(tokenizer: PreTrainedTokenizerFast, texts: Iterable[str]) -> list[list[int]]:
    """Encode each text and close it with the end-of-text token."""
    # The slow path of a long list: one call encodes in parallel and does not warn about lengths.
    ids = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    return [[*one, tokenizer.eos_token_id] for one in ids]


def token_text(tokenizer: PreTrainedTokenizerFast, token_id: int) -> str:
    """Write one token so that it can be read, also where it is only a part of a character."""
    text = str(tokenizer.decode([token_id]))
    return text if "\ufffd" not in text else f"<part of a character, token {token_id}>"


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Save beside a checkpoint, so that the folder can be loaded as a whole."""
    tokenizer.save_pretrained(str(folder))
