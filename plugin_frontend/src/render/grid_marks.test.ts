import { describe, expect, it } from "vitest";
import type { ComparisonInfo } from "../data/types";
import { distanceOf, visibleLabels } from "./grid_marks";

const ref = { series: "s", ordinal: 0, example: 0 };
const comparison: ComparisonInfo = {
  a: ref,
  b: { ...ref, ordinal: 1 },
  error: null,
  layers: [{ layer: 4, heads: [2, 7], distance: [0.005, 0.3], floor: 0.01 }],
};

describe("distanceOf", () => {
  it("finds heads by their numbers and tells what the codec could have made", () => {
    expect(distanceOf(comparison, { layer: 4, head: 7 })).toEqual({ distance: 0.3, indistinct: false });
    expect(distanceOf(comparison, { layer: 4, head: 2 })).toEqual({ distance: 0.005, indistinct: true });
  });

  it("says nothing of heads that were not compared", () => {
    expect(distanceOf(comparison, { layer: 4, head: 0 })).toBeNull();
    expect(distanceOf(comparison, { layer: 5, head: 2 })).toBeNull();
    expect(distanceOf(null, { layer: 4, head: 2 })).toBeNull();
  });
});

describe("visibleLabels", () => {
  const labels = Array.from({ length: 8 }, (_, i) => ({ number: i, at: 10 * i + 5, shown: i % 2 === 0 }));

  it("makes room for the pointed-at label", () => {
    const drawn = visibleLabels(labels, 35, 8, 14);
    expect(drawn.map(({ number }) => number)).toEqual([0, 3, 6]);
    expect(drawn.filter(({ emphasised }) => emphasised).map(({ number }) => number)).toEqual([3]);
  });

  it("draws the thinned-out ones otherwise", () => {
    expect(visibleLabels(labels, null, 8, 14).map(({ number }) => number)).toEqual([0, 2, 4, 6]);
  });
});
