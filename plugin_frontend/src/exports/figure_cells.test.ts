import { expect, it } from "vitest";
import { cellsTogether, finest, type CellsMark } from "./figure_cells";

const tile = (x: number, size: number, colour: number): CellsMark => ({
  kind: "cells", x, y: 5, width: 20, height: 10, columns: size, rows: size, pixels: new Uint32Array(size * size).fill(colour),
});

it("few texels stay vectors", () => {
  const cells = [tile(0, 10, 1), tile(30, 10, 2)];
  expect(cellsTogether(cells)).toBe(cells);
});

it("many texels are one picture, each where it was, with nothing between them", () => {
  const [made, ...rest] = cellsTogether([tile(10, 80, 1), tile(40, 80, 2)]);
  if (made === undefined) throw new Error("no picture");
  expect(rest).toEqual([]);
  expect([made.x, made.y]).toEqual([10, 5]);
  expect(made.columns / made.width).toBeCloseTo(finest);
  const at = (x: number, y: number): number | undefined => made.pixels[Math.floor((y - 5) * finest) * made.columns + Math.floor((x - 10) * finest)];
  expect([at(11, 6), at(29, 14), at(35, 10), at(41, 6), at(59, 14)]).toEqual([1, 1, 0, 2, 2]);
});
