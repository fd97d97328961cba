"""The largest maps in a real Chromium: what keeps the page from answering while they are opened and moved."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import Painter, chromium, new_page, tensorboard
from benchmarks.plugin_page import EXACT, PAINTERS, WATCH, frames, logged, name_of, opened
from benchmarks.report import Figure, median, print_figures, seconds

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

MAKE_LOGS = Path(__file__).parent.parent / "plugin_frontend" / "e2e" / "make_logs.py"
LOADS = 5
MOVES = 40
TOKENS = 2048
PANELS = 4
ALL_EXACT = """count => {
  const maps = [...document.querySelectorAll('[data-testid=focus-map]')];
  return maps.length === count && maps.every(map => map.dataset.stale === 'false');
}"""
NO_HANG = "longest task 200 ms"
STEPS = 8
CHANGES = 6
# When a large map was last painted, in ms.
PAINTED = """
window.painted = 0;
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...given) {
  if (this.canvas.closest?.('[data-testid=focus-map]')) window.painted = performance.now();
  return draw.apply(this, given);
};
"""
# Moves by steps and waits until every map is the step's own, to the pixel: exact, and not painted again.
CHANGE = """([by, wanted, count]) => new Promise(resolve => {
  window.longest = window.painted = 0;
  const start = performance.now();
  const key = by > 0 ? ']' : '[';
  for (let i = 0; i < Math.abs(by); i++) {
    document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  }
  const look = () => {
    const maps = [...document.querySelectorAll('[data-testid=focus-map]')];
    const exact = maps.length === count && maps.every(map => map.dataset.stale === 'false');
    const steps = [...document.querySelectorAll('[data-testid=panel-step]')];
    const there = steps.every(one => one.textContent === wanted);
    const now = performance.now();
    if (!exact || !there || window.painted === 0 || now - window.painted < 500) return setTimeout(look, 50);
    resolve([window.painted - start, window.longest]);
  };
  setTimeout(look, 50);
})"""


def main() -> None:
    """Measure and print."""
    with chromium() as browser:
        figures = [*_opening(browser), *_moving(browser), *_stepping(browser)]
    print_figures("Large maps in Chromium", figures)


def _opening(browser: Browser) -> Iterator[Figure]:
    with logged(64, 64, 128, 1) as url:
        yield _loads(browser, url, name_of(64, 64, 128))
    with _blocks() as url:
        # The writer's budget leaves blocks of 32 x 32 of so many: this is four times as much.
        yield _loads(browser, url, f"{name_of(64, 64, TOKENS)}, in blocks of 16 x 16")
    with logged(1, 2, TOKENS, 1) as url:
        yield _loads(browser, url, name_of(1, 2, TOKENS))


def _loads(browser: Browser, url: str, name: str) -> Figure:
    pictures, longest = [], []
    for _ in range(LOADS):
        with opened(browser, url) as (page, picture):
            page.wait_for_function(EXACT)
            page.wait_for_timeout(1000)
            pictures.append(picture["ms"] / 1000)
            longest.append(page.evaluate("window.longest") / 1000)
    value = (
        f"first picture {seconds(median(pictures))}, the server's first {seconds(pictures[0])}; "
        f"longest task {seconds(median(longest))} ({seconds(min(longest))} to {seconds(max(longest))})"
    )
    return Figure(f"open {name}", value, NO_HANG)


@contextmanager
def _blocks() -> Iterator[str]:
    """Serve the log of the browser tests: 64 x 64 heads x 2,048 tokens in blocks."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(MAKE_LOGS), "heads", folder], check=True)
        with tensorboard(folder) as served:
            yield served.page


def _moving(browser: Browser) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        runs = [f"run{place}" for place in range(PANELS)]
        for seed, run in enumerate(runs):
            with llmdebug.Writer(f"{folder}/{run}", on_full="wait"):
                maps = model_like(1, 2, TOKENS, seed)
                llmdebug.log_attention("decoder", maps, causal=True, step=0)
        with tensorboard(folder) as served:
            for count in (1, PANELS):
                with opened(browser, f"{served.page}#p.llmdebug.runs={','.join(runs[:count])}") as (page, _):
                    page.wait_for_function(ALL_EXACT, arg=count)
                    page.wait_for_timeout(1000)
                    yield from _zoomed_and_dragged(page, count)


