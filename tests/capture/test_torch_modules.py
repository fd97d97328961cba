"""Taps of PyTorch's own attention and of home-made layers; compiled and wrapped models; memory."""

from __future__ import annotations

import copy
import doctest
import gc
import importlib
import io
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import tb_llmdebug as llmdebug
from tests.capture.torch_inputs import ALL_PARTS, BATCH, LENGTH, SIZE, x_of

PADDING = torch.zeros(BATCH, LENGTH, dtype=torch.bool)
PADDING[1, 5:] = PADDING[2, 3:] = True


class Calling(nn.Module):
    """A model around one attention layer that is called in a certain way."""

    def __init__(self, attention: nn.Module, **call: object) -> None:
        super().__init__()
        self.attention = attention
        self.call = call

    def forward(self, x, keys=None, values=None):
        keys = x if keys is None else keys
        values = keys if values is None else values
        return self.attention(x, keys, values, **self.call)


class Homemade(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(SIZE, 3 * SIZE)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (4, 4)).transpose(1, 2) for t in self.project(x).split(SIZE, -1))
        made = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return made.transpose(1, 2).flatten(2)


def encoder_of(norm_first: bool = False, dropout: float = 0.0) -> nn.TransformerEncoder:
    torch.manual_seed(2)
    layer = nn.TransformerEncoderLayer(SIZE, 4, 32, batch_first=True, norm_first=norm_first, dropout=dropout)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=not norm_first)


def traces_of(model: nn.Module) -> tuple:
    saved = io.BytesIO()
    torch.save(model.state_dict(), saved)
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    names = [(name, sorted(module.__dict__)) for name, module in model.named_modules()]
    return names, hooks, saved.getvalue(), pickle.dumps(model), dict(functional.__dict__)


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(
    "extra",
    [{}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 12, "vdim": 10}, {"bias": False}],
    ids=str,
)
def test_multi_head_attention(gradients, training, need_weights, batch_first, extra) -> None:
    torch.manual_seed(1)
    attention = nn.MultiheadAttention(SIZE, 4, batch_first=batch_first, **extra).train(training)
    padding = PADDING if batch_first else torch.zeros(LENGTH, BATCH, dtype=torch.bool)
    model = Calling(
        attention, need_weights=need_weights, average_attn_weights=False, key_padding_mask=padding
    )
    inputs = [x_of()]
    if "kdim" in extra:
        inputs += [torch.randn(BATCH, LENGTH, 12), torch.randn(BATCH, LENGTH, 10)]
    before = traces_of(model)
    with torch.set_grad_enabled(gradients):
        plain, theirs = model(*inputs)
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            tapped, _ = model(*inputs)
    assert torch.equal(plain, tapped)
    assert traces_of(model) == before
    (layer,) = captured
    assert layer.label == "attention" and layer.shape == tuple(layer.weights.shape)
    assert layer.q.shape == (layer.shape[0], 4, layer.shape[2], 4)
    assert layer.k.shape == layer.v.shape == (layer.shape[0], 4, layer.shape[3], 4)
    if need_weights:
        torch.testing.assert_close(layer.weights, theirs, atol=1e-6, rtol=0)
    torch.testing.assert_close(layer.weights @ layer.v, layer.output, atol=1e-6, rtol=0)
    torch.testing.assert_close(layer.logits.softmax(-1), layer.weights, atol=1e-6, rtol=0)
    scores = (layer.q @ layer.k.transpose(-1, -2) / 2).masked_fill(layer.logits == -torch.inf, -torch.inf)
    torch.testing.assert_close(scores, layer.logits, atol=1e-5, rtol=0)
    np.testing.assert_allclose(
        layer.block(2, slice(1, 2), slice(0, 3)), layer.weights[2, 1:2, 0:3].detach(), atol=1e-6
    )


