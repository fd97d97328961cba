import { describe, expect, it } from "vitest";
import { cellOf, cellsUpTo, isSparse, tokenAxis } from "../base/axis";
import { LEAST_REST, axisWithout } from "../data/sinks";
import { setAside } from "./aside";
import type { Weights } from "./facts";

function weightsOf(rows: readonly (readonly number[])[]): Weights {
  const keys = rows[0]?.length ?? 0;
  return { queryAxis: tokenAxis(rows.length), keyAxis: tokenAxis(keys), values: Float32Array.from(rows.flat()), pool: null, valueNorms: null };
}

describe("setting sinks aside", () => {
  it("drops their columns and divides each row by what is left", () => {
    const found = setAside(weightsOf([[0.5, 0.375, 0, 0.125], [0.25, 0.25, 0.25, 0.25]]), [0, 2]);
    expect(Array.from(found.values)).toEqual([0.75, 0.25, 0.5, 0.5]);
    expect(Array.from(found.aside?.mass ?? [])).toEqual([0.5, 0.5]);
    expect(found.keyAxis.chosen).toEqual([1, 3]);
    expect([0, 1, 2, 3].map((key) => cellOf(found.keyAxis, key))).toEqual([null, 0, null, 1]);
  });

  it("leaves a row blank of which hardly anything is left, and does not blow it up", () => {
    const found = setAside(weightsOf([[1 - LEAST_REST / 2, LEAST_REST / 2], [1 - 2 * LEAST_REST, 2 * LEAST_REST]]), [0]);
    expect(found.values[0]).toBe(0);
    expect(found.values[1]).toBeCloseTo(1);
    expect(found.aside?.mass?.[0]).toBeCloseTo(0.995);
  });

  it("keeps faults: NaN, Inf, rows of zeros and rows that do not sum to 1", () => {
    const found = setAside(weightsOf([[NaN, 0.25], [0.25, Infinity], [0, 0], [1, 1]]), [0]);
    expect(Array.from(found.values)).toEqual([0.25, Infinity, 0, 2]);
    expect(Array.from(found.aside?.mass ?? [])).toEqual([NaN, NaN, 0, 0.5]);
  });

  it("does nothing to blocks, nor without sinks, nor twice", () => {
    const weights = weightsOf([[0.5, 0.5]]);
    expect(setAside(weights, [])).toBe(weights);
    const blocks: Weights = { ...weights, pool: "max", keyAxis: tokenAxis(4, 2) };
    expect(setAside(blocks, [0])).toBe(blocks);
    const once = setAside(weights, [0]);
    expect(setAside(once, [0])).toBe(once);
  });

  it("does not divide where the numbers must stay what they are", () => {
    const found = setAside(weightsOf([[0.5, 0.25, 0.25]]), [0], false);
    expect(Array.from(found.values)).toEqual([0.25, 0.25]);
    expect(Array.from(found.aside?.mass ?? [])).toEqual([0.5]);
  });
});

describe("an axis without some positions", () => {
  it("knows how far a causal query sees, also where the last key is not in the map", () => {
    const axis = axisWithout(tokenAxis(6), [0, 5]);
    expect([-1, 0, 1, 4, 5, 9].map((last) => cellsUpTo(axis, last))).toEqual([0, 0, 1, 4, 4, 4]);
    expect(isSparse(axis)).toBe(false);
    expect(isSparse(tokenAxis(2000, 1, [3, 700]))).toBe(true);
  });

  it("counts blocks as before", () => {
    const axis = tokenAxis(10, 4);
    expect([-1, 0, 3, 4, 9].map((last) => cellsUpTo(axis, last))).toEqual([0, 1, 1, 2, 3]);
  });
});
