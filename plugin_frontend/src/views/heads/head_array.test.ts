import { expect, it } from "vitest";
import { headArray } from "./head_array";

it("values per head are an array of layers and heads, whatever their order and their numbers", () => {
  const heads = [{ layer: 5, head: 1, value: 4 }, { layer: 2, head: 0, value: 1 }, { layer: 2, head: 1, value: 2 }];
  const { shape, values } = headArray(heads, ({ value }) => value);
  expect(shape).toEqual([2, 2]);
  expect([...values]).toEqual([1, 2, NaN, 4]);
});
