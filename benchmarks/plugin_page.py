"""The plugin's page in a real Chromium, from a real TensorBoard over maps like a model's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import Painter, new_page, tensorboard
from benchmarks.report import Figure, median, percentile, seconds

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAINTERS: tuple[Painter, ...] = ("canvas2d", "webgl2")
# From the moment the page's module starts until the grid's canvas has pixels and one of its heads the cursor.
PICTURE = """() => new Promise(resolve => {
  const look = () => {
    const canvas = document.querySelector('[data-testid=head-grid] canvas');
    const shown = canvas && canvas.width > 0 && document.querySelector('[data-testid=grid-cursor]');
    if (!shown) return requestAnimationFrame(look);
    const all = performance.getEntriesByType('resource');
    const bytes = found => all.filter(e => found(new URL(e.name).pathname))
      .reduce((sum, e) => sum + e.encodedBodySize, 0);
    const module = all.find(e => e.name.endsWith('/index.js'));
    const data = bytes(path => /\\/(index|maps)$/.test(path));
    const code = bytes(path => /\\.(js|css)$/.test(path));
    resolve({ ms: performance.now() - module.startTime, data, code });
  };
  look();
})"""

# What the main thread does between an event and the frame that shows it, and how long that took with the
# wait for the screen. The listener comes first, the other one last; a message comes after the frame.
WATCH = """() => {
  window.work = [];
  window.taken = [];
  let first = 0;
  const after = run => {
    const channel = new MessageChannel();
    channel.port1.onmessage = run;
    channel.port2.postMessage(0);
  };
  const begin = () => {
    if (first > 0) return;
    first = performance.now();
    let handled = first;
    window.handled = () => (handled = performance.now());
    requestAnimationFrame(() => {
      const frame = performance.now();
      after(() => {
        const now = performance.now();
        window.work.push(handled - first + now - frame);
        window.taken.push(now - first);
        first = 0;
      });
    });
  };
  for (const type of ['pointermove', 'wheel', 'keydown']) {
    window.addEventListener(type, begin, { capture: true, passive: true });
    window.addEventListener(type, () => window.handled?.(), { passive: true });
  }
}"""

EXACT = "() => document.querySelector('[data-testid=focus-map]')?.dataset.stale === 'false'"


@contextmanager
def opened(
    browser: Browser, url: str, painter: Painter = "canvas2d"
) -> Iterator[tuple[Page, dict[str, float]]]:
    """Open the page; yields it, with its milliseconds and bytes to the first picture."""
    with new_page(browser, painter) as page:
        page.goto(url)
        yield page, page.evaluate(PICTURE)


def painted_by(page: Page) -> str:
    """Return which painter drew the thumbnails last, for the name of a figure."""
    painter = page.get_by_test_id("head-grid").locator("[data-painter]").first.get_attribute("data-painter")
    return f"painted by {painter}" + (", which is software here" if painter == "webgl2" else "")


@contextmanager
def logged(layers: int, heads: int, tokens: int, steps: int) -> Iterator[str]:
    """Log the same maps at every step and serve them; yields the address of the page."""
    with tempfile.TemporaryDirectory() as folder:
        maps = model_like(layers, heads, tokens)
        with llmdebug.Writer(folder, on_full="wait"):
            for step in range(steps):
                llmdebug.log_attention("decoder", maps, causal=True, step=step)
        with tensorboard(folder) as served:
            yield served.page


def name_of(layers: int, heads: int, tokens: int) -> str:
    """Return how a case is called."""
    return f"{layers} x {heads} heads x {tokens:,} tokens"


def frames(page: Page, name: str, goal: str) -> Figure:
    """What the watched events cost."""
    work, taken = ([one / 1000 for one in page.evaluate(f"window.{what}")] for what in ("work", "taken"))
    value = (
        f"{seconds(median(work))} of work (95 % under {seconds(percentile(work, 0.95))}), "
        f"{seconds(median(taken))} with the wait for the screen"
    )
    return Figure(name, value, goal)
