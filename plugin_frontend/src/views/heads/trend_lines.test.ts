import { expect, it } from "vitest";
import type { RunHeads } from "../../state/heads";
import { trendLine, trendPaths } from "./trend_lines";

/** One head whose values and spreads are given by step. */
function runOf(values: readonly number[], spreads: readonly number[] | null): RunHeads {
  const steps = values.map((_, i) => 10 * i);
  const data = {
    steps, names: ["entropy"], layers: [{ layer: 0, label: "", heads: [0] }], places: new Map([["0.0", 0]]),
    values: Float32Array.from(values), spreads: spreads === null ? null : Float32Array.from(spreads), problems: [],
  };
  return { run: "r", series: { workers: [] }, data, names: ["entropy"] } as unknown as RunHeads;
}

const at = { layer: 0, head: 0 };

it("a curve is in pieces where values are missing", () => {
  expect(trendLine(runOf([1, 2, NaN, 4, Infinity, 6], null), at, "entropy", null).pieces).toEqual([[[0, 1], [10, 2]], [[30, 4]], [[50, 6]]]);
  expect(trendLine(runOf([1], null), { layer: 3, head: 0 }, "entropy", null).pieces).toEqual([]);
});

it("means come with their spread", () => {
  expect(trendLine(runOf([1, 2], [0.5, NaN]), at, "entropy", null).band).toEqual([{ step: 0, value: 1, spread: 0.5 }]);
});

it("a step that stands alone is a dot, all others are lines", () => {
  const scale = { x: (step: number) => step, y: (value: number) => 100 - value };
  const paths = (values: readonly number[], spreads: readonly number[] | null = null) => trendPaths(trendLine(runOf(values, spreads), at, "entropy", null), scale);
  expect(paths([1, 2, NaN, 4])).toEqual({ path: "M0.0 99.0L10.0 98.0", dots: "M30.0 96.0h0.01", band: "" });
  expect(paths([1])).toEqual({ path: "", dots: "M0.0 99.0h0.01", band: "" });
  expect(paths([1, 2], [0.5, 0.5]).band).toBe("M0.0 98.5L10.0 97.5L10.0 98.5L0.0 99.5Z");
});
