import { describe, expect, it } from "vitest";
import { unitToWeight } from "../render/colormap";
import { exposedAt, exposureByKey, fromMiddle, readExposure, validExposure } from "./exposure";

describe("the top of the colour scale", () => {
  it("becomes the weight that was shown where the bar was clicked", () => {
    for (const companding of ["sqrt", "linear"] as const) {
      for (const place of [0.25, 0.5, 0.9]) {
        const scale = { companding, exposure: 2, differenceLimit: 1 };
        const exposure = exposedAt(place, 2, companding);
        expect(0.8 / exposure).toBeCloseTo(unitToWeight(place, 0.8, scale), 2);
      }
    }
  });

  it("rises again beyond the end of the bar, up to the largest value and no further", () => {
    expect(exposedAt(2, 8, "linear")).toBe(4);
    expect(exposedAt(2, 8, "sqrt")).toBe(2);
    expect(exposedAt(50, 8, "linear")).toBe(1);
    expect(exposedAt(0, 8, "sqrt")).toBe(1000);
    expect(validExposure(NaN)).toBe(1);
  });

  it("is symmetric where the bar runs from less to more", () => {
    expect([0, 0.25, 0.5, 0.75, 1].map(fromMiddle)).toEqual([1, 0.5, 0, 0.5, 1]);
  });

  it("follows the keys of a slider", () => {
    expect(exposureByKey("ArrowLeft", 1)).toBeCloseTo(1.41);
    expect(exposureByKey("ArrowRight", 1)).toBe(1);
    expect(exposureByKey("PageDown", 1)).toBe(4);
    expect(exposureByKey("PageUp", 2)).toBe(1);
    expect([exposureByKey("Home", 3), exposureByKey("End", 3), exposureByKey("x", 3)]).toEqual([1000, 1, undefined]);
  });

  it("is read from links, and hostile ones are not", () => {
    expect(["1", "4", "1.41", "1000"].map(readExposure)).toEqual([1, 4, 1.41, 1000]);
    for (const text of ["0", "0.5", "1001", "1e3", "-4", "NaN", "", "1.234"]) expect(readExposure(text)).toBeUndefined();
  });
});
