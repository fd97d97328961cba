import { expect, it } from "vitest";
import { lanePath, laneStep } from "./anomaly_lane";

it("marks each step in its place, and those that fall on one place once", () => {
  expect(lanePath([0, 50, 100], { first: 0, last: 100 })).toBe("M0 2V10M500 2V10M1000 2V10");
  const many = Array.from({ length: 100_000 }, (_, step) => step);
  expect(lanePath(many, { first: 0, last: 99_999 }).split("M")).toHaveLength(1 + 1001);
  expect(lanePath([7], { first: 7, last: 7 })).toBe("M500 2V10");
});

it("leads from step to step where it was seen, and stays at the ends", () => {
  const steps = [0, 50, 100, 150];
  expect(["ArrowRight", "ArrowUp", "ArrowLeft", "End", "Home", "PageUp"].map((key) => laneStep(steps, 50, key))).toEqual([100, 100, 0, 150, 0, 150]);
  expect(laneStep(steps, 150, "ArrowRight")).toBe(150);
  expect(laneStep(steps, 50, "Enter")).toBeUndefined();
});
