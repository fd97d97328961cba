"""Two steps compared in Python and on the page, beside what the browser would have to fetch to do it."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import chromium, new_page, tensorboard
from benchmarks.plugin_page import EXACT
from benchmarks.report import Figure, print_figures, seconds, size

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LAYERS, HEADS, TOKENS, EXAMPLES = 12, 12, 128, 8
REFS = 64
"""maps that one request may ask for"""
# From a key that turns the difference on until the distances of the heads are drawn.
DIFFERENCE = """() => new Promise(resolve => {
  const began = performance.now();
  const look = () => {
    const panel = document.querySelector('[data-testid=panel][data-side=difference]');
    const compared = document.querySelector('[data-statistic=js_distance]');
    if (!panel || !compared || panel.dataset.stale === 'true') return requestAnimationFrame(look);
    requestAnimationFrame(() => resolve(performance.now() - began));
  };
  document.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', bubbles: true }));
  look();
})"""
# All weights of both, as they are stored: not decoded, not compared.
SHIP = """async addresses => {
  const began = performance.now();
  const body = async one => (await fetch(one, { cache: 'no-store' })).arrayBuffer();
  const bodies = await Promise.all(addresses.map(body));
  const bytes = bodies.reduce((sum, body) => sum + body.byteLength, 0);
  return { ms: performance.now() - began, bytes };
}"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        with llmdebug.Writer(folder, on_full="wait"):
            for step in range(2):
                maps = [model_like(LAYERS, HEADS, TOKENS, step * EXAMPLES + one) for one in range(EXAMPLES)]
                llmdebug.log_attention("decoder", tuple(np.stack(maps, axis=1)), causal=True, step=step)
        figures = _in_python(folder)
        with tensorboard(folder) as served, chromium() as browser:
            figures += _on_the_page(browser, served.page)
    print_figures(f"Two steps compared, {LAYERS} x {HEADS} heads x {TOKENS} tokens", figures)


def _in_python(folder: str) -> list[Figure]:
    opened = llmdebug.open_logdir(folder)
    a, b = (opened.attention(".", "decoder", step=step) for step in (0, 1))
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        llmdebug.compare(a, b)
        taken.append(time.perf_counter() - start)
    value = f"{seconds(taken[0])}, again {seconds(taken[1])}"
    return [Figure(f"llmdebug.compare(a, b), all {EXAMPLES} examples", value)]


def _on_the_page(browser: Browser, url: str) -> list[Figure]:
    first, again, asked = _pinned(browser, url)
    server_again, _, _ = _pinned(browser, url)
    with new_page(browser) as page:
        page.goto(url)
        page.wait_for_function(EXACT)
        shipped: dict[str, Any] = page.evaluate(SHIP, _addresses(asked))
    ratio = shipped["ms"] / first
    return [
        Figure("A and B pinned: D until the distances are drawn, one example", seconds(first / 1000)),
        Figure("the same in another page, the server's second", seconds(server_again / 1000)),
        Figure("the same again in the same page", seconds(again / 1000)),
        Figure(
            "fetching the weights of both instead, neither decoded nor compared",
            f"{seconds(shipped['ms'] / 1000)}, {size(shipped['bytes'])}: {ratio:.1f} of the first time",
        ),
    ]


def _pinned(browser: Browser, url: str) -> tuple[float, float, str]:
    """Return the milliseconds that a difference takes, and takes again, and its request."""
    with new_page(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "compare=" in request.url else None)
        page.goto(f"{url}#p.llmdebug.a=0%3A.&p.llmdebug.b=1%3A.")
        page.wait_for_function(EXACT)
        page.wait_for_timeout(2000)
        first = page.evaluate(DIFFERENCE)
        _put_away(page)
        again = page.evaluate(DIFFERENCE)
    return first, again, asked[0]


def _put_away(page: Page) -> None:
    page.keyboard.press("d")
    page.wait_for_selector("[data-testid=panel][data-side=difference]", state="detached")
    page.wait_for_function(EXACT)
    page.wait_for_timeout(500)


def _addresses(asked: str) -> list[str]:
    """Return what would have to be asked for to have all weights of the two maps of a request."""
    base = asked.split("?")[0]
    two = parse_qs(urlsplit(asked).query)["at"][:2]
    places = [f"{at}.{layer}.{head}" for at in two for layer in range(LAYERS) for head in range(HEADS)]
    return [
        base + "?" + "&".join(f"at={place}" for place in places[first : first + REFS])
        for first in range(0, len(places), REFS)
    ]


if __name__ == "__main__":
    main()
