"""UX.md, Speed, in a real Chromium from a real TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.chromium import Painter, chromium
from benchmarks.plugin_page import EXACT, PAINTERS, WATCH, frames, logged, name_of, opened, painted_by
from benchmarks.recorded import recorded
from benchmarks.report import Figure, median, print_figures, seconds, size

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOADS = 5
STEPS = 6
MOVES = 40

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


def main() -> None:
    """Measure and print."""
    figures: list[Figure] = []
    with chromium() as browser:
        figures += _first_pictures(browser)
        with logged(12, 12, 128, STEPS) as url:
            for painter in PAINTERS:
                figures += [_hovering(browser, url, painter), _stepping(browser, url, painter)]
    print_figures("The page in Chromium", figures)
    print_figures("First picture of 12 x 12 heads x 128 tokens by others, recorded", recorded(128))


def first_picture(browser: Browser, layers: int, heads: int, tokens: int) -> tuple[list[float], float, float]:
    """Return seconds to the first picture of each load, and bytes of data and of code on the wire."""
    found = []
    with logged(layers, heads, tokens, 2) as url:
        for _ in range(LOADS + 1):
            with opened(browser, url) as (_, picture):
                found.append(picture)
    return [one["ms"] / 1000 for one in found], found[-1]["data"], found[-1]["code"]


def _first_pictures(browser: Browser) -> Iterator[Figure]:
    for case, goal in (((12, 12, 128), "0.3 s, 100 kB"), ((32, 32, 256), "0.5 s")):
        (first, *rest), data, code = first_picture(browser, *case)
        value = (
            f"{seconds(median(rest))} ({seconds(min(rest))} to {seconds(max(rest))}), "
            f"the server's first {seconds(first)}; {size(data)} of data, {size(code)} of code"
        )
        yield Figure(f"first picture, {name_of(*case)}", value, goal)


def _hovering(browser: Browser, url: str, painter: Painter) -> Figure:
    with opened(browser, url, painter) as (page, _):
        page.wait_for_function(EXACT)
        # The first picture is always Canvas2D's.
        page.wait_for_timeout(1000)
        page.keyboard.press("[")
        page.wait_for_timeout(1000)
        box = page.get_by_test_id("head-grid").locator("canvas").first.bounding_box()
        assert box is not None
        page.evaluate(WATCH)
        for move in range(MOVES):
            # Another head at every move.
            x, y = (
                box["width"] * (0.1 + 0.8 * (move * 7 % 12) / 12),
                box["height"] * (0.1 + 0.8 * move / MOVES),
            )
            page.mouse.move(box["x"] + x, box["y"] + y)
            page.wait_for_timeout(60)
        return frames(page, f"hover over a head to redraw, 12 x 12 x 128, {painted_by(page)}", "16 ms")


def _stepping(browser: Browser, url: str, painter: Painter) -> Figure:
    taken = []
    with opened(browser, url, painter) as (page, _):
        page.wait_for_function(EXACT)
        for _ in range(STEPS - 1):
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1000)
            before = page.get_by_test_id("panel-step").inner_text()
            taken.append(page.evaluate(STEP, before) / 1000)
        by = painted_by(page)
    value = f"{seconds(median(taken))}, the longest {seconds(max(taken))}"
    return Figure(f"step change when prefetched, 12 x 12 x 128, {by}", value, "100 ms")


if __name__ == "__main__":
    main()
