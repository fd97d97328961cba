"""Calls of log_attention: what is taken, what is refused and with which sentence."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from types import SimpleNamespace as Output
from typing import Any

import numpy as np
import pytest

import tb_llmdebug as llmdebug
from tb_llmdebug.log import sinks
from tb_llmdebug.writing.once import Once
from tests.data import layers_of, softmax_maps

MAPS = layers_of(2)
WORDS = [["a", "b", "c", "d", "e", "f"]] * 2
TOKEN_IDS = r"tokens holds numbers: use llmdebug\.TokenIds\(ids, tokenizer\)"
ONE_LAYER = r"; one layer of \[batch, heads, query, key\] has to be in a tuple: \(x,\)\.$"


def logged(tmp_path: Path, attention: Any, **settings: Any) -> llmdebug.AttentionRecord:
    with llmdebug.Writer(tmp_path) as writer:
        assert llmdebug.log_attention("decoder", attention, step=0, **settings) is True
    assert writer.status().lost_records == 0, writer.status().last_error
    return llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).record()


MISTAKES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "SDPA returns None": (None, {}, "attention is None: SDPA and flash attention return no weights"),
    "a layer is None": ((MAPS[0], None), {}, 'layer 1 is None.*attn_implementation="eager"'),
    "no layers": ((), {}, "output_attentions=True"),
    "rank 3": (
        (MAPS[0][0],),
        {},
        r"layer 0 .* x\[None\] for one example's .* average_attn_weights=False, or pass x\[:, None\], for ",
    ),
    "rank 2": ((MAPS[0][0, 0],), {}, r"layer 0 has shape \[6, 6\]"),
    "one array of rank 3": (
        MAPS[0][0],
        {},
        r"attention has shape \[3, 6, 6\]: pass \(x\[None\],\) for one .* \(x\[:, None\],\), for averaged",
    ),
    "one array of rank 2": (
        MAPS[0][0, 0],
        {},
        r"has shape \[6, 6\]: pass a tuple of \[batch, heads, query, key\]",
    ),
    "a model's output": (
        Output(attentions=MAPS),
        {},
        "attention is a whole SimpleNamespace: pass out.attentions",
    ),
    "an output of an encoder and a decoder": (
        Output(encoder_attentions=MAPS, cross_attentions=MAPS),
        {},
        "pass out.encoder_attentions or out.cross_attentions",
    ),
    "values that are a model's output": (
        MAPS,
        {"values": Output(attentions=MAPS)},
        "values is a whole SimpleNamespace: pass a tuple of arrays, one per layer",
    ),
    "values of rank 3": (MAPS, {"values": [MAPS[0][0]] * 2}, r"expected \[batch, heads, key, size\]\.$"),
    "one layer and tokens of its batch": (MAPS[0], {"tokens": WORDS}, ONE_LAYER),
    "one layer and the mask of its batch": (MAPS[0], {"mask": np.ones((2, 6))}, ONE_LAYER),
    "complex numbers": ((MAPS[0].astype(complex),), {}, "layer 0 holds complex numbers"),
    "a number": (3, {}, "attention is a int"),
    "text": ("attention", {}, "attention is a str"),
    "generate()": (((MAPS[0], MAPS[1]),), {}, "as generate\\(\\) returns"),
    "unequal batches": ((MAPS[0], MAPS[1][:1]), {}, r"batches of \[1, 2\] examples"),
    "no keys": ((MAPS[0][..., :0],), {}, "must not be empty"),
    "too few tokens": (MAPS, {"tokens": [["a", "b"]] * 2}, "example 0 has 2 tokens but layer 0 has 6"),
    "tokens of one example": (MAPS, {"tokens": ["a"] * 6}, "holds 1 example and attention 2"),
    "tokens that are text": (MAPS, {"tokens": "abcdef"}, "tokens is a str"),
    "tokens that are lists of ids": (MAPS, {"tokens": [[1] * 6] * 2}, TOKEN_IDS),
    "tokens that are ids": (MAPS, {"tokens": [1] * 6}, TOKEN_IDS),
    "tokens that are an array of ids": (MAPS, {"tokens": np.ones((2, 6), int)}, TOKEN_IDS),
    "tokens that are rows of ids": (MAPS, {"tokens": list(np.ones((2, 6), int))}, TOKEN_IDS),
    "a mask of another length": (MAPS, {"mask": np.ones((2, 5))}, r"\[2, 5\]: expected \[batch, key\]"),
    "an additive mask": (MAPS, {"mask": np.full((2, 6), -1e9)}, "pass 1 for real tokens"),
    "a head that is not there": (MAPS, {"heads": [3]}, "which has 3 heads"),
    "a layer that is not there": (MAPS, {"layers": [2]}, r"layers=\[2\] were asked for"),
    "an example that is not there": (MAPS, {"examples": [2]}, "a batch of 2 examples"),
    "an unknown precision": (MAPS, {"precision": "int4"}, "use one of auto, f32, f16, u8"),
    "a step that is no number": (MAPS, {"step": "ten"}, "step is 'ten'"),
    "a step that is too large": (MAPS, {"step": 1 << 63}, "64 bits"),
    "an empty name": (MAPS, {"name": ""}, "name must be a text"),
    "a writer that is none": (MAPS, {"writer": "logs"}, "writer is a str"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistaken_call_raises_one_sentence_that_says_how_to_mend_it(case: str, tmp_path: Path) -> None:
    attention, settings, sentence = MISTAKES[case]
    with llmdebug.Writer(tmp_path) as writer:
        with pytest.raises(llmdebug.InvalidRecordError, match=sentence) as raised:
            llmdebug.log_attention(**{"name": "decoder", "attention": attention, "step": 0} | settings)
    assert str(raised.value).count(". ") == 0 and len(str(raised.value)) < 250
    assert writer.status().written == 0


def test_a_missing_step_is_asked_for(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        with pytest.raises(llmdebug.InvalidRecordError, match="pass step="):
            llmdebug.log_attention("decoder", MAPS)


def test_every_form_of_input_is_read(tmp_path: Path) -> None:
    forms = {
        "tuple": MAPS,
        "list": list(MAPS),
        "iterator": iter(MAPS),
        "dict": dict(zip("ab", MAPS, strict=True)),
        "layers x batch": np.stack(MAPS),
        "float64": tuple(layer.astype(np.float64) for layer in MAPS),
    }
    for name, form in forms.items():
        record = logged(tmp_path / name, form)
        for layer, original in zip(record.layers, MAPS, strict=True):
            assert np.allclose(layer.weights, original, atol=1e-3), name


def test_one_array_of_layers_is_one_example(tmp_path: Path) -> None:
    record = logged(tmp_path, np.stack([layer[0] for layer in MAPS]), tokens=WORDS[0])
    assert len(record.examples) == 1
    assert record.examples[0].key_tokens.text == tuple(WORDS[0])


def test_what_was_not_asked_for_is_not_kept(tmp_path: Path) -> None:
    record = logged(tmp_path, MAPS, layers=[1], heads=[2, 0], examples=[1], tokens=WORDS)
    (layer,) = record.layers
    assert (layer.layer, layer.heads, [e.index for e in record.examples]) == (1, (0, 2), [1])
    assert np.allclose(layer.weights[0], MAPS[1][1, [0, 2]], atol=1e-3)


def test_tokens_and_masks_are_those_of_the_chosen_examples(tmp_path: Path) -> None:
    tokens = [[f"{row}{place}" for place in range(6)] for row in "ab"]
    mask = np.array([[1] * 6, [0, 0, 1, 1, 1, 1]])
    record = logged(tmp_path, MAPS, examples=[1], tokens=tokens, mask=mask)
    (example,) = record.examples
    assert example.key_tokens.text == example.query_tokens.text == tuple(tokens[1])
    assert example.key_mask.tolist() == mask[1].astype(bool).tolist()


def test_every_check_is_reached_from_the_call(tmp_path: Path) -> None:
    documents = np.array([[0, 0, 0, 1, 1, 1]] * 2)
    mask = np.array([[0.0] + [1.0] * 5] * 2)
    record = logged(tmp_path, MAPS, heads=[2], document_ids=documents, mask=mask, causal=True)
    found = {anomaly.rule: anomaly for anomaly in record.anomalies}
    assert set(found) == {
        "attention.above_diagonal",
        "attention.padding_attended",
        "attention.cross_document",
    }
    assert {anomaly.head for anomaly in found.values()} == {2}
    assert {anomaly.query for anomaly in found.values()} & {0} == set()


def test_a_mask_of_one_row_is_for_every_example(tmp_path: Path) -> None:
    record = logged(tmp_path, MAPS, mask=[0, 1, 1, 1, 1, 1])
    assert [example.key_mask.tolist() for example in record.examples] == [[False] + [True] * 5] * 2


def test_a_large_batch_keeps_the_first_examples_and_says_of_how_many(tmp_path: Path) -> None:
    record = logged(tmp_path, (softmax_maps(batch=20),))
    assert ([example.index for example in record.examples], record.batch) == (list(range(8)), 20)


def test_cross_attention_has_tokens_on_both_sides(tmp_path: Path) -> None:
    maps = (softmax_maps(batch=1, queries=3, keys=5),)
    record = logged(
        tmp_path, maps, query_tokens=["x", "y", "z"], key_tokens=list("abcde"), mask=[1, 1, 1, 1, 0]
    )
    (example,) = record.examples
    assert example.query_tokens.text == ("x", "y", "z")
    assert example.key_tokens.text == tuple("abcde")
    assert example.query_mask is None
    assert example.key_mask.tolist() == [True] * 4 + [False]


@pytest.mark.parametrize("dtype", ["int8", "bool", "int32", "float16", "float64"])
def test_hard_attention_of_any_number_type_is_taken(dtype: str, tmp_path: Path) -> None:
    record = logged(tmp_path, (np.eye(4).astype(dtype)[None, None],))
    assert np.array_equal(record.layers[0].weights[0, 0], np.eye(4))
    assert record.anomalies == ()


def test_an_object_that_shows_its_own_memory_is_copied(tmp_path: Path) -> None:
    class Lender:
        shape = (1, 1, 4, 4)
        array = np.full(shape, 0.25, np.float32)

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return self.array

    with llmdebug.Writer(tmp_path) as writer:
        gate = threading.Event()
        writer.submit(lambda: (gate.wait(10) and []) or [], 0)
        llmdebug.log_attention("decoder", [Lender()], step=0)
        Lender.array[:] = 7
        gate.set()
    assert np.all(llmdebug.open_logdir(tmp_path).attention(".", "decoder", 0).weights(0, 0) == 0.25)


def test_decoding_with_a_cache_names_the_keys(tmp_path: Path) -> None:
    record = logged(tmp_path, (softmax_maps(batch=1, queries=1, keys=6),), tokens=list("abcdef"))
    assert record.examples[0].key_tokens.text == tuple("abcdef")
    assert record.examples[0].query_tokens is None


def test_faults_in_the_data_are_recorded_never_raised(tmp_path: Path) -> None:
    maps = tuple(layer.copy() for layer in MAPS)
    maps[1][0, 1, 2, 3] = np.nan
    record = logged(tmp_path, maps, causal=True)
    assert {anomaly.rule for anomaly in record.anomalies} == {
        "attention.not_finite",
        "attention.above_diagonal",
    }
    assert np.isnan(record.layers[1].weights[0, 1, 2, 3])


def test_dropout_is_flagged_once_per_run_and_name(tmp_path: Path) -> None:
    weights = softmax_maps(heads=8, queries=32)
    dropped = weights * (np.random.default_rng(0).random(weights.shape) >= 0.1) / 0.9
    with llmdebug.Writer(tmp_path):
        for step in range(3):
            llmdebug.log_attention("decoder", (dropped,), step=step)
        llmdebug.log_attention("encoder", (dropped,), step=0)
    flags = llmdebug.open_logdir(tmp_path).anomalies(".")
    assert [(step, anomaly.rule) for step, anomaly in flags] == [(0, "attention.after_dropout")] * 2


def test_without_a_writer_nothing_happens_and_one_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "_once", Once())
    with pytest.warns(RuntimeWarning, match=re.escape("llmdebug.Writer(logdir)")) as caught:
        assert llmdebug.log_attention("decoder", MAPS, step=0) is False
        assert llmdebug.log_attribution("decoder", [1.0], method="m", step=0) is False
        assert llmdebug.log_anomaly("decoder", "text", rule="r", step=0) is False
    assert len(caught) == 1


def test_the_innermost_writer_is_used_and_writer_overrides_it(tmp_path: Path) -> None:
    outer, inner, third = (llmdebug.Writer(tmp_path / name) for name in "abc")
    with outer.as_default():
        with inner.as_default():
            llmdebug.log_attention("decoder", MAPS, step=1)
        llmdebug.log_attention("decoder", MAPS, step=2)
        llmdebug.log_attention("decoder", MAPS, step=3, writer=third)
    for writer in (outer, inner, third):
        writer.close()
    logdir = llmdebug.open_logdir(tmp_path)
    assert [logdir.steps(run, "decoder") for run in "abc"] == [[2], [1], [3]]
