import { expect, it } from "vitest";
import { lanePath } from "./anomaly_lane";

it("marks each step in its place, and those that fall on one place once", () => {
  expect(lanePath([0, 50, 100], { first: 0, last: 100 })).toBe("M0 2V10M500 2V10M1000 2V10");
  const many = Array.from({ length: 100_000 }, (_, step) => step);
  expect(lanePath(many, { first: 0, last: 99_999 }).split("M")).toHaveLength(1 + 1001);
  expect(lanePath([7], { first: 7, last: 7 })).toBe("M500 2V10");
});