@pytest.mark.parametrize("need_weights", [True, False])
def test_gradients_to_the_tensors_of_multi_head_attention(need_weights) -> None:
    torch.manual_seed(1)
    model = Calling(nn.MultiheadAttention(SIZE, 4, batch_first=True), need_weights=need_weights).double()
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        loss = model(x_of().double())[0].square().mean()
    (layer,) = captured
    of_output, of_q, of_k, of_v = torch.autograd.grad(
        loss, [layer.output, layer.q, layer.k, layer.v], retain_graph=True
    )
    weights = (layer.q @ layer.k.transpose(-1, -2) / 2).softmax(-1)
    again = torch.autograd.grad((weights @ layer.v * of_output.detach()).sum(), [layer.q, layer.k, layer.v])
    for one, other in zip((of_q, of_k, of_v), again, strict=True):
        torch.testing.assert_close(one, other)
    if need_weights:
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            loss = model(x_of().double())[0].square().mean()
        (layer,) = captured
        to_weights, to_output = torch.autograd.grad(loss, [layer.weights, layer.output])
        torch.testing.assert_close(to_weights, to_output @ layer.v.transpose(-1, -2))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize(
    "call",
    [
        {},
        {"src_key_padding_mask": PADDING},
        {"src_key_padding_mask": PADDING.flip(1)},
        {"mask": nn.Transformer.generate_square_subsequent_mask(LENGTH)},
    ],
    ids=["plain", "right", "left", "causal"],
)
def test_the_fused_encoder_stays_fused_and_its_attention_is_that_of_the_written_out_one(
    norm_first, call
) -> None:
    model, x = encoder_of(norm_first), x_of()
    before = traces_of(model)
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        model.train()(x, **call)
    written_out = list(captured)
    model.eval()
    with torch.no_grad():
        plain = model(x, **call)
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            tapped = model(x, **call)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            unfused = model(x, **call)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
    assert torch.equal(plain, tapped)
    model.train()
    assert traces_of(model) == before
    assert not torch.equal(plain, unfused), "the fused kernel did not run, so that nothing was shown"
    real = ~call.get("src_key_padding_mask", torch.zeros(BATCH, LENGTH, dtype=torch.bool))
    assert [layer.label for layer in captured] == ["layers.0.self_attn", "layers.1.self_attn"]
    for ours, theirs in zip(captured, written_out, strict=True):
        for part in ("weights", "q", "output"):
            apart = (getattr(ours, part) - getattr(theirs, part)) * real[:, None, :, None]
            assert apart.abs().max() < 1e-5
        assert ours.shape == theirs.shape == (BATCH, 4, LENGTH, LENGTH)


def test_encoder_decoder_and_cross_attention_are_told_apart() -> None:
    model = nn.Transformer(SIZE, 4, 2, 1, 32, batch_first=True).eval()
    with torch.no_grad(), llmdebug.tap(model) as captured:
        model(x_of(), x_of(1)[:, :5])
    assert [(layer.group, layer.layer, layer.shape) for layer in captured] == [
        ("encoder", 0, (BATCH, 4, LENGTH, LENGTH)),
        ("encoder", 1, (BATCH, 4, LENGTH, LENGTH)),
        ("decoder", 0, (BATCH, 4, 5, 5)),
        ("cross", 0, (BATCH, 4, 5, LENGTH)),
    ]
    assert captured[3].causal is False


