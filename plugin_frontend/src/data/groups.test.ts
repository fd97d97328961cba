import { describe, expect, it } from "vitest";
import { groupRuns, groupSize, sharersOf, type Grouping } from "./groups";

const layer = (heads: readonly number[], keyValueHeads: number, ofHeads: number): Grouping => ({ heads, keyValueHeads, ofHeads });

describe("groupSize", () => {
  it.each([
    [[0, 1, 2, 3], 2, 4, 2],
    [[0, 1, 2, 3], 1, 4, 4], // multi-query
    [[0, 1, 2, 3], 4, 4, 1], // each its own
    [[0, 1, 2, 3], 0, 4, 1], // not known
    [[0, 1, 2, 3], 2, 0, 2], // a log of before, whole
    [[4, 5], 2, 0, 1], // a log of before, some heads: nobody knows of how many
    [[4, 5], 2, 8, 4],
    [[0, 1, 2], 2, 3, 1], // cannot be
  ])("of %j with %i key-value heads of %i is %i", (heads, shared, all, size) => {
    expect(groupSize(layer(heads, shared, all))).toBe(size);
  });
});

it("names the heads that share keys and values, kept or not", () => {
  expect(sharersOf(layer([0, 5], 2, 8), 5)).toEqual([4, 5, 6, 7]);
  expect(sharersOf(layer([0, 1], 2, 2), 1)).toEqual([]);
});

it("finds the columns under one bracket, whichever heads were kept", () => {
  expect(groupRuns(layer([0, 1, 2, 3], 2, 4))).toEqual([[0, 1], [2, 3]]);
  expect(groupRuns(layer([1, 3, 4, 6], 2, 8))).toEqual([[0, 1], [2, 3]]);
  expect(groupRuns(layer([0, 1], 2, 2))).toEqual([]);
});
