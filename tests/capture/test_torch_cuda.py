"""Taps and logging on a CUDA GPU, with the kernels that only one has: flash, memory-efficient, cuDNN.

Every machine collects these tests; one without a GPU leaves them out, and says so.
"""

from __future__ import annotations

from contextlib import nullcontext
from importlib.metadata import packages_distributions

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

import tb_llmdebug as llmdebug
from tests.capture.torch_models import (
    ALL_PARTS,
    DECODERS,
    WINDOW,
    inputs_of,
    model_of,
    taps_of,
    traces_of,
    without_padding,
)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is there")

# Flash kernels want heads of 64 numbers, and half precision.
WIDE = {"hidden_size": 256, "intermediate_size": 256}
SIZES = {
    "gpt2": {"n_embd": 256},
    "llama": {**WIDE, "head_dim": 64},
    "mistral": {**WIDE, "head_dim": 64},
    "qwen3": {**WIDE, "head_dim": 64},
    "bert": WIDE,
}
KERNELS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}


def has_kernel(family: str, kernel: str, padded: bool) -> bool:
    """PyTorch's flash kernel takes no mask, which Transformers leaves out where nothing is padded and no
    window is set; its memory-efficient one takes no grouped heads, which Transformers then repeats, but only
    where there is a mask."""
    masked = padded or family == "mistral"
    grouped = family not in ("gpt2", "bert")
    return not masked if kernel == "flash" else masked or not grouped if kernel == "efficient" else True


RUNS = [
    (family, kernel, padded)
    for family in (*DECODERS, "bert")
    for kernel in KERNELS
    for padded in (False, True)
    if has_kernel(family, kernel, padded)
]
# The package of Dao et al., which Transformers calls itself and gives sequences without padding.
PACKAGE = [
    f"flash_attention_{version}"
    for version, package in ((2, "flash-attn"), (4, "flash-attn-4"))
    if package in [name.replace("_", "-") for name in packages_distributions().get("flash_attn", [])]
]
BFLOAT16 = 2.0**-8
"""rounding of bfloat16, relative"""


def model_on_gpu(family: str, implementation: str = "sdpa", dtype=torch.bfloat16, **settings) -> nn.Module:
    return model_of(family, implementation, **{**SIZES[family], **settings}).to("cuda", dtype)


def inputs_on_gpu(family: str, padded: bool = True) -> dict[str, torch.Tensor]:
    inputs = inputs_of(family)
    if not padded:
        del inputs["attention_mask"]
    return {name: value.cuda() for name, value in inputs.items()}


def kernel_named(name: str):
    return sdpa_kernel(KERNELS[name]) if name in KERNELS else nullcontext()