def _zoomed_and_dragged(page: Page, count: int) -> Iterator[Figure]:
    """Zoom into the first map and drag it; those beside it follow."""
    beside = "" if count == 1 else f", {count} side by side"
    box = page.get_by_test_id("focus-map").first.locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.evaluate(WATCH)
    for _ in range(8):
        page.mouse.wheel(0, -40)
        page.wait_for_timeout(60)
    yield frames(page, f"zoom 2,048 x 2,048{beside}, one frame", "16 ms")
    page.evaluate("window.work = []; window.taken = []; 0")
    page.mouse.down()
    for move in range(MOVES):
        page.mouse.move(x + 3 * move, y + 2 * move)
        page.wait_for_timeout(30)
    page.mouse.up()
    yield frames(page, f"pan 2,048 x 2,048{beside}, one frame", "16 ms")


def _stepping(browser: Browser) -> Iterator[Figure]:
    """Change the step of one map and of four side by side, fetched ahead and not."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [f"run{place}" for place in range(PANELS)]
        for place, run in enumerate(runs):
            with llmdebug.Writer(f"{folder}/{run}", on_full="wait"):
                for step in range(STEPS):
                    maps = model_like(1, 1, TOKENS, place * STEPS + step)
                    llmdebug.log_attention("decoder", maps, causal=True, step=step)
        with tensorboard(folder) as served:
            for count in (1, PANELS):
                address = f"{served.page}#p.llmdebug.step=0&p.llmdebug.runs={','.join(runs[:count])}"
                for painter in PAINTERS:
                    yield _fetched_ahead(browser, address, count, painter)
                yield _not_fetched(browser, address, count)


def _fetched_ahead(browser: Browser, address: str, count: int, painter: Painter) -> Figure:
    with _at_rest(browser, address, count, painter) as (page, wait):
        taken = []
        for step in range(1, CHANGES + 1):
            taken.append(page.evaluate(CHANGE, [1, f"step {step}", count]))
            wait()
    return _changed(f"{_beside(count)}, fetched ahead, {painter}", taken, "50 ms")


def _not_fetched(browser: Browser, address: str, count: int) -> Figure:
    """Go to a step that is no neighbour, on a new page each time."""
    taken = []
    for _ in range(CHANGES):
        with _at_rest(browser, address, count, "canvas2d") as (page, _wait):
            taken.append(page.evaluate(CHANGE, [4, "step 4", count]))
    return _changed(f"{_beside(count)}, not fetched", taken, "200 ms")


def _beside(count: int) -> str:
    return "one map" if count == 1 else f"{count} maps side by side"


def _changed(name: str, taken: list[tuple[float, float]], goal: str) -> Figure:
    exact, longest = ([one / 1000 for one in column] for column in zip(*taken, strict=True))
    value = (
        f"exact after {seconds(median(exact))} ({seconds(min(exact))} to {seconds(max(exact))}); "
        f"longest task {seconds(median(longest))} (to {seconds(max(longest))})"
    )
    return Figure(f"change the step of {name}", value, f"{goal}, no task over 50 ms")


@contextmanager
def _at_rest(
    browser: Browser, address: str, count: int, painter: Painter
) -> Iterator[tuple[Page, Callable[[], None]]]:
    """Open the page; yields it once nothing is fetched any more, and what waits for that again."""
    with new_page(browser, painter) as page:
        page.add_init_script(PAINTED)
        asked = [time.monotonic()]

        def note(request: Request) -> None:
            if "/maps?" in request.url:
                asked.append(time.monotonic())

        def wait() -> None:
            deadline = time.monotonic() + 30
            page.wait_for_timeout(500)
            while time.monotonic() < min(deadline, asked[-1] + 2):
                page.wait_for_timeout(200)

        page.on("request", note)
        page.on("requestfinished", note)
        page.goto(address)
        page.wait_for_function(ALL_EXACT, arg=count)
        wait()
        yield page, wait


if __name__ == "__main__":
    main()
