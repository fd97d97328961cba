"""What long contexts cost: a probe of 4,096 tokens on 32 heads, and layers that are over the budget.

Each is measured in a process of its own, so that its peak of memory is its own. `long_contexts_32` takes 32
layers instead of 2.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from benchmarks.report import Figure, peak_memory, print_figures, seconds, size

TOKENS, HEADS, LAYERS = 4096, 32, 2


def main(layers: int = LAYERS) -> None:
    """Measure and print."""
    figures = []
    whole = 4 * layers * HEADS * TOKENS**2
    for name, (title, _, target) in PARTS.items():
        found = _in_a_process(name, layers)
        value = f"{size(found['bytes'])}; the weights as one array would take {size(whole)}"
        figures.append(Figure(f"{title}, peak memory over the model's own", value, target))
        figures.append(Figure(f"{title}, time", seconds(found["seconds"])))
    print_figures(f"Long contexts: {TOKENS:,} tokens, {HEADS} heads, {layers} layers, PyTorch SDPA", figures)


def _model(layers: int) -> tuple[object, object]:
    import torch

    # It would make all weights of a layer at once: a peak of the model's own that hides the probe's.
    torch.backends.mha.set_fastpath_enabled(False)
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
    before = peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with llmdebug.Writer(folder):
            assert llmdebug.log_probe("encoder", model, inputs, step=0, **chosen)
        taken = time.perf_counter() - start
    print(json.dumps({"bytes": peak_memory() - before, "seconds": taken}))


PARTS: dict[str, tuple[str, Callable[[int], None], str]] = {
    "probe": ("whole probe, pooled", _probe, "1 GB"),
    "rows": ("16 rows of 4 heads", _rows, "256 MB"),
}


def _in_a_process(name: str, layers: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.long_contexts", name, str(layers)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


if __name__ == "__main__":
    if sys.argv[1:]:
        PARTS[sys.argv[1]][1](int(sys.argv[2]))
    else:
        main()
