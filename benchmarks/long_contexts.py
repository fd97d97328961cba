"""What long contexts cost: a probe of 4,096 tokens on 32 heads, and layers that are over the budget.

Each is measured in a process of its own, so that its peak of memory is its own. `python -m
benchmarks.long_contexts probe 32` takes 32 layers instead of 2, about a quarter of an hour.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from benchmarks.report import Figure, print_figures, seconds, size

TOKENS, HEADS, LAYERS = 4096, 32, 2


def main() -> None:
    """Measure and print."""
    figures = []
    for name, whole in (("probe", LAYERS * HEADS * TOKENS**2), ("rows", LAYERS * HEADS * TOKENS**2)):
        found = _in_a_process(name)
        figures.append(
            Figure(
                f"{PARTS[name][0]}, peak memory over the model's own",
                f"{size(found['bytes'])}; the weights as one array would take {size(4 * whole)}",
                "1 GB" if name == "probe" else "256 MB",
            )
        )
        figures.append(Figure(f"{PARTS[name][0]}, time", seconds(found["seconds"])))
    print_figures(f"Long contexts: {TOKENS:,} tokens, {HEADS} heads, {LAYERS} layers, PyTorch SDPA", figures)


def _model(layers: int) -> tuple[object, object]:
    import torch

    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(
        d_model=HEADS * 16, nhead=HEADS, dim_feedforward=64, batch_first=True
    )
    model = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False).eval()
    return model, torch.randn(1, TOKENS, HEADS * 16)


def _probe(layers: int) -> None:
    _log(layers, {})


def _rows(layers: int) -> None:
    _log(layers, {"rows": range(0, TOKENS, TOKENS // 16), "heads": range(0, HEADS, 8)})


def _log(layers: int, chosen: dict[str, range]) -> None:
    import torch

    import tb_llmdebug as llmdebug

    model, inputs = _model(layers)
    with torch.no_grad():
        model(inputs)  # type: ignore[operator]
    before = _peak()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with llmdebug.Writer(folder):
            assert llmdebug.log_probe("encoder", model, inputs, step=0, **chosen)
        taken = time.perf_counter() - start
    print(json.dumps({"bytes": _peak() - before, "seconds": taken}))


def _peak() -> int:
    """Return the most memory this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


PARTS: dict[str, tuple[str, Callable[[int], None]]] = {
    "probe": ("whole probe, pooled", _probe),
    "rows": ("16 rows of 4 heads", _rows),
}


def _in_a_process(name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.long_contexts", name]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


if __name__ == "__main__":
    if sys.argv[1:]:
        PARTS[sys.argv[1]][1](int(sys.argv[2]) if sys.argv[2:] else LAYERS)
    else:
        main()
