"""`log_probe` on PyTorch models: names, masks, memory, mistakes."""

from __future__ import annotations

import doctest
import platform
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, T5Config, T5ForConditionalGeneration

import tb_llmdebug as llmdebug
from tb_llmdebug.capture import adapters
from tb_llmdebug.log import probe, reduction
from tb_llmdebug.records import InvalidRecordError, MapState
from tb_llmdebug.stats import STATISTICS

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("module", [adapters, probe])
def test_examples_run(module: object) -> None:
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 0


def encoder(layers: int = 2) -> torch.nn.Module:
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32, batch_first=True)
    return torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def test_a_probe_logs_every_layer_with_the_norms_of_its_values(tmp_path: Path) -> None:
    model, inputs = encoder(), torch.randn(2, 7, 16)
    model.train()
    with llmdebug.Writer(tmp_path) as writer:
        assert llmdebug.log_probe("encoder", model, inputs, tokens=[list("abcdefg")] * 2, step=3)
        assert writer.flush(60)
    assert model.training
    stored = llmdebug.open_logdir(tmp_path).attention(".", "encoder", step=3)
    record = stored.record()
    assert [layer.label for layer in record.layers] == ["layers.0.self_attn", "layers.1.self_attn"]
    assert record.batch == 2 and record.examples[1].key_tokens.text == tuple("abcdefg")
    assert np.allclose(stored.weights(1, 3, 1).sum(axis=-1), 1, atol=1e-2)
    assert stored.value_norms(0).shape == (4, 7)


@pytest.mark.parametrize(
    ("budget", "vectors", "waits"), [(None, False, False), (99, False, True), (None, True, True)]
)
def test_the_loop_does_not_wait_for_statistics_of_maps_that_fit_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int | None, vectors: bool, waits: bool
) -> None:
    """Maps that do not, and vectors, which the model may change, are looked at before it goes on."""
    if budget:
        monkeypatch.setattr(reduction, "BUDGET_BYTES", budget)
    walk, threads = reduction.Reduction.add, []

    def seen(*args: Any) -> None:
        threads.append(threading.current_thread())
        walk(*args)

    monkeypatch.setattr(reduction.Reduction, "add", seen)
    model, inputs = encoder(), torch.randn(2, 7, 16)
    with llmdebug.Writer(tmp_path) as writer:
        assert llmdebug.log_probe("encoder", model, inputs, step=0, vectors=vectors)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()  # what the loop does next is not what was logged
        assert writer.flush(60)
    assert [thread is threading.main_thread() for thread in threads] == [waits, waits]
    record = llmdebug.open_logdir(tmp_path).attention(".", "encoder", step=0).record()
    assert [layer.statistics.shape[:2] for layer in record.layers] == [(2, 4)] * 2
    assert all(np.ptp(layer.statistics[..., 0]) > 1e-3 for layer in record.layers), "heads differ"


def test_without_a_writer_the_model_is_not_run() -> None:
    class Untouched(torch.nn.MultiheadAttention):
        def forward(self, *args: object, **kwargs: object) -> None:  # type: ignore[override]
            raise AssertionError("the model was run")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not llmdebug.log_probe("x", Untouched(4, 1), torch.zeros(1, 2, 4), step=0)


def test_mistakes_raise_before_the_model_runs(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        with pytest.raises(InvalidRecordError, match="cannot be looked into"):
            llmdebug.log_probe("x", object(), torch.zeros(1, 2, 4), step=0)
        with pytest.raises(InvalidRecordError, match="inputs is text: tokenize it first"):
            llmdebug.log_probe("x", encoder(), "The cat", step=0)
        with pytest.raises(InvalidRecordError, match="no step is known"):
            llmdebug.log_probe("x", encoder(), torch.zeros(1, 2, 16))
        with pytest.raises(InvalidRecordError, match="precision is 'u4'"):
            llmdebug.log_probe("x", encoder(), torch.zeros(1, 2, 16), precision="u4", step=0)
        with pytest.raises(InvalidRecordError, match="has 3 tokens but layer 0 has 2"):
            llmdebug.log_probe("x", encoder(), torch.zeros(1, 2, 16), tokens=["a", "b", "c"], step=0)


def test_a_whole_output_is_no_attention_and_its_logits_are_no_layer(tmp_path: Path) -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=9)).eval()
    model.set_attn_implementation("eager")
    out = model(torch.ones(2, 4, dtype=torch.long), output_attentions=True)
    with llmdebug.Writer(tmp_path):
        for wrong in (out, model(torch.ones(2, 4, dtype=torch.long))):
            with pytest.raises(InvalidRecordError, match=r"whole CausalLM\w+: pass out\.attentions\.$"):
                llmdebug.log_attention("x", wrong, step=0)
        assert llmdebug.log_attention("x", out.attentions, step=0)


def test_averaged_weights_are_logged_as_the_sentence_says(tmp_path: Path) -> None:
    layer, inputs = torch.nn.MultiheadAttention(8, 2, batch_first=True), torch.rand(3, 5, 8)
    _, averaged = layer(inputs, inputs, inputs)
    with llmdebug.Writer(tmp_path):
        with pytest.raises(InvalidRecordError, match=r"average_attn_weights=False, or pass x\[:, None\]"):
            llmdebug.log_attention("x", [averaged], step=0)
        assert llmdebug.log_attention("x", [averaged[:, None]], step=0)
    record = llmdebug.open_logdir(tmp_path).attention(".", "x", step=0).record()
    assert (record.layers[0].heads, len(record.examples)) == ((0,), 3)


