"""What a log call costs a training loop on a CUDA GPU, and what a tapped pass and a logged probe cost there.

Only by its name, on a machine that has one. The caller of `log_attention` is timed with the GPU idle, beside
the copy to the host that no logging can do without, and with work queued on it: a call that waits for the
queue costs the loop its lead over the GPU.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable

import torch
import transformers

import tb_llmdebug as llmdebug
from benchmarks.report import Figure, median, percentile, print_figures, seconds

SHAPE = (12, 12, 128)
ROUNDS = 60
WARM = 5


def main() -> None:
    """Measure and print."""
    layers, heads, tokens = SHAPE
    maps = [
        torch.randn(1, heads, tokens, tokens, device="cuda").softmax(-1).contiguous() for _ in range(layers)
    ]
    queued = _work()
    step = iter(range(1_000_000))
    calls: dict[str, Callable[[], object]] = {
        "a copy of each layer to the host": lambda: [layer.cpu() for layer in maps],
        "log_attention": lambda: llmdebug.log_attention("decoder", maps, step=next(step)),
    }
    figures = []
    with tempfile.TemporaryDirectory() as folder, llmdebug.Writer(folder, queue_bytes=1 << 30) as writer:
        for prepare, when in ((torch.cuda.synchronize, "GPU idle"), (queued, "GPU with work queued")):
            taken = _in_turn(calls, prepare, writer)
            one = median(next(iter(taken.values())))
            figures += [_figure(f"{name}, {when}", spent, one) for name, spent in taken.items()]
        assert writer.status().dropped_maps == 0
    work = [_clocked(lambda: (queued(), torch.cuda.synchronize())) for _ in range(9)]
    figures.append(Figure("the work queued", seconds(median(work))))
    gpu = torch.cuda.get_device_name()
    title = f"A log call of {layers} CUDA tensors, float32 [1, {heads}, {tokens}, {tokens}], on {gpu}"
    print_figures(title, figures)
    print_figures(f"Fine-tuning GPT-2 (124 million weights) in bfloat16 on {gpu}", _fine_tuning())


def _fine_tuning() -> list[Figure]:
    """Train with a probe of six sentences of 64 tokens every ten steps, and without, in turn."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(attn_pdrop=0.0, attn_implementation="sdpa")
    model = transformers.GPT2LMHeadModel(config).cuda().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    batch = torch.randint(0, 50257, (16, 512), device="cuda")
    sentences = {"input_ids": torch.randint(0, 50257, (6, 64), device="cuda")}
    steps = iter(range(1_000_000))

    def ten_steps() -> None:
        for _ in range(10):
            with torch.autocast("cuda", torch.bfloat16):
                loss = model(input_ids=batch, labels=batch).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    def forward() -> None:
        with torch.no_grad():
            model.eval()(**sentences)
        model.train()

    def probe() -> None:
        assert llmdebug.log_probe("probe", model, sentences, step=next(steps))

    turns: dict[str, Callable[[], object]] = {
        "ten steps": ten_steps,
        "ten steps and the probe's forward pass": lambda: (ten_steps(), forward()),
        "ten steps and log_probe": lambda: (ten_steps(), probe()),
        "the probe's forward pass by itself": forward,
        "log_probe by itself": probe,
    }
    taken: dict[str, list[float]] = {name: [] for name in turns}
    with tempfile.TemporaryDirectory() as folder, llmdebug.Writer(folder):
        for turn in range(3 + 20):
            for name, call in turns.items():
                torch.cuda.synchronize()
                spent = _clocked(lambda call=call: (call(), torch.cuda.synchronize()))  # type: ignore[misc]
                if turn >= 3:
                    taken[name].append(spent)
    plain = taken["ten steps"]
    return [
        Figure(name, _beside(spent, plain), "+2 %" if name == "ten steps and log_probe" else "")
        if name.startswith("ten")
        else Figure(name, seconds(median(spent)))
        for name, spent in taken.items()
    ]


def _beside(taken: list[float], plain: list[float]) -> str:
    """Return the median, and by how much a turn is longer than the plain one beside it."""
    longer = median([one / other - 1 for one, other in zip(taken, plain, strict=True)])
    return f"{seconds(median(taken))}: {longer:+.1%}"


def _work() -> Callable[[], None]:
    """Return what queues some 10 ms of products on the GPU, and returns before they are done."""
    square = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    made = torch.empty_like(square)

    def queue() -> None:
        torch.cuda.synchronize()
        for _ in range(8):
            torch.matmul(square, square, out=made)

    return queue


def _in_turn(
    calls: dict[str, Callable[[], object]], prepare: Callable[[], object], writer: llmdebug.Writer
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(WARM + ROUNDS):
        for name, call in calls.items():
            prepare()
            spent = _clocked(call)
            torch.cuda.synchronize()
            writer.flush()
            if turn >= WARM:
                taken[name].append(spent)
    return taken


def _clocked(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _figure(name: str, taken: list[float], one: float) -> Figure:
    copies = f"{median(taken) / one:.2f} copies, p99 {percentile(taken, 0.99) / one:.2f}"
    return Figure(name, f"{seconds(median(taken))}, p99 {seconds(percentile(taken, 0.99))}: {copies}")


if __name__ == "__main__":
    main()
