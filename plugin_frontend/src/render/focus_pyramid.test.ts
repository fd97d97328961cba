import { describe, expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { halved, Pyramid } from "./focus_pyramid";
import type { FocusData } from "./types";

function level(rows: number[][]) {
  return { block: 1, keys: rows[0]?.length ?? 0, queries: rows.length, values: Float32Array.from(rows.flat()) };
}

function map(keys: number, queries: number, queryMask: Uint8Array | null = null): FocusData {
  return {
    queries, keys, queryAxis: tokenAxis(queries), keyAxis: tokenAxis(keys), pool: null, aside: null, edges: null,
    valueNorms: null, values: new Float32Array(keys * queries), signed: false, queryTokens: null, keyTokens: null,
    queryMask, keyMask: null, diagonal: null,
  };
}

describe("halved", () => {
  it("keeps the strongest of four with its sign, and what is left over at the end", () => {
    const half = halved(level([[1, -2, 5], [0, 1, -6], [0, 0, 7]]));
    expect([half.block, half.keys, half.queries]).toEqual([2, 2, 2]);
    expect([...half.values]).toEqual([-2, -6, 0, 7]);
  });

  it("never loses a NaN, wherever it stands, and lets infinity win over numbers", () => {
    for (let at = 0; at < 4; at += 1) {
      const values = [9, 1, Infinity, 3];
      values[at] = NaN;
      expect(halved(level([values.slice(0, 2), values.slice(2)])).values[0]).toBeNaN();
    }
    expect(halved(level([[9, -Infinity]])).values[0]).toBe(-Infinity);
  });

  it("leaves rows of padding out, but not their faults", () => {
    expect([...halved(level([[9, 9, 0, NaN], [1, 2, 3, 4]]), (query) => query === 1).values]).toEqual([2, NaN]);
  });
});

describe("Pyramid", () => {
  it("gives the finest level of which no cell is smaller than a pixel", () => {
    const [pyramid, data] = [new Pyramid(), map(1024, 512)];
    expect(pyramid.level(data, 1)).toBeNull();
    expect([1.1, 2, 2.5, 5, 1000].map((many) => pyramid.level(data, many)?.block)).toEqual([2, 2, 4, 8, 8]);
  });

  it("is made once for a map, and heeds its padding", () => {
    const pyramid = new Pyramid();
    const data = map(256, 256, Uint8Array.from({ length: 256 }, (_, i) => (i < 2 ? 0 : 1)));
    data.values.fill(0.5);
    const first = pyramid.level(data, 2);
    expect([first?.values[0], first?.values[128]]).toEqual([0, 0.5]);
    expect(pyramid.level(data, 2)).toBe(first);
    expect(pyramid.level({ ...data }, 2)).not.toBe(first);
  });
});
