"""The first picture in a real Chromium, from a real TensorBoard."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.report import Figure, median, print_figures, seconds, size

LOADS = 5
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# From the moment the page's module starts until the grid's canvas has pixels.
SCRIPT = """() => new Promise(resolve => {
  const look = () => {
    const canvas = document.querySelector('[data-testid=head-grid] canvas');
    const shown = canvas && canvas.width > 0 && document.querySelector('[data-testid=grid-cursor]');
    if (!shown) return requestAnimationFrame(look);
    const maps = performance.getEntriesByType('resource').filter(e => e.name.includes('/maps?'));
    const module = performance.getEntriesByType('resource').find(e => e.name.endsWith('/index.js'));
    resolve([performance.now(), maps.length ? maps[0].encodedBodySize : 0, module ? module.startTime : 0]);
  };
  look();
})"""


def main() -> None:
    """Measure and print."""
    cases = ((12, 12, 128, "0.3 s, 100 kB"), (32, 32, 256, "0.5 s"))
    figures = [_case(*case) for case in cases]
    print_figures("First picture in Chromium, the page's script to the drawn grid", figures)


def _case(layers: int, heads: int, tokens: int, goal: str) -> Figure:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        with llmdebug.Writer(folder, on_full="wait"):
            for step in range(2):
                llmdebug.log_attention("decoder", model_like(layers, heads, tokens), causal=True, step=step)
        with _tensorboard(folder) as url, sync_playwright() as playwright:
            path = os.environ.get("CHROMIUM") or None
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            taken, sizes = [], []
            for _ in range(LOADS + 1):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(f"{url}data/plugin_entry.html?name=llmdebug")
                end, wire, start = page.evaluate(SCRIPT)
                taken.append((end - start) / 1000)
                sizes.append(wire)
                page.close()
            browser.close()
    first, rest = taken[0], taken[1:]
    value = f"{seconds(median(rest))}, the very first {seconds(first)}, {size(median(sizes))} of maps"
    return Figure(f"{layers} x {heads} heads x {tokens} tokens", value, goal)


@contextmanager
def _tensorboard(folder: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        yield next(line.split(" at ")[1].split()[0] for line in process.stderr if " at http://" in line)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
