import { describe, expect, it } from "vitest";
import { MapState, Severity } from "../data/types";
import { curvePath, marksOf, tickPaths, valueAt } from "./curve";

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

describe("ticks and marks of a very long run", () => {
  const ticks = Array.from({ length: 150_000 }, (_, step) => ({
    step,
    presence: step % 2 === 0 ? MapState.FULL : MapState.STATISTICS_ONLY,
    severity: step % 100 === 50 ? Severity.WARNING : step === 75_000 ? Severity.ERROR : Severity.NONE,
    stop: true,
  }));
  const long = { first: 0, last: 149_999, width: 1000, height: 10 };

  it("are one stroke per pixel and kind", () => {
    const strokes = [...tickPaths(ticks, long).values()].map((path) => path.split("M").length - 1);
    expect(strokes.every((count) => count > 990 && count <= 1001)).toBe(true);
  });

  it("are pooled, none over another, none lost, the worst in front", () => {
    const marks = marksOf(ticks, long, 7);
    expect(marks.every(({ x }, i) => i === 0 || x - (marks[i - 1]?.x ?? 0) >= 7)).toBe(true);
    expect(marks.length).toBeLessThan(143);
    expect(marks.map(({ count }) => count).reduce((sum, count) => sum + count)).toBe(1501);
    const worst = marks.filter(({ severity }) => severity === Severity.ERROR);
    expect(worst).toHaveLength(1);
    expect(worst.every(({ first, last }) => first <= 75_000 && last >= 75_000)).toBe(true);
  });
});

describe("valueAt", () => {
  it("is the last value at or before the step", () => {
    expect(valueAt([0, 10], [1, 2], 9)).toBe(1);
    expect(valueAt([0, 10], [1, 2], 10)).toBe(2);
    expect(valueAt([5], [1], 0)).toBeUndefined();
  });
});
