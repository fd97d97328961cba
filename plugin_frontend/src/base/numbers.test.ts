import { describe, expect, it } from "vitest";
import { leastAndMost } from "./numbers";

describe("leastAndMost", () => {
  it("looks at any number of values", () => {
    expect(leastAndMost(Float32Array.from({ length: 300_000 }, (_, i) => 5 - i))).toEqual([-299_994, 5]);
  });

  it("is as Math.min and Math.max with NaN and with nothing", () => {
    expect(leastAndMost([1, NaN, 2])).toEqual([NaN, NaN]);
    expect(leastAndMost([])).toEqual([Infinity, -Infinity]);
  });
});
