"""Print, as base64, a font in which every character is the same box: pictures are then alike everywhere."""

from __future__ import annotations

import base64
import io
import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

EM, WIDTH, HEIGHT = 1000, 560, 520


def box() -> object:
    """Return a filled box that stands on the baseline."""
    pen = TTGlyphPen(None)
    pen.moveTo((60, 0))
    for corner in ((60, HEIGHT), (WIDTH - 60, HEIGHT), (WIDTH - 60, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def font() -> bytes:
    """Return the font's file."""
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", "space", "box"])
    builder.setupCharacterMap({0x20: "space", 0x41: "box"})
    everything = CmapSubtable.newSubtable(13)
    everything.platformID, everything.platEncID, everything.language = 3, 10, 0
    everything.cmap = {code: "space" if code in (0x20, 0xA0) else "box" for code in range(0x20, 0x20000)}
    builder.font["cmap"].tables.append(everything)
    builder.setupGlyf({".notdef": box(), "space": TTGlyphPen(None).glyph(), "box": box()})
    builder.setupHorizontalMetrics({".notdef": (WIDTH, 60), "space": (WIDTH // 2, 0), "box": (WIDTH, 60)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Box", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.write(base64.b64encode(font()).decode())
