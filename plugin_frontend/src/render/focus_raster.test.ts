import { describe, expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { defaultFocusOptions } from "./focus_options";
import { cellPixels, isClipped, painter, peakOf, PoolCache, pooledPixels, topOf, type Window } from "./focus_raster";
import { packedColours } from "./grid_canvas2d";
import { colourIndex, diverging, sequential } from "./colormap";
import type { FocusData } from "./types";

function data(values: number[], keys: number, signed = false): FocusData {
  return {
    queries: values.length / keys,
    keys,
    queryAxis: tokenAxis(values.length / keys),
    keyAxis: tokenAxis(keys),
    pool: null,
    aside: null,
    edges: null,
    valueNorms: null,
    values: Float32Array.from(values),
    signed,
    queryTokens: null,
    keyTokens: null,
    queryMask: null,
    keyMask: null,
    diagonal: null,
  };
}

const bad = 0xff0000ff;
const options = { ...defaultFocusOptions, companding: "linear" } as const;

describe("cellPixels", () => {
  it("colours the cells of the window only", () => {
    const map = data([0, 0, 0, 0, 0.5, 1], 3);
    const pixels = cellPixels(map, { key: 1, query: 1, keys: 2, queries: 1 }, painter(map, options, 1, bad));
    const colours = packedColours(sequential(false));
    expect([...pixels]).toEqual([colours[colourIndex(0.5)], colours[255]]);
  });

  it("marks what is no number", () => {
    const map = data([NaN, Infinity, -Infinity], 3);
    const pixels = cellPixels(map, { key: 0, query: 0, keys: 3, queries: 1 }, painter(map, options, 1, bad));
    expect([...pixels]).toEqual([bad, bad, bad]);
  });
});

describe("pooledPixels", () => {
  const window = { key: 0, query: 0, keys: 4, queries: 2 };

  it("shows the strongest weight under a pixel, either sign", () => {
    const map = data([0.1, -0.4, 0, 0, 0.2, 0.3, 0, 0.1], 4, true);
    const limited = { ...options, differenceLimit: 0.4 };
    const pixels = pooledPixels(map, window, 2, 1, painter(map, limited, 0, bad));
    const colours = packedColours(diverging(false));
    expect([...pixels]).toEqual([colours[0], colours[colourIndex(0.5 + 0.5 * 0.25)]]);
  });

  it("never loses a NaN, wherever it stands", () => {
    for (let at = 0; at < 8; at += 1) {
      const values = [9, 1, 2, 3, 4, 5, 6, 7];
      values[at] = NaN;
      const map = data(values, 4);
      const pixels = pooledPixels(map, window, 2, 1, painter(map, options, 9, bad));
      expect(pixels[at % 4 < 2 ? 0 : 1]).toBe(bad);
      expect(pixels[at % 4 < 2 ? 1 : 0]).not.toBe(bad);
    }
  });
});

/** One pixel after the other, as the rules say it. */
function slowly(map: FocusData, { key, query, keys, queries }: Window, width: number, height: number): number[] {
  const share = (pixel: number, pixels: number, cells: number): [number, number] => [Math.floor((pixel * cells) / pixels), Math.ceil(((pixel + 1) * cells) / pixels)];
  return Array.from({ length: width * height }, (_, at) => {
    const [left, right] = share(at % width, width, keys);
    const [top, bottom] = share(Math.floor(at / width), height, queries);
    let best = 0;
    for (let x = left; x < right; x += 1) {
      for (let y = top; y < bottom; y += 1) {
        const value = map.values[(query + y) * map.keys + key + x] ?? NaN;
        if (map.queryMask?.[query + y] === 0 && Number.isFinite(value)) continue;
        if (Number.isNaN(value) || Math.abs(value) > Math.abs(best)) best = value;
      }
    }
    return best;
  });
}

it("pools every part of a map to every size as one pixel after the other would, faults and padding too", () => {
  const random = (i: number): number => ((i * 7919 + 13) % 1009) / 1009 - 0.5;
  const values = Array.from({ length: 31 * 23 }, (_, i) => (i % 97 === 0 ? NaN : i % 89 === 0 ? -Infinity : random(i)));
  const map = { ...data(values, 31, true), queryMask: Uint8Array.from({ length: 23 }, (_, row) => (row < 4 ? 0 : 1)) };
  for (const window of [{ key: 0, query: 0, keys: 31, queries: 23 }, { key: 5, query: 2, keys: 20, queries: 17 }]) {
    for (const [width, height] of [[7, 5], [window.keys, 4], [3, window.queries], [1, 1]] as const) {
      const expected = slowly(map, window, width, height).map(Math.fround);
      expect([...new PoolCache().get(map, window, width, height).whole()]).toEqual(expected);
    }
  }
});

it("pools again only when the map or what is in sight changes, a row of pixels at a time", () => {
  const map = data([1, 2, 3, 4, 5, 6, 7, 8], 4);
  const cache = new PoolCache();
  const window = { key: 0, query: 0, keys: 4, queries: 2 };
  const first = cache.get(map, window, 2, 2);
  expect([first.goOn(), ...first.values]).toEqual([true, 2, 4, 0, 0]);
  expect(cache.get(map, { ...window }, 2, 2)).toBe(first);
  expect([...first.whole()]).toEqual([2, 4, 6, 8]);
  expect(first.goOn()).toBe(false);
  expect([...cache.get(map, { ...window, queries: 1 }, 2, 1).whole()]).toEqual([2, 4]);
  expect([...cache.get(map, window, 1, 1).whole()]).toEqual([8]);
  expect([...cache.get(data([1, 0, 0, 0], 4), { ...window, queries: 1 }, 1, 1).whole()]).toEqual([1]);
});

it("leaves the rows of padding blank, but for faults in them", () => {
  const map = { ...data([1, 1, NaN, 0.5, 0.25, 0.5], 3), queryMask: Uint8Array.of(0, 1) };
  expect(peakOf(map)).toBe(0.5);
  const window = { key: 0, query: 0, keys: 3, queries: 2 };
  const paint = painter(map, options, 0.5, bad);
  const colours = packedColours(sequential(false));
  const real = [colours[255], colours[colourIndex(0.5)], colours[255]];
  expect([...cellPixels(map, window, paint)]).toEqual([0, 0, bad, ...real]);
  expect([...pooledPixels(map, window, 3, 1, paint)]).toEqual([colours[255], colours[colourIndex(0.5)], bad]);
});

it("finds the end of the scale and what lies beyond it", () => {
  expect(peakOf(data([0.25, -0.5, NaN, Infinity], 4))).toBe(0.5);
  expect(topOf(data([0], 1), { ...options, normalisation: "absolute" }, 0.3)).toBe(1);
  expect(topOf(data([0], 1, true), { ...options, differenceLimit: 0.2 }, 0.3)).toBe(0.2);
  expect(isClipped(0.5, 1, 1)).toBe(false);
  expect(isClipped(0.5, 1, 4)).toBe(true);
  expect(isClipped(-2, 1, 1)).toBe(true);
});
