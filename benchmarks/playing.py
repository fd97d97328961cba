"""Playing through the steps in a real Chromium: how many are painted, and what 1,000 changes leave."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

import tb_llmdebug as llmdebug
from benchmarks.attention import model_like
from benchmarks.chromium import chromium, new_page, tensorboard
from benchmarks.plugin_page import PAINTERS, painted_by
from benchmarks.report import Figure, print_figures, size

if TYPE_CHECKING:
    from playwright.sync_api import Page

STEPS = 60
EXAMPLES = 8
CHANGES = 1000
# Textures that exist, counted at the calls that make and delete them.
COUNT_TEXTURES = """
window.textures = 0;
for (const [name, by] of [['createTexture', 1], ['deleteTexture', -1]]) {
  const original = WebGL2RenderingContext.prototype[name];
  WebGL2RenderingContext.prototype[name] = function (...given) {
    window.textures += by;
    return original.apply(this, given);
  };
}
"""
# Looks at every frame until the last step is on screen: a step counts as painted if the pixels of both the
# grid and the head in focus became other ones while its number stood over them.
PLAY = """last => new Promise(resolve => {
  const small = document.createElement('canvas');
  small.width = small.height = 32;
  const pen = small.getContext('2d', { willReadFrequently: true });
  const pixels = place => {
    const canvas = document.querySelector(`[data-testid=${place}] canvas`);
    pen.clearRect(0, 0, 32, 32);
    if (canvas && canvas.width > 0) pen.drawImage(canvas, 0, 0, 32, 32);
    return pen.getImageData(0, 0, 32, 32).data.join();
  };
  const seen = new Map();
  let before = ['', ''], start = 0, end = 0;
  const look = now => {
    const step = document.querySelector('[data-testid=panel-step]').textContent;
    const stale = ['panel', 'focus-map'].some(
      place => document.querySelector(`[data-testid=${place}][data-stale=true]`)
    );
    const shown = [pixels('head-grid'), pixels('focus-map')];
    if (!stale && shown[0] !== before[0] && shown[1] !== before[1] && !seen.has(step)) {
      seen.set(step, now);
      before = shown;
      end = now;
    }
    if (!start) { start = now; document.querySelector('[data-testid=play]').click(); }
    if (seen.has(last) || now - start > 60000) {
      const times = [...seen.values()];
      const gaps = times.slice(2).map((at, i) => at - times[i + 1]);
      return resolve({ painted: seen.size, seconds: (end - times[0]) / 1000, longest: Math.max(...gaps) });
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""
CHANGE = """count => new Promise(resolve => {
  let done = 0;
  const next = () => {
    if (done === count) return resolve();
    const key = Math.floor(done / 50) % 2 ? '[' : ']';
    document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    done += 1;
    requestAnimationFrame(() => requestAnimationFrame(next));
  };
  next();
})"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        with llmdebug.Writer(folder, on_full="wait"):
            for step in range(STEPS):
                llmdebug.log_attention("decoder", model_like(12, 12, 128, step), causal=True, step=step)
        with tensorboard(folder) as served, chromium() as browser:
            for painter in PAINTERS:
                with new_page(browser, painter) as page:
                    page.add_init_script(COUNT_TEXTURES)
                    page.goto(f"{served.page}#p.llmdebug.step=0&p.llmdebug.playing=10")
                    page.wait_for_selector("[data-testid=grid-cursor]")
                    # Longer than the page waits before it asks for WebGL2.
                    page.wait_for_timeout(3000)
                    figures = [*_pace(page.evaluate(PLAY, f"step {STEPS - 1}")), *_memory(page)]
                    title = f"Playing at 10 steps per second, 12 x 12 heads x 128 tokens, {painted_by(page)}"
                print_figures(title, figures)
    print_figures(f"The same with {EXAMPLES} examples, one of them shown", _several())


def _several() -> list[Figure]:
    """Play a run of several examples: no step is to wait for those that are not shown."""
    with tempfile.TemporaryDirectory() as folder:
        with llmdebug.Writer(folder, on_full="wait"):
            for step in range(STEPS):
                maps = [model_like(12, 12, 128, step * EXAMPLES + example) for example in range(EXAMPLES)]
                layers = np.stack(maps, axis=1)
                llmdebug.log_attention("decoder", tuple(layers), causal=True, step=step)
        with tensorboard(folder) as served, chromium() as browser, new_page(browser) as page:
            page.goto(f"{served.page}#p.llmdebug.step=0&p.llmdebug.playing=10")
            page.wait_for_selector("[data-testid=grid-cursor]")
            page.wait_for_timeout(3000)
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            played = page.evaluate(PLAY, f"step {STEPS - 1}")
    # A place is <series>.<ordinal>.<example>, with .<layer>.<head> for one head.
    places = [place for address in asked for place in parse_qs(urlsplit(address).query).get("at", [])]
    others = sum(place.split(".")[2] != "0" for place in places)
    return [*_pace(played), Figure("maps of other examples asked for while playing", str(others), "0")]


def _pace(played: dict[str, Any]) -> list[Figure]:
    pace = (played["painted"] - 1) / played["seconds"]
    return [
        Figure("steps painted", f"{played['painted']} of {STEPS}", f"{STEPS} of {STEPS}"),
        Figure("steps per second", f"{pace:.1f}", "10"),
        Figure("longest time between two steps", f"{played['longest']:.0f} ms"),
    ]


def _memory(page: Page) -> list[Figure]:
    session = page.context.new_cdp_session(page)
    if page.locator("[data-testid=play]").get_attribute("aria-label") == "Pause":
        page.click("[data-testid=play]")

    def used() -> tuple[float, int]:
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")
        parts = ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
        return sum(heap.get(part, 0) for part in parts), page.evaluate("window.textures")

    # Until every step has been seen the caches still fill.
    page.evaluate(CHANGE, 2 * STEPS)
    before, textures_before = used()
    page.evaluate(CHANGE, CHANGES)
    after, textures_after = used()
    return [
        Figure(
            f"page memory before and after {CHANGES:,} step changes", f"{size(before)}, {size(after)}", "flat"
        ),
        Figure("textures before and after", f"{textures_before}, {textures_after}", "flat"),
    ]


if __name__ == "__main__":
    main()
