"""What other viewers of attention took to the first picture of 12 x 12 heads, on another machine (UX.md).

`make bench-rivals` measures them anew, in one run with our own page.
"""

from __future__ import annotations

from benchmarks.report import Figure

RECORDED = {
    "BertViz": {64: "10.6 s", 128: "49.5 s, 65 MB", 256: "no picture after 520 s"},
    "CircuitsVis": {64: "49.7 s", 128: "205 s, 34 MB"},
    "Inspectus": {64: "1.6 s", 128: "2.5 s, 13 MB", 256: "5.4 s"},
    "Treescope": {64: "3.0 s", 128: "9.5 s, 16 MB", 256: "blank, no message"},
}


def recorded(tokens: int) -> list[Figure]:
    """Return the figures for so many tokens."""
    return [Figure(name, taken.get(tokens, "-")) for name, taken in RECORDED.items()]
