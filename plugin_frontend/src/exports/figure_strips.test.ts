import { describe, expect, it } from "vitest";
import { stripsFigure, type FigureStrip } from "./figure_strips";
import { boxOf, heading, measure, outside, overlapping, textsOf } from "./testing";

const orange = { rgb: [217, 95, 2], opacity: 0.5 } as const;
const strip = (step: number, words: readonly string[], more: Partial<FigureStrip> = {}): FigureStrip => ({
  step: String(step), tokens: words.map((text) => ({ text, ink: orange, kind: "plain" })), tail: [], verdict: "complete 3 %", chosen: false, leftwards: false, ...more,
});
const figureOf = (strips: readonly FigureStrip[]) =>
  stripsFigure({
    strips, heading, stepTitle: "step", dark: false, fitText: (drawn) => (drawn < strips.length ? `${drawn} fit` : ""),
    bar: { shades: [orange, null, orange], ticks: [{ at: 0, text: "−100 %" }], label: "score" },
  }, measure);
const words = Array.from({ length: 200 }, (_, i) => `word${i}`);

describe("stripsFigure", () => {
  it("lays each token on the colour of its score, in lines that end with the page", () => {
    const figure = figureOf([strip(0, words), strip(10, ["<b>"], { tail: ["→ next"] })]);
    const grounds = figure.marks.flatMap((mark) => (mark.kind === "rect" && mark.fill === "#d95f02" ? [mark] : []));
    expect(grounds).toHaveLength(201);
    expect(grounds.every(({ opacity }) => opacity === 0.5)).toBe(true);
    expect(new Set(grounds.map(({ y }) => y)).size).toBeGreaterThan(10);
    expect(textsOf(figure)).toEqual(expect.arrayContaining(["<b>", "→ next", "complete 3 %", "0", "10"]));
    expect(outside(figure)).toEqual([]);
    expect(overlapping(figure)).toEqual([]);
    expect(figureOf([strip(0, ["short"])]).width).toBeLessThan(figure.width);
  });

  it("sets a text that is read from the right from the right", () => {
    const figure = figureOf([strip(0, ["one", "two"], { leftwards: true })]);
    const [one, two] = ["one", "two"].map((text) => boxOf(figure.marks.find((mark) => mark.kind === "text" && mark.text === text)!));
    expect(one!.x).toBeGreaterThan(two!.x);
  });

  it("draws what has room, the step on screen in any case, and says how much that is", () => {
    const many = Array.from({ length: 60 }, (_, i) => strip(i, words, { chosen: i === 59 }));
    const figure = figureOf(many);
    expect(figure.height).toBeLessThan(2600);
    expect(textsOf(figure)).toContain("59");
    expect(textsOf(figure)).not.toContain("58");
    expect(textsOf(figure).some((text) => /\d+ fit/.test(text))).toBe(true);
  });

  it("shows the colours of the bar as they look on the ground", () => {
    const [bar] = figureOf([strip(0, ["a"])]).marks.flatMap((mark) => (mark.kind === "cells" ? [mark] : []));
    // Half of (217, 95, 2) on white, then white; little-endian RGBA.
    expect(Array.from(bar!.pixels, (pixel) => pixel.toString(16))).toEqual(["ff81afec", "ffffffff", "ff81afec"]);
  });
});
