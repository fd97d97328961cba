import { describe, expect, it } from "vitest";
import { distanceOf } from "./distance";
import type { ComparisonInfo } from "./types";

const ref = { series: "s", ordinal: 0, example: 0 };
const comparison: ComparisonInfo = {
  a: ref,
  b: { ...ref, ordinal: 1 },
  error: null,
  layers: [{ layer: 4, heads: [2, 7], distance: [0.005, 0.3], floor: 0.01 }],
};

describe("distanceOf", () => {
  it("finds heads by their numbers and tells what the codec could have made", () => {
    expect(distanceOf(comparison, { layer: 4, head: 7 })).toEqual({ distance: 0.3, belowFloor: false });
    expect(distanceOf(comparison, { layer: 4, head: 2 })).toEqual({ distance: 0.005, belowFloor: true });
  });

  it("knows also that two heads are the same, where nothing was lost in storing them", () => {
    const [layer] = comparison.layers;
    const exact = { ...comparison, layers: layer === undefined ? [] : [{ ...layer, distance: [0, 0.3], floor: 0 }] };
    expect(distanceOf(exact, { layer: 4, head: 2 })).toEqual({ distance: 0, belowFloor: false });
  });

  it("says nothing of heads that were not compared", () => {
    expect(distanceOf(comparison, { layer: 4, head: 0 })).toBeNull();
    expect(distanceOf(comparison, { layer: 5, head: 2 })).toBeNull();
    expect(distanceOf(null, { layer: 4, head: 2 })).toBeNull();
  });
});
