import { describe, expect, it } from "vitest";
import { MapState, Severity } from "../data/types";
import { curvePath, tickPaths, valueAt } from "./curve";

const span = { first: 0, last: 100, width: 200, height: 10 };

describe("curvePath", () => {
  it("stretches the curve over the height", () => {
    expect(curvePath([0, 50, 100], [3, 1, 2], span)).toBe("M0.0 0.0L100.0 10.0L200.0 5.0");
  });

  it("leaves out NaN, infinity and what is not on the axis", () => {
    expect(curvePath([0, 50, 60, 100, 500], [1, NaN, Infinity, 2, 9], span)).toBe("M0.0 10.0L200.0 0.0");
    expect(curvePath([0], [1], span)).toBe("");
  });
});

describe("tickPaths", () => {
  it("draws nothing where only an anomaly was noted", () => {
    const tick = { step: 0, presence: MapState.NO_MAP, severity: Severity.ERROR, stop: false };
    expect(tickPaths([tick], span).size).toBe(0);
  });

  it("is one path per kind, statistics half as high", () => {
    const ticks = [0, 50, 100].map((step, i) => ({
      step,
      presence: i === 1 ? MapState.STATISTICS_ONLY : MapState.FULL,
      severity: Severity.NONE,
      stop: true,
    }));
    expect(Object.fromEntries(tickPaths(ticks, span))).toEqual({
      [MapState.FULL]: "M0.0 0V10M200.0 0V10",
      [MapState.STATISTICS_ONLY]: "M100.0 5V10",
    });
  });
});

describe("valueAt", () => {
  it("is the last value at or before the step", () => {
    expect(valueAt([0, 10], [1, 2], 9)).toBe(1);
    expect(valueAt([0, 10], [1, 2], 10)).toBe(2);
    expect(valueAt([5], [1], 0)).toBeUndefined();
  });
});