def expected_weights(layer, mask: torch.Tensor | None, dtype=torch.bfloat16) -> torch.Tensor:
    """softmax(q k' / sqrt(size)) of q and k in `dtype`, with the masks that the family is known by."""
    q, k = layer.q.to(dtype).double(), layer.k.to(dtype).double()
    k = k.repeat_interleave(q.shape[1] // k.shape[1], 1)
    logits = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    back = torch.arange(q.shape[2], device=q.device)[:, None] - torch.arange(k.shape[2], device=q.device)
    allowed = torch.ones_like(logits, dtype=torch.bool)
    if layer.causal:
        allowed &= back >= 0
    if layer.window:
        allowed &= back < layer.window
    if mask is not None:
        allowed &= mask[:, None, None, :].bool()
    return logits.masked_fill(~allowed, -torch.inf).softmax(-1).nan_to_num()


@pytest.mark.parametrize(("family", "kernel", "padded"), RUNS)
def test_fused_kernels_compute_the_same_bits_and_their_weights_are_had(family, kernel, padded) -> None:
    model, inputs = model_on_gpu(family), inputs_on_gpu(family, padded)
    with kernel_named(kernel):
        check_taps(model, family, inputs)


@pytest.mark.parametrize("implementation", PACKAGE)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("family", [*DECODERS, "bert"])
def test_the_flash_attention_package(family, padded, implementation) -> None:
    model, inputs = model_on_gpu(family, implementation), inputs_on_gpu(family, padded)
    check_taps(model, family, inputs)


def check_taps(model: nn.Module, family: str, inputs: dict[str, torch.Tensor]) -> None:
    """The same bits with and without taps, no trace of them, and the weights that they show."""
    before, plain = traces_of(model), model(**inputs)[0]
    with llmdebug.tap(model, *ALL_PARTS) as captured:
        tapped = model(**inputs)[0]
    assert torch.equal(plain, tapped)
    assert traces_of(model) == before
    check_weights(captured, family, inputs)


def check_weights(captured, family: str, inputs: dict[str, torch.Tensor], dtype=torch.bfloat16) -> None:
    mask = inputs.get("attention_mask")
    real = torch.ones_like(inputs["input_ids"]) if mask is None else mask
    assert len(captured) == 2
    for layer in captured:
        assert layer.window == (WINDOW if family == "mistral" else 0)
        assert layer.weights.dtype == torch.float32
        apart = without_padding(layer.weights - expected_weights(layer, mask, dtype), real)
        assert apart.abs().max() < 1e-5
        assert without_padding(layer.weights, real).max() > 0.3, "attention too even to tell"
        shown = layer.block(1, slice(1, 3), np.array([9, 5]))
        np.testing.assert_allclose(shown, layer.weights[1, 1:3][:, [9, 5]].cpu(), atol=1e-6)


@pytest.mark.parametrize("implementation", ["sdpa", *PACKAGE])
@pytest.mark.parametrize("family", DECODERS)
def test_weights_of_fused_kernels_agree_with_eager(family, implementation) -> None:
    """The first layer has the same q and k in both; eager rounds its weights to bfloat16."""
    inputs = inputs_on_gpu(family)
    model = model_on_gpu(family, "eager")
    theirs = taps_of(model, inputs)[0].weights
    model.set_attn_implementation(implementation)
    ours = taps_of(model, inputs)[0].weights
    apart = without_padding(ours - theirs.float(), inputs["attention_mask"])
    assert apart.abs().max() < BFLOAT16


@pytest.mark.parametrize("kernel", ["efficient", "math"])
@pytest.mark.parametrize("family", DECODERS)
def test_float32_weights_agree_with_eager(family, kernel) -> None:
    inputs = inputs_on_gpu(family)
    model = model_on_gpu(family, "eager", torch.float32)
    theirs = taps_of(model, inputs)
    model.set_attn_implementation("sdpa")
    with kernel_named(kernel):
        ours = taps_of(model, inputs)
    for mine, other in zip(ours, theirs, strict=True):
        assert without_padding(mine.weights - other.weights, inputs["attention_mask"]).abs().max() < 1e-5


def test_weights_are_exact_where_the_model_may_use_tf32() -> None:
    model = model_on_gpu("llama", "sdpa", torch.float32)
    inputs = {"input_ids": torch.randint(3, 64, (2, 512), device="cuda")}
    set_to = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        for layer in taps_of(model, inputs):
            assert (layer.weights - expected_weights(layer, None, torch.float32)).abs().max() < 1e-5
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(set_to)


@pytest.mark.parametrize("implementation", ["eager", "sdpa", *PACKAGE])
@pytest.mark.parametrize("family", DECODERS)
def test_training_goes_the_same_way(family, implementation, monkeypatch) -> None:
    """Dropout, gradients and weights after three steps, bit by bit, as far as a kernel repeats itself."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setenv("FLASH_ATTENTION_DETERMINISTIC", "1")
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        ends = [trained(family, implementation, parts) for parts in ((), (), ALL_PARTS)]
    finally:
        torch.use_deterministic_algorithms(False)
    same = all(torch.equal(one, other) for one, other in zip(ends[0], ends[1], strict=True))
    if not same:
        pytest.skip("this kernel's gradients differ from one run to the next, without taps too")
    assert all(torch.equal(one, other) for one, other in zip(ends[0], ends[2], strict=True))


def trained(family: str, implementation: str, parts: tuple[str, ...]) -> list[torch.Tensor]:
    model, inputs = model_on_gpu(family, implementation).train(), inputs_on_gpu(family)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    torch.manual_seed(3)
    for _ in range(3):
        optimizer.zero_grad()
        with llmdebug.tap(model, *parts) if parts else nullcontext() as captured:
            loss = model(**inputs, labels=inputs["input_ids"]).loss
        assert not parts or len(captured) == 2
        loss.backward()
        optimizer.step()
    return [*model.parameters(), *(p.grad for p in model.parameters() if p.grad is not None)]


def test_autocast_and_compiled_models_compute_the_same_bits() -> None:
    model, inputs = model_on_gpu("llama", "sdpa", torch.float32), inputs_on_gpu("llama", padded=False)
    with torch.autocast("cuda", torch.bfloat16):
        plain = model(**inputs).logits
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            assert torch.equal(model(**inputs).logits, plain)
        check_weights(captured, "llama", inputs)
    for mode in ("default", "reduce-overhead"):
        torch._dynamo.reset()
        compiled = torch.compile(model, mode=mode)
        with torch.no_grad():
            made = [compiled(**inputs).logits.clone() for _ in range(3)][-1]
            with llmdebug.tap(compiled, *ALL_PARTS) as captured:
                compiled(**inputs)
            check_weights(captured, "llama", inputs, torch.float32)
            assert torch.equal(compiled(**inputs).logits, made)


@pytest.mark.parametrize("training", [False, True])
def test_multi_head_attention_of_pytorch(training) -> None:
    """In eval mode PyTorch takes a fused path of its own through the whole layer."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, 64, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).cuda().train(training)
    x = torch.randn(2, 9, 64, device="cuda")
    padding = torch.zeros(2, 9, dtype=torch.bool, device="cuda")
    padding[1, 6:] = True
    with torch.set_grad_enabled(training):
        plain = model(x, src_key_padding_mask=padding)
        with llmdebug.tap(model, *ALL_PARTS) as captured:
            tapped = model(x, src_key_padding_mask=padding)
    assert torch.equal(plain, tapped)
    assert len(captured) == 2
    for layer in captured:
        apart = layer.weights - expected_weights(layer, ~padding, torch.float32)
        assert apart[0].abs().max() < 1e-5
        assert apart[1, :, :6].abs().max() < 1e-5


def test_a_long_probe_takes_little_of_the_gpu() -> None:
    """4,096 tokens and 32 heads: whole weights of one layer would take 2 GiB."""
    small = {"num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 4096}
    model = model_of("llama", "sdpa", **{**small, "hidden_size": 1024, "head_dim": 32})
    model = model.to("cuda", torch.bfloat16)
    inputs = {"input_ids": torch.randint(3, 64, (1, 4096), device="cuda")}
    with torch.no_grad():
        model(**inputs)
        torch.cuda.reset_peak_memory_stats()
        model(**inputs)
        plain = torch.cuda.max_memory_allocated()
        with llmdebug.tap(model, "weights", rows=range(4000, 4064)) as captured:
            model(**inputs)
        assert [layer.weights.shape for layer in captured] == [(1, 32, 64, 4096)] * 2
    # What is kept is 32 MiB a layer.
    assert torch.cuda.max_memory_allocated() - plain < 256 << 20


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(
    "chosen", [{}, {"heads": [3, 1]}, {"rows": [5, 2, 15]}, {"examples": [1]}, {"layers": [2]}]
)
def test_tensors_on_the_gpu_are_logged_as_they_were_at_the_call(tmp_path, dtype, chosen) -> None:
    torch.manual_seed(0)
    weights = torch.randn(3, 2, 4, 16, 16, device="cuda").softmax(-1).to(dtype)
    shown = weights.clone()
    maps = [layer.transpose(-1, -2).contiguous().transpose(-1, -2).requires_grad_() for layer in weights]
    maps = [layer + 0 for layer in maps]
    with llmdebug.Writer(tmp_path):
        busy = queued_work()
        assert llmdebug.log_attention("maps", maps, step=0, precision="f32", **chosen)
        assert not busy.query(), "the call waited for the GPU"
        for layer in maps:
            layer.detach().zero_()  # what the loop does next is not what was logged
    record = llmdebug.open_logdir(tmp_path).attention(".", "maps", 0)
    rows = sorted(chosen.get("rows", range(16)))
    for layer in chosen.get("layers", range(3)):
        for head in chosen.get("heads", range(4)):
            stored = record.weights(layer, head, 0 if "examples" in chosen else 1)
            whole = shown[layer, 1, head].float().cpu().numpy()
            np.testing.assert_array_equal(stored[rows] if len(stored) == 16 else stored, whole[rows])


def queued_work() -> torch.cuda.Event:
    """Queue about a second's work on the GPU; returns the event behind it."""
    torch.cuda.synchronize()
    torch.cuda._sleep(2_000_000_000)
    behind = torch.cuda.Event()
    behind.record()
    return behind


def test_nothing_is_logged_into_a_cuda_graph_which_stays_whole(tmp_path) -> None:
    x = torch.zeros(1, 2, 4, 4, device="cuda")
    graph = torch.cuda.CUDAGraph()
    with llmdebug.Writer(tmp_path), torch.cuda.graph(graph):
        made = (x + 1).softmax(-1)
        with pytest.raises(llmdebug.InvalidRecordError, match="after its replay"):
            llmdebug.log_attention("maps", (made,), step=0)
    graph.replay()
    assert made.sum().item() == 8


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("vectors", [False, True])
def test_a_probe_is_logged_from_the_gpu(tmp_path, vectors, implementation) -> None:
    model = model_on_gpu("qwen3", implementation)
    tokens = [[f"t{place}" for place in range(11)]] * 2
    inputs = {name: value.cpu().numpy() for name, value in inputs_of("qwen3").items()}
    with llmdebug.Writer(tmp_path):
        chosen = {"heads": [3, 1], "examples": [0], "vectors": vectors}
        assert llmdebug.log_probe("probe", model, inputs, tokens=tokens, step=0, **chosen)
    record = llmdebug.open_logdir(tmp_path).attention(".", "probe", 0)
    theirs = taps_of(model, inputs_on_gpu("qwen3"))
    for layer in range(2):
        apart = record.weights(layer, 3, 0) - theirs[layer].weights[0, 3].detach().float().cpu().numpy()
        assert abs(apart).max() < 2**-11 + 1e-5
