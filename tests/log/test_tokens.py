"""Tokens decoded by id, with real tokenizers trained here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import tb_llmdebug as llmdebug
from tb_llmdebug.log.tokens import read_tokens
from tests.data import softmax_maps

TEXT = "the cat sat on the mat"


@pytest.fixture(scope="module")
def byte_level() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT] * 5, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>")


def decode(text: str, tokenizer: PreTrainedTokenizerFast) -> llmdebug.Tokens:
    (tokens,) = llmdebug.TokenIds(tokenizer(text)["input_ids"], tokenizer).decode()
    return tokens


def test_a_character_split_over_tokens_is_shown_whole(byte_level: PreTrainedTokenizerFast) -> None:
    tokens = decode("the 中!", byte_level)
    assert tokens.text[-5:] == (" ", "中", "中", "中", "!")
    assert tokens.labels()[-4:] == ("中 1/3", "中 2/3", "中 3/3", "!")
    assert "".join(tokens.text[:-5]) == "the"


def test_ascii_reads_as_it_was_written(byte_level: PreTrainedTokenizerFast) -> None:
    tokens = decode(TEXT, byte_level)
    assert "".join(tokens.text) == TEXT
    assert tokens.parts == ()
    assert tokens.ids == tuple(byte_level(TEXT)["input_ids"])


def test_special_tokens_are_marked_and_spelled_out(byte_level: PreTrainedTokenizerFast) -> None:
    (tokens,) = llmdebug.TokenIds([byte_level.pad_token_id, 5], byte_level).decode()
    assert tokens.text[0] == "<pad>"
    assert tokens.special == (True, False)


def test_a_text_that_ends_inside_a_character_shows_its_bytes(byte_level: PreTrainedTokenizerFast) -> None:
    ids = byte_level("中")["input_ids"][:2]
    (tokens,) = llmdebug.TokenIds(ids, byte_level).decode()
    assert tokens.text == ("<0xE4>", "<0xB8>")
    assert tokens.parts == ()


def test_sentencepiece_bytes_and_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    class SentencePiece:
        all_special_ids = [0]  # noqa: RUF012

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            return [["<s>", "▁the", "<0xE4>", "<0xB8>", "<0xAD>"][token] for token in ids]

    (tokens,) = llmdebug.TokenIds([0, 1, 2, 3, 4], SentencePiece()).decode()
    assert tokens.labels() == ("<s>", " the", "中 1/3", "中 2/3", "中 3/3")


def test_equal_rows_are_decoded_once(byte_level: PreTrainedTokenizerFast) -> None:
    ids = np.array([[5, 6], [7, 8]])
    first = llmdebug.TokenIds(ids, byte_level).decode()
    again = llmdebug.TokenIds(ids[::-1].copy(), byte_level).decode()
    assert again[0] is first[1] and again[1] is first[0]


def test_a_character_that_is_cut_off_by_another_shows_its_byte(byte_level: PreTrainedTokenizerFast) -> None:
    first = byte_level("中")["input_ids"][0]
    letter = byte_level("t")["input_ids"]
    (tokens,) = llmdebug.TokenIds([first, *letter], byte_level).decode()
    assert tokens.text == ("<0xE4>", "t")
    assert tokens.parts == ()


def test_ids_that_the_tokenizer_does_not_know_are_a_mistake_in_one_sentence() -> None:
    class Strict:
        all_special_ids = ()

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            raise OverflowError("out of range")

    with pytest.raises(llmdebug.InvalidRecordError, match=r"cannot decode these ids \(out of range\)"):
        llmdebug.TokenIds([-100], Strict()).decode()


@pytest.mark.parametrize("tokenizer", [None, "gpt2", PreTrainedTokenizerFast])
def test_what_is_no_tokenizer_is_refused_before_the_ids_are_blamed(tokenizer: object) -> None:
    tokens = llmdebug.TokenIds([1, 2], tokenizer)
    for ask in (tokens.decode, tokens.batch):
        with pytest.raises(llmdebug.InvalidRecordError, match="pass the object that made the ids"):
            ask()


@pytest.mark.parametrize("ids", [[[[1]]], [1.5], ["a"]])
def test_ids_of_another_kind_are_refused(ids: object, byte_level: PreTrainedTokenizerFast) -> None:
    with pytest.raises(llmdebug.InvalidRecordError):
        llmdebug.TokenIds(ids, byte_level).decode()


def test_strings_with_offsets_are_kept() -> None:
    tokens = llmdebug.Tokens(text=("the", "cat"), offsets=((0, 3), (4, 7)))
    assert read_tokens(tokens, "tokens") == (tokens,)
    assert read_tokens([tokens, tokens], "tokens") == (tokens, tokens)


def test_only_the_examples_that_are_kept_are_decoded_and_each_once(tmp_path: Path) -> None:
    class Counting:
        all_special_ids = ()
        decoded: ClassVar[list[list[int]]] = []

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            self.decoded.append(ids)
            return [str(token) for token in ids]

    ids = np.arange(24).reshape(4, 6)
    tokenizer = Counting()
    with llmdebug.Writer(tmp_path):
        for step in range(3):
            tokens = llmdebug.TokenIds(ids, tokenizer)
            maps = (softmax_maps(batch=4),)
            assert llmdebug.log_attention("probe", maps, tokens=tokens, examples=[2, 0], step=step)
    assert Counting.decoded == [ids[2].tolist(), ids[0].tolist()]
    stored = llmdebug.open_logdir(tmp_path).attention(".", "probe", step=2)
    assert stored.example(0).key_tokens.text == tuple(map(str, range(12, 18)))
