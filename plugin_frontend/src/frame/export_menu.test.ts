import { expect, it } from "vitest";
import { menuPlace } from "./export_menu";

it("arrows lead through rows of unequal length, around at the ends", () => {
  const rows = [4, 2, 1];
  expect(menuPlace(rows, [0, 3], "ArrowDown")).toEqual([1, 1]);
  expect(menuPlace(rows, [0, 0], "ArrowUp")).toEqual([2, 0]);
  expect(menuPlace(rows, [2, 0], "ArrowDown")).toEqual([0, 0]);
  expect(menuPlace(rows, [0, 3], "ArrowRight")).toEqual([0, 3]);
  expect(menuPlace(rows, [0, 0], "ArrowLeft")).toEqual([0, 0]);
  expect(menuPlace(rows, [1, 0], "End")).toEqual([2, 0]);
  expect(menuPlace(rows, [1, 1], "Home")).toEqual([0, 0]);
  expect(menuPlace(rows, [1, 1], "x")).toBeUndefined();
});
