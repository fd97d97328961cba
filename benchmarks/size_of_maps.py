"""How many bits a stored weight takes, everything counted, and how exact it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.report import Figure, print_figures
from tb_llmdebug.stats import jensen_shannon_distance


def main() -> None:
    """Measure and print."""
    figures = []
    for tokens in (24, 128, 512):
        maps = model_like(4, 12, tokens)
        for precision in ("f16", "u8"):
            with tempfile.TemporaryDirectory() as folder:
                with llmdebug.Writer(folder) as writer:
                    llmdebug.log_attention("decoder", maps, causal=True, precision=precision, step=0)
                    writer.flush()
                size = sum(path.stat().st_size for path in Path(folder).rglob("records.*"))
                stored = llmdebug.open_logdir(folder).attention(".", "decoder", 0)
                error = np.mean(
                    [
                        np.abs(stored.weights(layer, head) - maps[layer, head]).sum(axis=-1).mean()
                        for layer in range(4)
                        for head in range(12)
                    ]
                )
                distance = np.mean(
                    [
                        jensen_shannon_distance(stored.weights(layer, head), maps[layer, head])
                        for layer in range(4)
                        for head in range(12)
                    ]
                )
            bits = size * 8 / maps.size
            # Half of a causal map is zeros, which cost nothing; per visible weight is the honest figure.
            visible = size * 8 / (maps.size * (tokens + 1) / (2 * tokens))
            goal = "5.5 bits, error 0.02" if precision == "u8" and tokens >= 128 else ""
            figures.append(
                Figure(
                    f"{precision}, {tokens} tokens",
                    f"{bits:.2f} bits per weight, {visible:.2f} per visible one, "
                    f"row L1 error {error:.4f}, distance {distance:.4f}",
                    goal,
                )
            )
    print_figures("Stored size of causal attention, 4 layers x 12 heads", figures)


if __name__ == "__main__":
    main()
