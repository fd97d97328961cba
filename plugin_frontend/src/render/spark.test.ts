import { describe, expect, it } from "vitest";
import { axisTicks } from "./scatter_plot";
import { stepShare } from "./spark_curves";
import { sparkLayout } from "./spark_layout";
import { drawSpans, emptySpans, fillBox, rgbOf, SUBCOLUMNS, traceSpans, type Spans } from "./spark_raster";

const rows = (layers: number, heads: number) =>
  Array.from({ length: layers }, (_, layer) => ({ layer, label: "", heads: Array.from({ length: heads }, (_, head) => head) }));

describe("sparkLayout", () => {
  it("fits 12 x 12 heads into the space it gets", () => {
    const layout = sparkLayout(rows(12, 12), 720, 600);
    expect(layout.width).toBeLessThanOrEqual(720);
    expect(layout.height).toBeLessThanOrEqual(600);
  });

  it.each([[1, 1], [1, 64], [64, 64], [12, 12]])("finds every cell of %d x %d by its middle", (layers, heads) => {
    const layout = sparkLayout(rows(layers, heads), 700, 500);
    for (const at of [{ layer: 0, head: 0 }, { layer: layers - 1, head: heads - 1 }]) {
      const cell = layout.cellOf(at);
      if (cell === null) throw new Error("no cell");
      expect(layout.hitTest(cell.x + cell.width / 2, cell.y + cell.height / 2)).toEqual(at);
      expect(cell.x + cell.width).toBeLessThanOrEqual(layout.width);
      expect(cell.width).toBeGreaterThanOrEqual(24);
    }
  });

  it("leaves a hole where a layer lacks a head", () => {
    const layout = sparkLayout([{ layer: 3, label: "", heads: [0, 2] }, { layer: 7, label: "", heads: [1] }], 400, 200);
    expect(layout.columns).toEqual([0, 1, 2]);
    expect(layout.cellOf({ layer: 3, head: 1 })).toBeNull();
    const there = layout.cellOf({ layer: 7, head: 1 });
    const above = layout.cellOf({ layer: 3, head: 0 });
    if (there === null || above === null) throw new Error("no cell");
    expect(layout.hitTest(there.x + 1, above.y + 1)).toBeNull();
  });
});

describe("traceSpans", () => {
  const spans = (xs: number[], ys: number[], columns = 8): Spans => {
    const found = emptySpans(columns);
    traceSpans(found, Float32Array.from(xs), Float32Array.from(ys), { across: 2, up: 1.5 });
    return found;
  };

  it("covers each column between two steps, and all that many steps reach in one", () => {
    const line = spans([0, 7.9], [10, 2]);
    expect([...line.top].every((value) => !Number.isNaN(value))).toBe(true);
    expect(line.bottom[0]).toBeCloseTo(10);
    expect(line.top[7]).toBeCloseTo(2, 0);
    const crowded = spans([2.1, 2.3, 2.5, 2.7], [5, 1, 9, 5]);
    expect([crowded.top[2], crowded.bottom[2]]).toEqual([1, 9]);
  });

  it("draws nothing across a gap", () => {
    const gap = spans([0, 1, 3, 5, 6, 7], [3, 3, NaN, NaN, 3, 3]);
    expect([...gap.top].map(Number.isNaN)).toEqual([false, false, true, true, true, true, false, false]);
  });

  it.each([
    ["the only step", [4], [3]],
    ["a step between gaps", [0, 4, 8], [NaN, 3, NaN]],
  ])("draws %s as a dot, highest in its middle", (_, xs, ys) => {
    const { top, bottom } = spans(xs, ys);
    const thickness = [...top].map((above, column) => (bottom[column] ?? NaN) - above);
    expect(thickness.map((one) => Number(one.toFixed(2)))).toEqual([NaN, NaN, 1.98, 2.9, 2.9, 1.98, NaN, NaN]);
    expect(top[4]).toBeCloseTo(6 - (bottom[4] ?? NaN));
  });
});

describe("drawSpans", () => {
  it("puts the colour where the curve is and nowhere else", () => {
    const pixels = { width: 4, height: 6, data: new Uint8ClampedArray(4 * 4 * 6) };
    const level = new Float32Array(4 * SUBCOLUMNS).fill(2.5);
    drawSpans(pixels, { x: 0, y: 0, width: 4, height: 6 }, { top: level, bottom: level }, rgbOf("#ff8000"), 1);
    expect([...pixels.data.slice(4 * 4 * 2, 4 * 4 * 2 + 4)]).toEqual([255, 128, 0, 255]);
    expect(pixels.data.slice(0, 4 * 4 * 2).every((value) => value === 0)).toBe(true);
    expect(pixels.data.slice(4 * 4 * 3).every((value) => value === 0)).toBe(true);
  });
});

describe("fillBox", () => {
  it("fills its box in the colour's own order of bytes", () => {
    const pixels = { width: 3, height: 3, data: new Uint8ClampedArray(36) };
    fillBox(pixels, { x: 1, y: 1, width: 5, height: 1 }, [1, 2, 3]);
    expect([...pixels.data.slice(16, 24)]).toEqual([1, 2, 3, 255, 1, 2, 3, 255]);
    expect(pixels.data.reduce((sum, value) => sum + value, 0)).toBe(2 * (1 + 2 + 3 + 255));
  });
});

describe("axes", () => {
  it("puts a single step in the middle", () => {
    expect([stepShare(5, 5, 5), stepShare(5, 0, 10), stepShare(0, 0, 10)]).toEqual([0.5, 0.5, 0]);
  });

  it("has round ticks, also for a range of nothing", () => {
    expect(axisTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(axisTicks(3, 3, 5)).toEqual([3]);
  });
});
