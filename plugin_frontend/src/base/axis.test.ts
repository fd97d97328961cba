import { describe, expect, it } from "vitest";
import { cellMask, cellOf, sameAxis, sliceAxis, spanOf, spanText, tokenAxis } from "./axis";

describe("an axis of blocks", () => {
  const axis = tokenAxis(100, 32);

  it("knows which positions a cell stands for; the last block is shorter", () => {
    expect(axis.cells).toBe(4);
    expect([0, 1, 3].map((cell) => spanOf(axis, cell))).toEqual([
      { first: 0, last: 31, count: 32 },
      { first: 32, last: 63, count: 32 },
      { first: 96, last: 99, count: 4 },
    ]);
    expect(spanText(spanOf(axis, 1))).toBe("32–63");
  });

  it("finds the cell of a position, and none outside", () => {
    expect([0, 31, 32, 99, 100, -1].map((at) => cellOf(axis, at))).toEqual([0, 0, 1, 3, null, null]);
  });

  it("says the same after cells were left out", () => {
    const rest = sliceAxis(axis, 1, 3);
    expect(spanOf(rest, 0)).toEqual({ first: 32, last: 63, count: 32 });
    expect([31, 32, 95, 96].map((at) => cellOf(rest, at))).toEqual([null, 0, 1, null]);
  });
});

describe("an axis of chosen positions", () => {
  const axis = tokenAxis(32_768, 1, [3, 500, 32_767]);

  it("has a cell for each", () => {
    expect(axis.cells).toBe(3);
    expect([0, 1, 2].map((cell) => spanText(spanOf(axis, cell)))).toEqual(["3", "500", "32767"]);
    expect([3, 500, 32_767, 4, 0].map((at) => cellOf(axis, at))).toEqual([0, 1, 2, null, null]);
  });

  it("can be pooled as well", () => {
    expect(spanOf(tokenAxis(100, 2, [3, 50, 99]), 0)).toEqual({ first: 3, last: 50, count: 2 });
    expect(spanOf(tokenAxis(100, 2, [3, 50, 99]), 1)).toEqual({ first: 99, last: 99, count: 1 });
  });
});

it("calls a cell padding only when all of it is", () => {
  const mask = Uint8Array.from([0, 0, 0, 1, 1]);
  expect([...(cellMask(tokenAxis(5, 2), mask) ?? [])]).toEqual([0, 1, 1]);
  expect([...(cellMask(tokenAxis(5, 1, [0, 4]), mask) ?? [])]).toEqual([0, 1]);
  expect(cellMask(tokenAxis(6, 2), mask)).toBeNull();
});

it("tells axes with other cells apart", () => {
  expect(sameAxis(tokenAxis(8, 2), tokenAxis(8, 2))).toBe(true);
  expect(sameAxis(tokenAxis(8, 1, [1, 2]), tokenAxis(8, 1, [1, 2]))).toBe(true);
  expect(sameAxis(tokenAxis(8, 2), tokenAxis(8, 4))).toBe(false);
  expect(sameAxis(tokenAxis(8, 1, [1, 2]), tokenAxis(8, 1, [1, 3]))).toBe(false);
  expect(sameAxis(tokenAxis(8), tokenAxis(8, 1, [1, 3]))).toBe(false);
});