def test_training_with_dropout_goes_the_same_way() -> None:
    ends = []
    for parts in ((), ALL_PARTS):
        model = nn.Sequential(encoder_of(dropout=0.2), nn.Linear(SIZE, 1)).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.manual_seed(4)
        for _ in range(3):
            optimizer.zero_grad()
            if parts:
                with llmdebug.tap(model, *parts) as captured:
                    loss = model(x_of()).square().mean()
                assert captured[0].weights.sum(-1).allclose(torch.ones(()))
            else:
                loss = model(x_of()).square().mean()
            loss.backward()
            optimizer.step()
        ends.append(list(model.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


def test_a_subclass_that_does_something_else_is_refused() -> None:
    class Halved(nn.MultiheadAttention):
        def forward(self, *args, **kwargs):
            made, weights = super().forward(*args, **kwargs)
            return made * 0.5, weights

    model = Calling(Halved(SIZE, 4, batch_first=True), need_weights=False)
    with pytest.raises(llmdebug.InvalidRecordError, match=r"no plain nn\.MultiheadAttention"):
        with llmdebug.tap(model):
            model(x_of())


def test_layers_that_call_the_kernel_themselves() -> None:
    model = nn.Sequential(Homemade(), Homemade())
    plain = model(x_of())
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        tapped = model(x_of())
    assert torch.equal(plain, tapped)
    assert [(layer.label, layer.causal) for layer in captured] == [("0", True), ("1", True)]
    assert captured[0].weights.triu(1).abs().max() == 0
    wanted = [captured[0].q, captured[0].output]
    assert all(gradient.abs().max() > 0 for gradient in torch.autograd.grad(tapped.sum(), wanted))
    assert not any("forward" in module.__dict__ for module in model.modules())


def test_a_model_without_known_attention_is_refused() -> None:
    with pytest.raises(llmdebug.InvalidRecordError, match="no attention layer is known in this Linear"):
        with llmdebug.tap(nn.Linear(2, 2)):
            pass


@pytest.mark.parametrize("in_place", [True, False])
def test_a_compiled_model_is_looked_into_eagerly_and_stays_compiled(in_place) -> None:
    torch._dynamo.reset()
    eager = encoder_of().train()
    compiled = copy.deepcopy(eager)
    if in_place:
        compiled.compile(backend="aot_eager")
    else:
        compiled = torch.compile(compiled, backend="aot_eager")
    plain = compiled(x_of())
    counted = dict(torch._dynamo.utils.counters["stats"])
    with llmdebug.tap(compiled, *ALL_PARTS) as captured:
        tapped = compiled(x_of())
    assert len(captured) == 2
    assert torch.equal(tapped, eager(x_of()))
    assert torch.equal(compiled(x_of()), plain)
    assert dict(torch._dynamo.utils.counters["stats"]) == counted, "something was compiled anew"


def test_a_model_inside_a_compiled_step_is_looked_into() -> None:
    torch._dynamo.reset()
    model = nn.Sequential(Homemade())

    @torch.compile(backend="aot_eager")
    def step(x):
        return model(x).square().sum() * 2

    plain = step(x_of())
    with llmdebug.tap(model) as captured:
        tapped = step(x_of())
    assert len(captured) == 1
    torch.testing.assert_close(plain, tapped)
    torch.testing.assert_close(step(x_of()), plain)
    assert "forward" not in model.__dict__


def test_the_module_inside_data_parallelism_is_looked_into(tmp_path) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        model = nn.parallel.DistributedDataParallel(nn.Sequential(Homemade()))
        with llmdebug.tap(model) as captured:
            model(x_of()).sum().backward()
        assert [layer.label for layer in captured] == ["0"]
    finally:
        # The model first: its reducer would else be the last to hold the process group, and waits for the
        # group's threads while it keeps the interpreter from them.
        model = None
        gc.collect()
        torch.distributed.destroy_process_group()


def test_weights_of_a_long_probe_are_never_whole() -> None:
    """4,096 tokens and 32 heads: the weights of one layer would take 2 GiB, piece by piece 300 MiB do."""
    code = textwrap.dedent("""
        import resource, sys
        import numpy as np, torch
        import tb_llmdebug as llmdebug
        from torch.nn import functional as F

        class Attention(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.project = torch.nn.Linear(256, 3 * 256)
            def forward(self, x):
                q, k, v = (t.unflatten(-1, (32, 8)).transpose(1, 2) for t in self.project(x).split(256, -1))
                return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)

        torch.manual_seed(0)
        model = torch.nn.Sequential(Attention())
        x = torch.randn(1, 4096, 256)
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        with torch.no_grad():
            model(x)
            own = peak()
            sums = []
            def each(layer):
                for head in range(0, 32, 4):
                    for row in range(0, 4096, 512):
                        piece = layer.block(0, slice(head, head + 4), slice(row, row + 512))
                        assert piece.shape == (4, 512, 4096)
                        sums.append(float(piece.sum()))
                kept = layer.weights
                assert kept.shape == (1, 2, 64, 4096), kept.shape
            with llmdebug.tap(model, "weights", heads=(0, 31), rows=range(0, 4096, 64), each=each):
                model(x)
        assert abs(sum(sums) - 32 * 4096) < 1, sum(sums)
        print(own, peak() - own)
    """)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    own, more = map(int, result.stdout.split())
    assert more < 300, f"{more} MiB over the model's own {own}"


MODULES = ("adapter", "interface", "mha", "patches", "plain", "recipe", "sessions", "watch")


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name) -> None:
    module = importlib.import_module(f"tb_llmdebug.capture.torch_{name}")
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
