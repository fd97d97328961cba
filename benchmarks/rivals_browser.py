"""The first picture of other viewers of attention, in the same Chromium and the same run as our own.

RIVALS_PYTHON is the Python of an environment with requirements/rivals.txt (`make bench-rivals` makes it),
RIVALS_TOKENS the numbers of tokens, RIVALS_SECONDS the most that a case may take. BertViz loads scripts from
a CDN; where that cannot be reached, RIVALS_CDN is a folder with files of their names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.browser import first_picture
from benchmarks.chromium import chromium, new_page
from benchmarks.recorded import recorded
from benchmarks.report import Figure, median, print_figures, seconds, size

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

LAYERS = HEADS = 12
# Drawn is what has a size and, of a canvas, pixels. Shadow roots and frames are looked through too.
PICTURE = """() => {
  let elements = 0, drawn = 0, blank = 0;
  const pen = Object.assign(document.createElement('canvas'), { width: 16, height: 16 })
    .getContext('2d', { willReadFrequently: true });
  const isBlank = canvas => {
    pen.clearRect(0, 0, 16, 16);
    pen.drawImage(canvas, 0, 0, 16, 16);
    return pen.getImageData(0, 0, 16, 16).data.every(value => value === 0);
  };
  const walk = root => {
    for (const one of root.querySelectorAll('*')) {
      elements += 1;
      if (one.shadowRoot) walk(one.shadowRoot);
      if (one.tagName === 'IFRAME' && one.contentDocument) walk(one.contentDocument);
      if (!['canvas', 'svg', 'img'].includes(one.tagName.toLowerCase())) continue;
      const box = one.getBoundingClientRect();
      if (box.width <= 16 || box.height <= 16) continue;
      if (one.tagName === 'CANVAS' && isBlank(one)) blank += 1;
      else drawn += 1;
    }
  };
  walk(document);
  return drawn > 0 && blank === 0 ? elements : 0;
}"""
STILL_SECONDS = 1.0


def main() -> None:
    """Measure and print."""
    sizes = [int(one) for one in os.environ.get("RIVALS_TOKENS", "64,128,256").split(",")]
    with chromium() as browser:
        for tokens in sizes:
            figures = [_ours(browser, tokens), *_theirs(browser, tokens)]
            print_figures(f"First picture of {LAYERS} x {HEADS} heads, {tokens} tokens, causal", figures)
            sys.stdout.flush()


def _ours(browser: Browser, tokens: int) -> Figure:
    (_, *taken), data, code = first_picture(browser, LAYERS, HEADS, tokens)
    return Figure("tb_llmdebug", f"{seconds(median(taken))}, {size(data)} of data, {size(code)} of code")


def _theirs(browser: Browser, tokens: int) -> Iterator[Figure]:
    limit = float(os.environ.get("RIVALS_SECONDS", "300"))
    for rival in recorded(tokens):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            problem = _make(rival.name.lower(), tokens, page, limit)
            value = problem or _measure(browser, page, limit)
        yield Figure(rival.name, value, f"{rival.value} (recorded)")


def _make(rival: str, tokens: int, page: Path, limit: float) -> str:
    """Write a rival's page; returns why there is none."""
    python = os.environ.get("RIVALS_PYTHON", sys.executable)
    script = Path(__file__).parent / "rivals_pages.py"
    try:
        done = subprocess.run(
            [python, str(script), rival, str(tokens), str(page)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no page after {limit:.0f} s"
    last = done.stderr.strip().splitlines()[-1:]
    return "" if done.returncode == 0 else f"no page: {''.join(last)[:80]}"


def _measure(browser: Browser, file: Path, limit: float) -> str:
    from playwright.sync_api import Error

    with new_page(browser) as page:
        if "RIVALS_CDN" in os.environ:
            page.route("**/*", _from_folder)
        page.set_default_timeout(limit * 1000)
        began = time.perf_counter()
        try:
            page.goto(file.as_uri(), wait_until="commit")
            taken = _seconds_to_picture(page, began, limit)
        except Error:
            taken = None
    made = f"{size(file.stat().st_size)} page"
    return f"no picture after {limit:.0f} s, {made}" if taken is None else f"{seconds(taken)}, {made}"


def _seconds_to_picture(page: Page, began: float, limit: float) -> float | None:
    """Return when the page had become what it stayed for a while; a busy page does not answer before."""
    drawn, since = 0, began
    while (now := time.perf_counter()) - began < limit:
        count = page.evaluate(PICTURE)
        answered = time.perf_counter()
        if count != drawn:
            drawn, since = count, answered
        elif drawn > 0 and now - since > STILL_SECONDS:
            return since - began
        page.wait_for_timeout(50)
    return None


def _from_folder(route: Route) -> None:
    url = route.request.url
    name = url.rsplit("/", 1)[-1]
    file = Path(os.environ["RIVALS_CDN"]) / name
    if url.startswith("file:") or not file.is_file():
        route.continue_()
    else:
        route.fulfill(path=file, content_type="text/javascript")


if __name__ == "__main__":
    main()
