from transformers import AutoTokenizer

from llmdebug_demo.probes import SENTENCES
from llmdebug_demo.tokenizer import encode_all, save_tokenizer, token_text, train_tokenizer

CHINESE = "语言模型预测下一个词。"


def test_any_text_can_be_written_though_training_saw_none_of_it(tokenizer):
    assert CHINESE in SENTENCES
    for text in SENTENCES:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids) == text
    assert len(tokenizer(CHINESE)["input_ids"]) == len(CHINESE.encode("utf-8"))


def test_a_part_of_a_character_is_named_instead_of_shown_as_garbage(tokenizer):
    part = tokenizer(CHINESE)["input_ids"][0]
    assert token_text(tokenizer, part) == f"<part of a character, token {part}>"
    whole = tokenizer("a")["input_ids"][0]
    assert token_text(tokenizer, whole) == "a"


def test_texts_end_with_end_of_text(tokenizer):
    encoded = encode_all(tokenizer, ["a", "sequence"])
    assert [ids[-1] for ids in encoded] == [tokenizer.eos_token_id] * 2
    assert tokenizer.decode(encoded[1][:-1]) == "sequence"


def test_training_is_deterministic(tokenizer):
    texts = ["one sequence of elements", "another sequence"]
    first, second = (train_tokenizer(texts, vocabulary=280) for _ in range(2))
    assert first.get_vocab() == second.get_vocab()


def test_a_saved_tokenizer_pads_on_the_left(tokenizer, tmp_path):
    save_tokenizer(tokenizer, tmp_path)
    loaded = AutoTokenizer.from_pretrained(str(tmp_path))
    padded = loaded(["a", "a sequence"], padding=True)
    assert padded["attention_mask"][0][0] == 0
    assert padded["input_ids"][0][0] == loaded.pad_token_id != loaded.eos_token_id
