import { describe, expect, it } from "vitest";
import { cssColour, sequential } from "./colormap";
import { drawDot } from "./scatter_plot";
import { renderTheme } from "./theme";

type Rgb = readonly number[];

/** Of "#rrggbb" or "rgb(r g b)". */
function bytesOf(colour: string): Rgb {
  const hex = /^#(..)(..)(..)$/.exec(colour);
  return hex === null ? (colour.match(/\d+/g) ?? []).map(Number) : hex.slice(1).map((pair) => parseInt(pair, 16));
}

const over = (top: Rgb, below: Rgb, opacity: number): Rgb => top.map((value, i) => value * opacity + below[i]! * (1 - opacity));

/** Contrast as WCAG 2 defines it. */
function contrast(a: Rgb, b: Rgb): number {
  const luminance = (rgb: Rgb): number => {
    const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

interface Stroke {
  readonly colour: string;
  readonly width: number;
  readonly opacity: number;
}

/** A pen that remembers what it drew around. */
function recordingPen() {
  const strokes: Stroke[] = [];
  const pen = {
    strokes, fillStyle: "", strokeStyle: "", lineWidth: 0, globalAlpha: 1,
    beginPath() {}, arc() {}, fill() {},
    stroke() {
      strokes.push({ colour: pen.strokeStyle, width: pen.lineWidth, opacity: pen.globalAlpha });
    },
  };
  return pen;
}

describe.each([["light", false], ["dark", true]] as const)("a dot on a %s ground", (_, dark) => {
  const theme = renderTheme(dark);
  const ground = bytesOf(theme.ground);
  const stroked = (colour: string, ring: string | null): Stroke => {
    const pen = recordingPen();
    drawDot(pen, { x: 5, y: 5, colour, ring }, theme);
    expect([pen.strokes.length, pen.globalAlpha]).toEqual([1, 1]);
    return pen.strokes[0]!;
  };

  it("is seen by its edge where its colour is the palest of the scale, which is the ground's", () => {
    const palest = cssColour(sequential(dark), 0);
    expect(contrast(bytesOf(palest), ground)).toBeLessThan(1.1);
    const { colour, opacity } = stroked(palest, null);
    // What a graphic needs to be seen: WCAG 2, 1.4.11.
    expect(contrast(over(bytesOf(colour), ground, opacity), ground)).toBeGreaterThanOrEqual(3);
  });

  it("has an edge fainter and thinner than the ring of one that is chosen", () => {
    const edge = stroked("#00aa00", null);
    const ring = stroked("#00aa00", theme.locked);
    expect(ring).toEqual({ colour: theme.locked, width: 2, opacity: 1 });
    expect(edge.width).toBeLessThan(ring.width);
    expect(contrast(over(bytesOf(edge.colour), ground, edge.opacity), ground)).toBeLessThan(contrast(bytesOf(theme.text), ground) / 2);
  });
});
