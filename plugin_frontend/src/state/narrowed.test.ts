import { expect, it } from "vitest";
import { narrowed } from "./narrowed";
import { index, series } from "./testing";

it("holds the records that were shown under new numbers, and no other run or step", () => {
  const a = series({ id: "a", steps: [0, 100, 200, 300] });
  const b = series({ id: "b", steps: [0, 50], workers: [1, 1] });
  const all = index({ first: [a, series({ id: "x" })], second: [b], secret: [series({ id: "s" })] }, { problems: [{ run: "secret", file: "f", message: "m" }] });
  const record = (run: string, one: typeof a, ordinal: number) => ({ run, series: one, ordinal, step: one.steps[ordinal]! });
  const { index: made, renumber } = narrowed(all, [record("first", a, 3), record("first", a, 1), record("first", a, 3), record("second", b, 0)]);
  expect(made.runs.map(({ name }) => name)).toEqual(["first", "second"]);
  expect(made.runs[0]!.series.map(({ id, steps, mapStates }) => [id, steps, mapStates.length])).toEqual([["a", [100, 300], 2]]);
  expect(made.runs[1]!.series[0]!.workers).toEqual([1]);
  expect(renumber("a", 3)).toBe(1);
  expect(JSON.stringify(made)).not.toContain("secret");
});

it("holds a series that was shown from end to end as it is, whatever records of it are shown, too", () => {
  const a = series({ id: "a", steps: [0, 100, 200], newest: false });
  const all = index({ first: [a, series({ id: "x" })], second: [series({ id: "b" })] });
  const { index: made, renumber } = narrowed(all, [{ run: "first", series: a, ordinal: 2, step: 200 }], new Set(["a"]));
  expect(made.runs).toEqual([{ name: "first", series: [{ ...a, newest: true }] }]);
  expect(renumber("a", 2)).toBe(2);
});
