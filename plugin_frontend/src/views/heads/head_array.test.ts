import { expect, it } from "vitest";
import { headArray, matchArray } from "./head_array";

it("values per head are an array of layers and heads, whatever their order and their numbers", () => {
  const heads = [{ layer: 5, head: 1, value: 4 }, { layer: 2, head: 0, value: 1 }, { layer: 2, head: 1, value: 2 }];
  const { axes, make } = headArray(heads, ({ value }) => value);
  const { shape, values } = make();
  expect(axes).toBe("layers × heads");
  expect(shape).toEqual([2, 2]);
  expect([...values]).toEqual([1, 2, NaN, 4]);
});

it("pairs are rows of layer, head of A, head of B and distance, in the order of the table", () => {
  const { axes, make } = matchArray([{ layer: 3, head: 0, other: 2, distance: 0.125 }, { layer: 3, head: 2, other: 0, distance: 0.5 }]);
  expect(axes).toBe("pairs × (layer, head of A, head of B, distance)");
  const { shape, values } = make();
  expect(shape).toEqual([2, 4]);
  expect([...values]).toEqual([3, 0, 2, 0.125, 3, 2, 0, 0.5]);
});
