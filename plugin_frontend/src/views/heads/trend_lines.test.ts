import { expect, it } from "vitest";
import type { RunHeads } from "../../state/heads";
import { trendLine } from "./trend_lines";

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
