import { describe, expect, it } from "vitest";
import { leastAndMost, ranksOf } from "./numbers";

describe("leastAndMost", () => {
  it("looks at any number of values", () => {
    expect(leastAndMost(Float32Array.from({ length: 300_000 }, (_, i) => 5 - i))).toEqual([-299_994, 5]);
  });

  it("is as Math.min and Math.max with NaN and with nothing", () => {
    expect(leastAndMost([1, NaN, 2])).toEqual([NaN, NaN]);
    expect(leastAndMost([])).toEqual([Infinity, -Infinity]);
  });
});

it("ranks what stands in its order, equal values alike", () => {
  expect(ranksOf([0.9, 0.5, 0.5, 0.1, NaN])).toEqual([1, 2, 2, 4, 5]);
  expect(ranksOf([])).toEqual([]);
});
