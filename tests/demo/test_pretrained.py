"""Loading and fine-tuning a checkpoint that the test makes; no network."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

import finetune_pretrained
import tb_llmdebug as llmdebug
from llmdebug_demo import pretrained, stages
from llmdebug_demo.model import build_model
from llmdebug_demo.pretrained import ModelNotLoaded, load_pretrained
from llmdebug_demo.probes import NAME
from llmdebug_demo.textfile import UnusableText, read_paragraphs

PARAGRAPHS = [
    f"Sentence {number} says that a sequence has {number} elements" + " and so on" * (number % 5)
    for number in range(40)
]


@pytest.fixture(scope="module")
def checkpoint(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    tf.keras.utils.set_random_seed(0)
    build_model(len(tokenizer), tokenizer.eos_token_id).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


@pytest.fixture
def without_global_settings(monkeypatch):
    # Deterministic kernels cannot be switched off again for the tests that follow.
    monkeypatch.setattr(stages, "make_reproducible", tf.keras.utils.set_random_seed)


def test_a_saved_model_comes_back_as_it_was(checkpoint, tokenizer):
    loaded = load_pretrained(str(checkpoint))
    tf.keras.utils.set_random_seed(0)
    same = build_model(len(tokenizer), tokenizer.eos_token_id)
    ids = tf.constant([[5, 6, 7, 8]])
    np.testing.assert_allclose(loaded.model(ids).logits, same(ids).logits, atol=1e-6)
    assert loaded.convention.pass_positions
    assert loaded.context == 96
    assert loaded.tokenizer.padding_side == "left"


def test_a_tokenizer_without_padding_pads_with_the_end_of_text(checkpoint, tokenizer, tmp_path):
    load_pretrained(str(checkpoint)).model.save_pretrained(str(tmp_path))
    plain = type(tokenizer)(tokenizer_object=tokenizer.backend_tokenizer, eos_token=tokenizer.eos_token)
    plain.save_pretrained(str(tmp_path))
    loaded = load_pretrained(str(tmp_path))
    assert loaded.tokenizer.pad_token_id == tokenizer.eos_token_id


def test_it_is_fine_tuned_and_logged_like_the_demo(checkpoint, tmp_path, capsys, without_global_settings):
    text = tmp_path / "text.txt"
    text.write_text("\n\n".join(PARAGRAPHS), encoding="utf-8")
    logdir = tmp_path / "logs"
    options = ["--model", str(checkpoint), "--text", str(text), "--logdir", str(logdir)]
    options += ["--steps", "3", "--log-every", "2", "--batch", "4", "--width", "32"]
    options += ["--learning-rate", "1e-3"]
    assert finetune_pretrained.main(options) == 0
    found = llmdebug.open_logdir(logdir)
    assert found.runs == ["finetune"]
    assert found.steps("finetune", NAME) == [0, 2, 3]
    assert found.anomalies("finetune") == []
    _, before, after, *_ = capsys.readouterr().out.splitlines()[1].split()
    assert float(after) < float(before)
    assert (logdir / "finetune" / "checkpoints" / "step-000003" / "tokenizer.json").is_file()


def test_what_cannot_be_loaded_is_said_in_one_sentence(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("\n\n".join(PARAGRAPHS))
    options = ["--model", "nobody/no-such-model", "--text", str(text)]
    assert finetune_pretrained.main([*options, "--logdir", str(tmp_path / "logs")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("No tokenizer could be loaded from 'nobody/no-such-model'")
    assert "go online for a hub model" in error
    assert error.count("\n") == 1


def test_a_folder_without_weights_is_named(checkpoint, tokenizer, tmp_path):
    tokenizer.save_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    with pytest.raises(ModelNotLoaded, match="No causal language model for TensorFlow"):
        load_pretrained(str(tmp_path))


def test_pytorch_weights_without_pytorch_name_what_to_install(checkpoint, tokenizer, tmp_path, monkeypatch):
    tokenizer.save_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights of PyTorch")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelNotLoaded, match="pip install torch"):
        load_pretrained(str(tmp_path))


def test_pytorch_weights_are_converted_where_pytorch_is_installed(
    checkpoint, tokenizer, tmp_path, monkeypatch
):
    tokenizer.save_pretrained(str(tmp_path))
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights of PyTorch")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    asked = []
    load = pretrained.TFAutoModelForCausalLM.from_pretrained

    def from_pretrained(name, **options):
        if options:
            asked.append(options)
            return load(str(checkpoint))
        return load(name)

    monkeypatch.setattr(pretrained.TFAutoModelForCausalLM, "from_pretrained", from_pretrained)
    assert load_pretrained(str(tmp_path)).model is not None
    assert asked == [{"from_pt": True}]


def test_unusable_texts_are_named(tmp_path, checkpoint, capsys, without_global_settings):
    with pytest.raises(UnusableText, match="cannot be read"):
        read_paragraphs(tmp_path / "missing.txt")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(UnusableText, match="not UTF-8"):
        read_paragraphs(tmp_path / "latin.txt")
    short = tmp_path / "short.txt"
    short.write_text("One paragraph only, of several tokens.")
    assert finetune_pretrained.main(["--model", str(checkpoint), "--text", str(short)]) == 1
    assert "The text has 1 usable paragraphs; at least 10 are needed" in capsys.readouterr().err