def test_chosen_rows_and_layers(tmp_path: Path) -> None:
    with llmdebug.Writer(tmp_path):
        inputs = torch.randn(1, 9, 16)
        assert llmdebug.log_probe("x", encoder(3), inputs, layers=[2], heads=[1, 3], rows=[8, 2], step=0)
        assert llmdebug.log_probe("whole", encoder(3), inputs, precision="f16", step=0)
    logdir = llmdebug.open_logdir(tmp_path)
    chosen = logdir.attention(".", "x", step=0)
    record = chosen.record()
    assert record.map_state is MapState.REDUCED
    assert [(layer.layer, layer.heads, layer.rows) for layer in record.layers] == [(2, (1, 3), (2, 8))]
    whole = logdir.attention(".", "whole", step=0).weights(2, 3)
    assert np.allclose(chosen.weights(2, 3), whole[[2, 8]], atol=1e-3)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory as it likes")
def test_what_the_layers_free_does_not_pile_up_between_what_is_kept(tmp_path: Path) -> None:
    """Of 24 layers 13 MB are kept; glibc kept 10 MB more of each, and values that wait would be 100 MB."""
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        import torch
        import tb_llmdebug as llmdebug

        def peak():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

        # It would make all weights of a layer at once: a peak of the model's own that hides the probe's.
        torch.backends.mha.set_fastpath_enabled(False)
        layer = torch.nn.TransformerEncoderLayer(512, 4, dim_feedforward=64, batch_first=True)
        model = torch.nn.TransformerEncoder(layer, 24, enable_nested_tensor=False).eval()
        inputs = torch.randn(1, 2048, 512)
        with torch.no_grad():
            model(inputs)
        own = peak()
        with llmdebug.Writer(sys.argv[1]):
            assert llmdebug.log_probe("encoder", model, inputs, rows=range(0, 2048, 128), step=0)
        print(own, peak() - own)
    """)
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    own, more = map(float, result.stdout.split())
    assert more < 120, f"{more:.0f} MiB over the model's own {own:.0f}"


@pytest.mark.parametrize("asked", [[5], [0, 5]])
@pytest.mark.parametrize(("layers", "known"), [(1, "0"), (2, "0 to 1")])
def test_a_layer_that_the_model_has_not_is_answered_with_those_that_it_has(
    tmp_path: Path, asked: list[int], layers: int, known: str
) -> None:
    sentence = rf"^layers=\[5\] were asked for and are not there: the model has attention layers {known}\.$"
    with llmdebug.Writer(tmp_path) as writer, pytest.raises(InvalidRecordError, match=sentence):
        llmdebug.log_probe("x", encoder(layers), torch.zeros(1, 2, 16), layers=asked, step=0)
    assert writer.status().written == 0


@pytest.mark.parametrize("what", ["tokens", "mask"])
def test_what_is_of_no_side_is_not_left_out_in_silence(tmp_path: Path, what: str) -> None:
    model = torch.nn.Transformer(16, 2, 1, 1, 32, batch_first=True)
    inputs = torch.ones(1, 4, 16), torch.ones(1, 4, 16)
    given = {"enc": [list("abcd")]} if what == "tokens" else {"enc": [[1, 1, 1, 1]]}
    with llmdebug.Writer(tmp_path) as writer:
        with pytest.raises(InvalidRecordError, match=f"{what} has the key 'enc': .* 'encoder', 'decoder'"):
            llmdebug.log_probe("x", model, inputs, step=0, **{what: given})
    assert writer.status().written == 0


def test_an_encoder_and_a_decoder_get_a_record_for_each_kind_with_its_own_tokens(tmp_path: Path) -> None:
    config = T5Config(
        vocab_size=50, d_model=16, d_kv=4, d_ff=32, num_layers=2, num_heads=4, decoder_start_token_id=0
    )
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(config)
    source, target = torch.randint(1, 50, (2, 6)), torch.randint(1, 50, (2, 4))
    mask = torch.tensor([[1] * 6, [1, 1, 1, 1, 0, 0]])
    with llmdebug.Writer(tmp_path):
        assert llmdebug.log_probe(
            "t5",
            model,
            {"input_ids": source, "attention_mask": mask, "decoder_input_ids": target},
            tokens={"encoder": [list("abcdef")] * 2, "decoder": [list("wxyz")] * 2},
            mask={"encoder": mask, "decoder": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])},
            step=0,
        )
    logdir = llmdebug.open_logdir(tmp_path)
    records = {name: logdir.attention(".", name, step=0).record() for name in logdir.names(".")}
    assert sorted(records) == ["t5/cross", "t5/decoder", "t5/encoder"]
    shapes = {name: (r.layers[1].queries, r.layers[1].keys) for name, r in records.items()}
    assert shapes == {"t5/cross": (4, 6), "t5/decoder": (4, 4), "t5/encoder": (6, 6)}
    cross = records["t5/cross"].examples[1]
    assert (cross.query_tokens.text, cross.key_tokens.text) == (tuple("wxyz"), tuple("abcdef"))
    assert cross.key_mask.tolist() == mask[1].bool().tolist()
    assert cross.query_mask.tolist() == [True, True, False, False]
    # Statistics leave the padded queries of the decoder out.
    weights = logdir.attention(".", "t5/cross", step=0).weights(0, 2, 1)
    largest = records["t5/cross"].layers[0].statistics[1, 2, STATISTICS.index("max")]
    assert largest == pytest.approx(weights[:2].max(axis=-1).mean(), abs=1e-3)
    assert records["t5/decoder"].examples[0].key_tokens.text == tuple("wxyz")
    # The layers themselves say whether they look ahead; the decoder is held to it.
    causal = {name: record.causal for name, record in records.items()}
    assert causal == {"t5/cross": None, "t5/decoder": True, "t5/encoder": None}
    assert not any(record.anomalies for record in records.values())
