"""UX.md, Speed, in a real Chromium from a real TensorBoard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import chromium, new_page, tensorboard
from benchmarks.recorded import recorded
from benchmarks.report import Figure, median, percentile, print_figures, seconds, size

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOADS = 5
STEPS = 6
MOVES = 40

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

STEP = """before => new Promise(resolve => {
  const began = performance.now();
  const look = () => {
    const panel = document.querySelector('[data-testid=panel]');
    const shown = panel.querySelector('[data-testid=panel-step]').textContent;
    if (shown === before || panel.dataset.stale === 'true') return requestAnimationFrame(look);
    resolve(performance.now() - began);
  };
  document.dispatchEvent(new KeyboardEvent('keydown', { key: '[', bubbles: true }));
  look();
})"""
EXACT = "() => document.querySelector('[data-testid=focus-map]')?.dataset.stale === 'false'"


def main() -> None:
    """Measure and print."""
    figures: list[Figure] = []
    with chromium() as browser:
        figures += _first_pictures(browser)
        with _logged(12, 12, 128, STEPS) as url:
            figures += [_hovering(browser, url), _stepping(browser, url)]
        figures += _large(browser)
    print_figures("The page in Chromium", figures)
    print_figures("First picture of 12 x 12 heads x 128 tokens by others, recorded", recorded(128))


def first_picture(browser: Browser, layers: int, heads: int, tokens: int) -> tuple[list[float], float, float]:
    """Return seconds to the first picture of each load, and bytes of data and of code on the wire."""
    found = []
    with _logged(layers, heads, tokens, 2) as url:
        for _ in range(LOADS + 1):
            with _opened(browser, url) as (_, picture):
                found.append(picture)
    return [one["ms"] / 1000 for one in found], found[-1]["data"], found[-1]["code"]


def _first_pictures(browser: Browser) -> Iterator[Figure]:
    for case, goal in (((12, 12, 128), "0.3 s, 100 kB"), ((32, 32, 256), "0.5 s")):
        (first, *rest), data, code = first_picture(browser, *case)
        value = (
            f"{seconds(median(rest))} ({seconds(min(rest))} to {seconds(max(rest))}), "
            f"the server's first {seconds(first)}; {size(data)} of data, {size(code)} of code"
        )
        yield Figure(f"first picture, {_name(*case)}", value, goal)


def _hovering(browser: Browser, url: str) -> Figure:
    with _opened(browser, url) as (page, _):
        page.wait_for_function(EXACT)
        box = page.get_by_test_id("head-grid").locator("canvas").first.bounding_box()
        assert box is not None
        painter = page.get_by_test_id("head-grid").locator("[data-painter]").get_attribute("data-painter")
        page.evaluate(WATCH)
        for move in range(MOVES):
            # Another head at every move.
            x, y = (
                box["width"] * (0.1 + 0.8 * (move * 7 % 12) / 12),
                box["height"] * (0.1 + 0.8 * move / MOVES),
            )
            page.mouse.move(box["x"] + x, box["y"] + y)
            page.wait_for_timeout(60)
        return _frames(page, f"hover over a head to redraw, 12 x 12 x 128, painted by {painter}", "16 ms")


def _frames(page: Page, name: str, goal: str) -> Figure:
    """What the watched events cost."""
    work, taken = ([one / 1000 for one in page.evaluate(f"window.{what}")] for what in ("work", "taken"))
    value = (
        f"{seconds(median(work))} of work (95 % under {seconds(percentile(work, 0.95))}), "
        f"{seconds(median(taken))} with the wait for the screen"
    )
    return Figure(name, value, goal)


def _stepping(browser: Browser, url: str) -> Figure:
    taken = []
    with _opened(browser, url) as (page, _):
        page.wait_for_function(EXACT)
        for _ in range(STEPS - 1):
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1000)
            before = page.get_by_test_id("panel-step").inner_text()
            taken.append(page.evaluate(STEP, before) / 1000)
    value = f"{seconds(median(taken))}, the longest {seconds(max(taken))}"
    return Figure("step change when prefetched, 12 x 12 x 128", value, "100 ms")


def _large(browser: Browser) -> Iterator[Figure]:
    with _logged(64, 64, 128, 1) as url:
        for turn in ("first", "again"):
            with _opened(browser, url) as (page, picture):
                page.wait_for_function(EXACT)
                page.wait_for_timeout(500)
                longest = page.evaluate("window.longest") / 1000
                value = f"{seconds(picture['ms'] / 1000)}, longest task {seconds(longest)}"
                yield Figure(f"{_name(64, 64, 128)} open, the server's {turn}", value, "no hang")
    with _logged(1, 2, 2048, 1) as url, _opened(browser, url) as (page, picture):
        page.wait_for_function(EXACT)
        page.wait_for_timeout(500)
        longest = page.evaluate("window.longest") / 1000
        value = f"{seconds(picture['ms'] / 1000)}, longest task {seconds(longest)}"
        yield Figure(f"{_name(1, 2, 2048)} open", value, "no hang")
        yield from _panning(page)


def _panning(page: Page) -> Iterator[Figure]:
    """Zoom into the large map and drag it."""
    box = page.get_by_test_id("focus-map").locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.evaluate(WATCH)
    for _ in range(8):
        page.mouse.wheel(0, -40)
        page.wait_for_timeout(60)
    yield _frames(page, "zoom 2,048 x 2,048, one frame", "16 ms")
    page.evaluate("window.work = []; window.taken = []; 0")
    page.mouse.down()
    for move in range(MOVES):
        page.mouse.move(x + 3 * move, y + 2 * move)
        page.wait_for_timeout(30)
    page.mouse.up()
    yield _frames(page, "pan 2,048 x 2,048, one frame", "16 ms")


@contextmanager
def _opened(browser: Browser, url: str) -> Iterator[tuple[Page, dict[str, float]]]:
    with new_page(browser) as page:
        page.goto(url)
        yield page, page.evaluate(PICTURE)


@contextmanager
def _logged(layers: int, heads: int, tokens: int, steps: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        maps = model_like(layers, heads, tokens)
        with llmdebug.Writer(folder, on_full="wait"):
            for step in range(steps):
                llmdebug.log_attention("decoder", maps, causal=True, step=step)
        with tensorboard(folder) as served:
            yield served.page


def _name(layers: int, heads: int, tokens: int) -> str:
    return f"{layers} x {heads} heads x {tokens:,} tokens"


if __name__ == "__main__":
    main()
