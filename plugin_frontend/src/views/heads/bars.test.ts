import { expect, it } from "vitest";
import { shareOf } from "./bars";

it("a bar is no longer than the longest, and none where there is no number", () => {
  expect([0.5, 3, -1, NaN, Infinity].map((value) => shareOf(value, 2))).toEqual([0.25, 1, 0, 0, 0]);
  expect(shareOf(1, 0)).toBe(0);
});
