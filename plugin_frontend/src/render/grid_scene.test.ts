import { describe, expect, it } from "vitest";
import { headPeaks } from "../data/maps";
import { overviewLayerOf, overviewOf } from "../data/testing_overview";
import { type Overview, type OverviewLayer } from "../data/types";
import { colourIndex } from "./colormap";
import { packedColours, paintPixels } from "./grid_canvas2d";
import { gridLayout } from "./grid_layout";
import { gridScene, scenePixel, texelRange, type GridScene } from "./grid_scene";
import { defaultGridOptions, layerShapes } from "./head_grid";
import type { GridMode, GridOptions } from "./types";

function layer(number: number, heads: number[], thumbs: number[] | null, rows: number, thumbPeak = 1): OverviewLayer {
  const bytes = thumbs === null ? null : Uint8Array.from(thumbs);
  const cols = bytes === null ? 4 : bytes.length / heads.length / rows;
  return overviewLayerOf(heads, rows, cols, bytes, { layer: number, thumbPeak, headPeaks: headPeaks(bytes, heads.length) });
}

const overview = (layers: OverviewLayer[]): Overview => overviewOf({ layers });

function scene(a: Overview | null, b: Overview | null, options: Partial<GridOptions> & { mode: GridMode }): GridScene {
  const data = { a, b, comparison: null };
  const layout = gridLayout({ width: 90, height: 70, layers: layerShapes(data) });
  return gridScene(data, { ...defaultGridOptions, ...options }, layout, 1);
}

function noise(length: number, seed: number): number[] {
  return Array.from({ length }, (_, i) => ((i + 1) * 7919 * seed) % 256);
}

describe("texelRange", () => {
  it.each([
    [7, 64],
    [64, 7],
    [10, 10],
    [1, 5],
  ])("covers %i pixels over %i texels without a gap", (pixels, texels) => {
    let end = 0;
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      const [from, to] = texelRange(pixel, pixels, texels);
      expect(to).toBeGreaterThan(from);
      expect(from).toBeLessThanOrEqual(end);
      end = to;
    }
    expect(end).toBe(texels);
  });
});

describe("gridScene", () => {
  const a = overview([layer(0, [0, 1], [0, 128, 255, 64, 10, 20, 30, 40], 2)]);

  it("scales each head to its own largest weight, or all to 1", () => {
    const own = scene(a, null, { mode: "A" });
    const second = own.thumbs[1]!;
    // q = 40 is that head's largest: the end of the map. sqrt(w) is proportional to q.
    expect(scenePixel(own, second, second.box.width - 1, second.box.height - 1)).toBe(255);
    expect(scenePixel(own, second, 0, 0)).toBe(colourIndex(10 / 40));
    const absolute = scene(a, null, { mode: "A", normalisation: "absolute" });
    expect(scenePixel(absolute, absolute.thumbs[1]!, 0, 0)).toBe(10);
    const linear = scene(a, null, { mode: "A", normalisation: "absolute", companding: "linear" });
    expect(scenePixel(linear, linear.thumbs[0]!, linear.thumbs[0]!.box.width - 1, 0)).toBe(colourIndex((128 / 255) ** 2));
  });

  it("shows B-A on the locked scale, equal as the middle", () => {
    const b = overview([layer(0, [0, 1], [0, 0, 255, 128, 10, 20, 30, 40], 2)]);
    const diff = scene(a, b, { mode: "diff", companding: "linear", differenceLimit: 1 });
    const first = diff.thumbs[0]!;
    const [right, bottom] = [first.box.width - 1, first.box.height - 1];
    expect(scenePixel(diff, first, 0, bottom)).toBe(colourIndex(0.5));
    expect(scenePixel(diff, first, right, 0)).toBe(colourIndex(0.5 - 0.5 * (128 / 255) ** 2));
    expect(scenePixel(diff, first, right, bottom)).toBeGreaterThan(128);
  });

  it("matches heads by their numbers and tells which have nothing to show", () => {
    const b = overview([layer(0, [1], [10, 20, 30, 40], 2), layer(2, [0], null, 2)]);
    const diff = scene(a, b, { mode: "diff" });
    expect(diff.thumbs.map(({ cell }) => [cell.layer, cell.head])).toEqual([[0, 1]]);
    expect(diff.absent.map(({ layer: number, head }) => [number, head])).toEqual([
      [0, 0],
      [2, 0],
    ]);
    const only = diff.thumbs[0]!;
    expect(scenePixel(diff, only, 0, 0)).toBe(colourIndex(0.5));
    const otherShape = overview([layer(0, [0, 1], noise(6, 1), 3)]);
    expect(scene(a, otherShape, { mode: "diff" }).thumbs).toEqual([]);
  });
});

describe("the Canvas2D twin", () => {
  const a = overview([layer(0, [0, 3, 5], noise(3 * 30 * 40, 3), 30), layer(4, [0], noise(9 * 5, 5), 9, 0.5)]);
  const b = overview([layer(0, [0, 3, 5], noise(3 * 30 * 40, 11), 30, 0.8), layer(4, [0], noise(9 * 5, 7), 9)]);

  it.each<Partial<GridOptions> & { mode: GridMode }>([
    { mode: "A" },
    { mode: "B", normalisation: "absolute", dark: true },
    { mode: "A", companding: "linear", exposure: 3 },
    { mode: "diff", differenceLimit: 0.7 },
    { mode: "diff", companding: "linear", differenceLimit: 0.2, dark: true },
  ])("draws what the reference says: %j", (options) => {
    const drawn = scene(a, b, options);
    const pixels = new Uint32Array(drawn.width * drawn.height);
    paintPixels(drawn, pixels);
    const colours = packedColours(drawn.colours);
    expect(drawn.thumbs).toHaveLength(4);
    for (const draw of drawn.thumbs) {
      for (let y = 0; y < draw.box.height; y += 1) {
        for (let x = 0; x < draw.box.width; x += 1) {
          const got = pixels[(draw.box.y + y) * drawn.width + draw.box.x + x];
          expect(got).toBe(colours[scenePixel(drawn, draw, x, y)]);
        }
      }
    }
    expect(pixels[0]).toBe(0);
  });
});
