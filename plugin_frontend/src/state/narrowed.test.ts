import { expect, it } from "vitest";
import { narrowed } from "./narrowed";
import { index, series } from "./testing";

it("holds the records that were shown under new numbers, and no other run, step or example", () => {
  const a = series({ id: "a", steps: [0, 100, 200, 300] });
  const b = series({ id: "b", steps: [0, 50], workers: [1, 1] });
  const all = index({ first: [a, series({ id: "x" })], second: [b], secret: [series({ id: "s" })] }, { problems: [{ run: "secret", file: "f", message: "m" }] });
  const record = (run: string, one: typeof a, ordinal: number) => ({ run, series: one, ordinal, step: one.steps[ordinal]! });
  const { index: made, refOf } = narrowed(all, [record("first", a, 3), record("first", a, 1), record("first", a, 3), record("second", b, 0)]);
  expect(made.runs.map(({ name }) => name)).toEqual(["first", "second"]);
  expect(made.runs[0]!.series.map(({ id, steps, mapStates, examples }) => [id, steps, mapStates.length, examples])).toEqual([["a", [100, 300], 2, 1]]);
  expect(made.runs[1]!.series[0]!.workers).toEqual([1]);
  expect(refOf(record("first", a, 3))).toEqual({ series: "a", ordinal: 1, example: 0 });
  expect(JSON.stringify(made)).not.toContain("secret");
});
