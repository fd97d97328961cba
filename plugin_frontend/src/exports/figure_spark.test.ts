import { describe, expect, it } from "vitest";
import type { SparkData } from "../render/spark_grid";
import type { Mark } from "./figure";
import { sparkFigure } from "./figure_spark";
import { heading, measure, outside, overlapping, textsOf } from "./testing";

/** `value(step, head)` of so many layers, heads and steps. */
function dataOf(layers: number, heads: number, steps: number, value: (step: number, place: number) => number): SparkData {
  const rows = Array.from({ length: layers }, (_, layer) => ({ layer, label: "", heads: Array.from({ length: heads }, (_one, head) => head) }));
  const places = new Map(rows.flatMap(({ layer, heads: own }) => own.map((head) => [`${layer}.${head}`, layer * heads + head] as const)));
  const all = Array.from({ length: steps }, (_, step) => step);
  const values = Float32Array.from(all.flatMap((step) => Array.from({ length: layers * heads }, (_, place) => value(step, place))));
  const run = { colour: "#123456", steps: all, ordinals: all, values, places, column: 0, columns: 1 };
  return { rows, runs: [run], low: 0, high: 1, first: 0, last: steps - 1, dark: false };
}

const figureOf = (data: SparkData) =>
  sparkFigure({ data, step: 1, locked: { layer: 0, head: 0 }, other: null, heading, legend: [{ text: "run", colour: "#123456" }], headTitle: "head", layerTitle: "layer" }, measure);

const curves = (marks: readonly Mark[]) => marks.flatMap((mark) => (mark.kind === "line" && mark.stroke === "#123456" ? [mark] : []));

describe("sparkFigure", () => {
  it("draws a curve per head, higher for more, and marks the step and the locked head", () => {
    const figure = figureOf(dataOf(2, 3, 4, (_, place) => place / 5));
    const lines = curves(figure.marks);
    expect(lines).toHaveLength(6);
    const [first, last] = [lines[0]!, lines[2]!];
    expect(first.points).toHaveLength(4);
    expect(first.points[0]![1]).toBeGreaterThan(last.points[0]![1]);
    expect(figure.marks.filter((mark) => mark.kind === "line" && mark.opacity === 0.75)).toHaveLength(6);
    expect(figure.marks.filter((mark) => mark.kind === "line" && mark.line === 1.2)).toHaveLength(1);
    expect(textsOf(figure)).toEqual(expect.arrayContaining([heading.title, "run", "head", "layer", "0", "1", "2"]));
  });

  it("leaves gaps where there is no value, and shows a step that stands alone", () => {
    const figure = figureOf(dataOf(1, 1, 6, (step) => (step === 2 || step === 4 ? NaN : 0.5)));
    expect(curves(figure.marks).map(({ points }) => points.length)).toEqual([2]);
    expect(figure.marks.filter(({ kind }) => kind === "dot")).toHaveLength(2);
  });

  it("keeps large models and long runs on a page, and the file small", () => {
    const figure = figureOf(dataOf(64, 64, 300, (step) => (step % 2)));
    expect(figure.width).toBeLessThan(515);
    expect(figure.height).toBeLessThan(760);
    expect(outside(figure)).toEqual([]);
    expect(overlapping(figure)).toEqual([]);
    expect(Math.max(...curves(figure.marks).map(({ points }) => points.length))).toBeLessThan(100);
  });
});
