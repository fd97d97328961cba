import { describe, expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { barOf, barRows, barsLeft, meanShare } from "./focus_bars";
import type { FocusData } from "./types";

const data: FocusData = {
  queries: 4,
  keys: 1,
  queryAxis: tokenAxis(4),
  keyAxis: tokenAxis(1),
  values: new Float32Array(4),
  signed: false,
  pool: null,
  queryTokens: null,
  keyTokens: null,
  valueNorms: null,
  queryMask: Uint8Array.from([0, 1, 1, 1]),
  keyMask: null,
  aside: { positions: [0], mass: Float32Array.from([1, 0.5, 0.25, NaN]) },
  edges: null,
  diagonal: null,
};

describe("bars of what was set aside", () => {
  it("stand for rows that share a pixel by their mean, padding left out, faults not", () => {
    expect(meanShare(data, 0, 3)).toBe(0.375);
    expect(meanShare(data, 0, 1)).toBeNull();
    expect(meanShare(data, 2, 4)).toBeNaN();
    expect(meanShare({ ...data, aside: null }, 0, 4)).toBeNull();
    expect(meanShare({ ...data, aside: { positions: [0], mass: null } }, 0, 4)).toBeNull();
  });

  it("go from the left, or for a change from the middle", () => {
    expect(barOf(0.25, false)).toEqual([0, 0.25]);
    expect(barOf(1.5, false)).toEqual([0, 1]);
    expect(barOf(0.5, true)).toEqual([0.5, 0.25]);
    expect(barOf(-0.5, true)).toEqual([0.25, 0.25]);
  });

  it("are one per row, or one per pixel where rows are thinner, without gaps", () => {
    const wide = barRows({ row: 10, query: 1.5 }, 25, 9, 1);
    expect(wide.map(({ from, y }) => [from, y])).toEqual([[1, -5], [2, 5], [3, 15]]);
    const thin = barRows({ row: 0.3, query: 0 }, 30, 100, 1);
    expect(thin).toHaveLength(30);
    expect(thin.slice(1).every(({ from }, i) => from === thin[i]?.to)).toBe(true);
    expect(thin.every(({ y, thickness }, i) => y === i && thickness === 1)).toBe(true);
    expect(barRows({ row: 0.3, query: 0 }, 30, 100, 2)).toHaveLength(60);
  });

  it("take no room where there are none", () => {
    const frame = { queries: 4, keys: 1, left: 100, top: 0, width: 10, height: 10, bars: 0 };
    expect(barsLeft(frame)).toBe(100);
    expect(barsLeft({ ...frame, bars: 28 })).toBe(68);
  });
});
