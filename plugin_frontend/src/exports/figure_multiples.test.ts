import { describe, expect, it } from "vitest";
import type { HeadPicture } from "../data/multiples";
import type { MultiplesCell } from "../render/multiples_grid";
import { multiplesFigure } from "./figure_multiples";
import { heading, measure, outside, overlapping, textsOf } from "./testing";

const picture = (peak: number): HeadPicture => ({
  strip: "s", ordinal: 0, step: 0, mapState: 1, error: null, rows: 4, cols: 4, pooledRows: 1, pooledKeys: 1,
  codes: new Uint8Array(16).fill(255), peak, notFinite: false, values: new Map(), input: "", aside: [], asideMass: NaN, padding: { top: 0, bottom: 0, left: 0, right: 0 },
});
const states: readonly MultiplesCell["state"][] = ["picture", "dropped", "statistics", "absent", "failed", "incomparable"];
const cell = ({ row, column }: { row: number; column: number }): MultiplesCell => {
  const state = row === 0 ? "picture" : (states[column % states.length] ?? "absent");
  return { state, picture: state === "picture" ? picture(column / 60) : null, base: null, belowFloor: row === 0 && column === 21, pin: row === 0 && column === 22 ? "A" : "" };
};
const scale = { companding: "linear", exposure: 1, differenceLimit: 1, peak: 1, dark: false } as const;
const data = {
  titles: ["one", "other"].map((text) => ({ text, colour: "#123456" })),
  sizes: [{ rows: 4, cols: 4 }, null],
  labels: Array.from({ length: 60 }, (_, i) => `${i}00k`),
  cell, scale, current: 23,
};
const figureOf = (first: number, end: number) =>
  multiplesFigure({ data, first, end, signed: false, heading, scale: "attention weight", stepTitle: "step" }, measure);

describe("multiplesFigure", () => {
  it("draws the columns that are shown, each as it is", () => {
    const figure = figureOf(20, 26);
    const tiles = figure.marks.flatMap((mark) => (mark.kind === "cells" && mark.columns === 4 ? [mark] : []));
    // Six of the first run, one of the other.
    expect(tiles).toHaveLength(7);
    // A larger weight is another colour.
    expect(tiles[0]!.pixels[0]).not.toBe(tiles[5]!.pixels[0]);
    // Dropped, failed, and what rounding alone could have made, which is seen through its hatching.
    const hatched = figure.marks.flatMap((mark) => (mark.kind === "hatch" ? [mark.ground === null] : []));
    expect(hatched.sort()).toEqual([false, false, true]);
    expect(textsOf(figure)).toEqual(expect.arrayContaining(["one", "other", "Σ", "≠", "A", "2300k", "step", "attention weight"]));
    expect(textsOf(figure)).not.toContain("1900k");
    expect(outside(figure)).toEqual([]);
    expect(overlapping(figure)).toEqual([]);
  });

  it("stays as wide as a page, and names the step on screen", () => {
    const figure = figureOf(0, 60);
    expect(figure.width).toBeLessThan(515);
    expect(textsOf(figure)).toContain("2300k");
    expect(outside(figure)).toEqual([]);
    expect(overlapping({ ...figure, marks: figure.marks.filter((mark) => mark.kind === "text" && mark.text.endsWith("k")) })).toEqual([]);
  });
});
