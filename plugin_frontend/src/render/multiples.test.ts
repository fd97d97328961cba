import { describe, expect, it } from "vitest";
import type { HeadPicture } from "../data/multiples";
import { columnLeft, columnsInSight, multiplesLayout, placeAt, texelPixels } from "./multiples_layout";
import { tilePixels } from "./multiples_tile";

const size = { rows: 20, cols: 20 };

describe("multiplesLayout", () => {
  it("gives a texel whole device pixels, so that all look alike", () => {
    for (const dpr of [1, 1.25, 2]) {
      const { rows } = multiplesLayout([size], 3, dpr);
      expect(((rows[0]?.width ?? 0) * dpr) % 20).toBeCloseTo(0);
      expect(rows[0]?.width).toBeGreaterThanOrEqual(64);
    }
    expect(texelPixels({ rows: 96, cols: 96 }, 1)).toBe(1);
  });

  it("finds what it has placed, and nothing in the gaps", () => {
    const layout = multiplesLayout([size, null, { rows: 5, cols: 20 }], 500, 1);
    layout.rows.forEach((row, i) => {
      expect(placeAt(layout, columnLeft(layout, 321) + 3, row.y + 3, 500)).toEqual({ row: i, column: 321 });
    });
    expect(placeAt(layout, columnLeft(layout, 321) - 2, layout.rows[0]?.y ?? 0, 500)).toBeNull();
    expect(placeAt(layout, columnLeft(layout, 500) + 3, layout.rows[0]?.y ?? 0, 500)).toBeNull();
  });

  it("draws only columns that are in sight, however many there are", () => {
    const layout = multiplesLayout([size], 500, 1);
    const { first, end } = columnsInSight(layout, columnLeft(layout, 250), 1000, 500);
    expect(first).toBeLessThanOrEqual(250);
    expect(end).toBeGreaterThan(260);
    expect(end - first).toBeLessThan(16);
    expect(columnsInSight(layout, 1e9, 1000, 500)).toEqual({ first: 500, end: 500 });
    expect(columnsInSight(layout, 0, 1000, 2)).toEqual({ first: 0, end: 2 });
  });
});

const picture = (codes: number[], peak: number): HeadPicture =>
  ({ rows: 1, cols: codes.length, codes: Uint8Array.from(codes), peak }) as unknown as HeadPicture;
const scale = { companding: "linear", exposure: 1, differenceLimit: 0.5, peak: 1, dark: false } as const;
const rgb = (pixels: Uint8ClampedArray, at: number): number[] => [...pixels.slice(4 * at, 4 * at + 3)];

describe("tilePixels", () => {
  it("shows one weight in one colour whatever a picture's own peak is", () => {
    const low = tilePixels(picture([255], 0.25), null, scale);
    const high = tilePixels(picture([Math.round(255 / 2)], 1), null, scale);
    expect(Math.abs((low[0] ?? 0) - (high[0] ?? 0))).toBeLessThan(3);
    expect(rgb(tilePixels(picture([255], 1), null, scale), 0)).not.toEqual(rgb(low, 0));
  });

  it("shows more and less than A in other colours, and the same as the ground", () => {
    const [less, same, more] = [[0], [255], [255]].map((codes, i) => tilePixels(picture(codes, i === 2 ? 0.5 : 0.25), picture([255], 0.25), scale));
    expect(less?.[2]).toBeGreaterThan(less?.[0] ?? 255);
    expect(more?.[0]).toBeGreaterThan(more?.[2] ?? 255);
    expect(Math.min(...rgb(same ?? new Uint8ClampedArray(4), 0))).toBeGreaterThan(240);
  });
});
