import { effect } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { DifferenceScale } from "./difference_scale";

describe("the scale of differences", () => {
  it("is one for all pictures and only grows until the difference is left", () => {
    const scale = new DifferenceScale();
    const seen: number[] = [];
    const stop = effect(() => void seen.push(scale.limit(0)));
    scale.include(0.27); // the panels
    scale.include(0.71); // a small map of another step
    scale.include(0.12);
    expect(seen).toEqual([1, 0.3, 0.8]);
    expect(scale.limit(0.12)).toBe(0.8);
    // What is on screen already is never beyond the end.
    expect(scale.limit(0.85)).toBe(1);
    scale.reset();
    expect(scale.limit(0.12)).toBe(0.15);
    stop();
  });
});
