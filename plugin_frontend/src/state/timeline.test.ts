import { describe, expect, it } from "vitest";
import { MapState, Severity } from "../data/types";
import { series } from "./testing";
import { axisPlace, nearestStep, neighbourStep, niceLabels, sliderMove, ticksOf } from "./timeline";

describe("ticksOf", () => {
  it("merges runs: the best map and the worst anomaly of a step", () => {
    const ticks = ticksOf([
      series({
        steps: [0, 10],
        mapStates: [MapState.DROPPED, MapState.STATISTICS_ONLY],
        severities: [Severity.NONE, Severity.WARNING],
      }),
      series({ steps: [10, 20], mapStates: [MapState.FULL, MapState.REDUCED], severities: [Severity.ERROR, Severity.NONE] }),
    ]);
    expect(ticks).toEqual([
      { step: 0, presence: MapState.DROPPED, severity: Severity.NONE, stop: true },
      { step: 10, presence: MapState.FULL, severity: Severity.ERROR, stop: true },
      { step: 20, presence: MapState.REDUCED, severity: Severity.NONE, stop: true },
    ]);
  });

  it("marks anomalies of their own", () => {
    const flags = series({ steps: [5], severities: [Severity.ERROR] });
    expect(ticksOf([series({ steps: [0] })], [flags]).map((tick) => [tick.step, tick.stop])).toEqual([
      [0, true],
      [5, false],
    ]);
  });
});

describe("neighbourStep", () => {
  const steps = [0, 10, 30];
  it.each([
    [10, 1, false, 30],
    [30, 1, false, 30],
    [30, 1, true, 0],
    [0, -1, true, 30],
    [0, -1, false, 0],
    [20, 1, false, 30],
    [20, -1, false, 10],
    [40, -1, false, 30],
    [10, Infinity, false, 30],
    [10, -Infinity, false, 0],
  ])("from %d by %d (loop %s) is %d", (from, by, loop, expected) => {
    expect(neighbourStep(steps, from, by, loop)).toBe(expected);
  });

  it("has none without steps", () => {
    expect(neighbourStep([], 0, 1)).toBeUndefined();
  });
});

describe("sliderMove", () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false };

  it("leads from step to step, and stays at the ends", () => {
    const steps = [0, 50, 100, 150];
    const at = (from: number, key: string): number | undefined => neighbourStep(steps, from, sliderMove({ ...plain, key }) ?? NaN);
    expect(["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "End", "Home", "PageUp", "PageDown"].map((key) => at(50, key))).toEqual([100, 100, 0, 0, 150, 0, 150, 0]);
    expect(at(150, "ArrowRight")).toBe(150);
  });

  it("leaves the rest to others", () => {
    expect(sliderMove({ ...plain, key: "Enter" })).toBeUndefined();
    expect(sliderMove({ ...plain, key: "ArrowLeft", altKey: true })).toBeUndefined();
  });
});

describe("the axis", () => {
  it("puts a single step in the middle", () => {
    expect(axisPlace(7, 7, 7)).toBe(0.5);
    expect(axisPlace(5, 0, 10)).toBe(0.5);
    expect(axisPlace(10, 0, 10)).toBe(1);
  });

  it("finds the nearest step", () => {
    expect(nearestStep([0, 10, 30], 21)).toBe(30);
    expect(nearestStep([], 1)).toBeUndefined();
  });

  it("labels round steps only, and not too many", () => {
    expect(niceLabels(0, 1000, 6)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(niceLabels(3, 3, 5)).toEqual([3]);
    expect(niceLabels(0, 7, 100)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
