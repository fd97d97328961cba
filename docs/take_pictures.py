"""Takes the pictures of the documentation from the demo's logs: `make docs-pictures LOGDIR=logs/demo`.

Those of other architectures come from small models that are logged anew, as for the browser tests. Needs
what `make setup` installs, a Chromium and a font with Chinese characters. Each view is taken at 1440 x 900
and 1024 x 768, light and dark, inside TensorBoard, with a palette of 256 colours: nobody sees the
difference, and the files are a third.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, FrameLocator, ViewportSize, sync_playwright

HERE = Path(__file__).resolve().parent
SIZES: dict[str, ViewportSize] = {
    "": {"width": 1440, "height": 900},
    "-1024": {"width": 1024, "height": 768},
}
"""by the end of a picture's name"""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
ATTENTION = "runs=all-weights,padding-mistake&example=1&layer=1&head=2"
Views = dict[str, tuple[str, str]]
"""by name: what the link says, and what has to be there before its pictures are taken"""
DEMO: Views = {
    "attention": (ATTENTION, "focus-map"),
    "difference": (
        "runs=all-weights&example=1&layer=1&head=2&a=0:all-weights&b=120:padding-mistake&difference=1",
        "focus-map",
    ),
    "over-time": (f"{ATTENTION}&multiples=on", "multiples-cursor"),
    "rollout": (f"{ATTENTION}&lens=lens%3Drollout", "lens-map"),
    "teaching": (f"{ATTENTION}&name=decoder, with vectors&teaching=softmax", "teach-row"),
    "heads": ("view=heads&runs=all-weights,padding-mistake,upper-layers&layer=1&head=2", "spark-grid"),
    "attributions": ("view=attributions&runs=all-weights", "strip"),
    "anomalies": ("view=anomalies", "anomaly"),
}
REAL_MODELS = HERE.parent / "plugin_frontend" / "e2e" / "real_models.py"
ARCHITECTURES: Views = {
    "architectures": ("runs=llama,mistral,jamba&layer=1&head=5", "head-notes"),
    "cross-attention": ("runs=t5&name=model/cross&layer=1&head=2", "head-notes"),
}


@contextmanager
def served(logdir: Path) -> Iterator[str]:
    """Yield the address of a TensorBoard that shows `logdir`."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if match := re.search(r" at (http:\S+)", line):
                yield match[1]
                return
        raise SystemExit(f"TensorBoard did not start on {logdir}: run it by hand to see why.")
    finally:
        server.kill()
        server.wait()


def is_still(frame: FrameLocator) -> bool:
    """Return whether nothing on the page waits for an answer."""
    return frame.locator("[data-stale=true], [aria-busy=true]").count() == 0


def picture(
    browser: Browser,
    url: str,
    view: tuple[str, str],
    scheme: Literal["light", "dark"],
    size: ViewportSize,
) -> bytes:
    """Return the page as PNG.

    Raises:
        SystemExit: what should be on it did not come.
    """
    asked, wanted = view
    page = browser.new_page(viewport=size, color_scheme=scheme)
    hash_part = "&".join(f"p.llmdebug.{field}" for field in asked.split("&"))
    page.goto(f"{url}#llmdebug&{hash_part}")
    frame = page.frame_locator("iframe")
    frame.get_by_test_id(wanted).first.wait_for(timeout=60_000)
    if frame.get_by_test_id("missing").count():
        raise SystemExit(
            f"{asked}: {frame.get_by_test_id('missing').first.inner_text()} Make the demo's logs anew."
        )
    if scheme == "dark":
        page.evaluate("document.body.classList.add('dark-mode')")
    for _ in range(100):
        page.wait_for_timeout(200)
        if is_still(frame):
            break
    page.wait_for_timeout(1500)  # scalars and the last canvas
    data: bytes = page.screenshot()
    page.close()
    return data


def reduced(data: bytes) -> bytes:
    """Return a PNG with at most 256 colours."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    small = image.quantize(colors=256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def take(logdir: Path, views: Views, into: Path) -> None:
    """Write four pictures of each view of `logdir`."""
    with served(logdir) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or None, args=FLAGS)
        for name, scheme, end in product(views, SCHEMES, SIZES):
            path = into / f"{name}-{scheme}{end}.png"
            path.write_bytes(reduced(picture(browser, url, views[name], scheme, SIZES[end])))
            sys.stdout.write(f"{path} {path.stat().st_size / 1000:.0f} kB\n")
        browser.close()


def main() -> None:
    """Take the pictures of all views, or of those named."""
    names = [*DEMO, *ARCHITECTURES]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("logdir", type=Path, help="logs of the demo")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(names)}; all if not given")
    parser.add_argument("--into", type=Path, default=HERE)
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in names]
    if unknown:
        parser.error(f"there is no view {unknown[0]!r}: choose among {', '.join(names)}.")
    demo, architectures = (
        {name: views[name] for name in given.names or names if name in views}
        for views in (DEMO, ARCHITECTURES)
    )
    if demo:
        take(given.logdir, demo, given.into)
    if architectures:
        with TemporaryDirectory() as logdir:
            subprocess.run([sys.executable, str(REAL_MODELS), logdir], check=True, stdout=subprocess.DEVNULL)
            take(Path(logdir), architectures, given.into)


if __name__ == "__main__":
    main()
