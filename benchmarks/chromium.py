"""A real Chromium and a real TensorBoard, for the benchmarks of what is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
Painter = Literal["canvas2d", "webgl2"]
ANY_WEBGL = Path(__file__).parent.parent / "plugin_frontend" / "e2e" / "any_webgl.js"
SIZE = {"width": 1440, "height": 900}
_TASKS = """
window.longest = 0;
new PerformanceObserver(list => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: 'longtask', buffered: true });
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser that CHROMIUM names, else Playwright's own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or None
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def new_page(browser: Browser, painter: Painter = "canvas2d") -> Iterator[Page]:
    """Open a page with a cache of its own; `window.longest` is its longest task over 50 ms, in ms.

    Without a graphics card the page takes no WebGL2; with `painter` "webgl2" it cannot tell, and takes it.
    """
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
    page.add_init_script(_TASKS)
    if painter == "webgl2":
        page.add_init_script(path=ANY_WEBGL)
    try:
        yield page
    finally:
        page.close()


class Served(NamedTuple):
    """A TensorBoard that runs."""

    address: str
    process: int

    @property
    def page(self) -> str:
        """The address of the plugin's page."""
        return f"{self.address}data/plugin_entry.html?name=llmdebug"


@contextmanager
def tensorboard(folder: str | Path) -> Iterator[Served]:
    """Serve a log directory."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = next(line.split(" at ")[1].split()[0] for line in process.stderr if " at http://" in line)
        yield Served(address, process.pid)
    finally:
        process.terminate()
        process.wait()
