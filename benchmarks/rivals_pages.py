"""`python benchmarks/rivals_pages.py RIVAL TOKENS OUT.html`: the page that a rival makes of 12 x 12 maps.

Run with the Python of the rivals' own environment; imports nothing of ours but the maps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.attention import Maps, model_like

LAYERS = HEADS = 12


def _bertviz(maps: Maps, tokens: list[str]) -> str:
    import torch
    from bertviz import model_view

    layers = [torch.from_numpy(layer[None]) for layer in maps]
    return str(model_view(layers, tokens, html_action="return").data)


def _circuitsvis(maps: Maps, tokens: list[str]) -> str:
    from circuitsvis.attention import attention_heads

    return str(attention_heads(attention=maps.reshape(-1, *maps.shape[2:]), tokens=tokens).local_src)


def _inspectus(maps: Maps, tokens: list[str]) -> str:
    import inspectus
    from IPython import display

    shown: list[str] = []
    display.display = lambda *objects, **_: shown.extend(str(one.data) for one in objects)
    inspectus.attention(maps, tokens)
    return "".join(shown)


def _treescope(maps: Maps, _: list[str]) -> str:
    import treescope

    return str(treescope.render_array(maps)._repr_html_())


RIVALS: dict[str, Callable[[Maps, list[str]], Any]] = {
    "bertviz": _bertviz,
    "circuitsvis": _circuitsvis,
    "inspectus": _inspectus,
    "treescope": _treescope,
}


def main(rival: str, tokens: int, out: str) -> None:
    """Write the page."""
    maps = model_like(LAYERS, HEADS, tokens)
    html = RIVALS[rival](maps, [f"t{place}" for place in range(tokens)])
    Path(out).write_text(f"<!doctype html><meta charset=utf-8><body>{html}</body>", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
