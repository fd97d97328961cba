// What a grid painter has to draw: which thumbnail goes where, and how its bytes become colours.
// `scenePixel` is the reference that both painters are tested against.
import type { Box, GridCell, GridLayout } from "./grid_layout";
import { colourIndex, diverging, sequential, type ColourMap } from "./colormap";
import { sameTexels } from "../data/difference";
import type { GridData, GridOptions } from "./types";
import type { HeadRef, Overview, OverviewLayer } from "../data/types";

/** One head's thumbnail in its layer's block. */
export interface ThumbSource {
  readonly layer: OverviewLayer;
  readonly thumbs: Uint8Array;
  readonly place: number;
  /** w = factor * q * q, exposure and scale included. */
  readonly factor: number;
}

export interface ThumbDraw {
  /** In device pixels, whole numbers. */
  readonly box: Box;
  readonly cell: GridCell;
  /** The thumbnail, or A of a difference. */
  readonly a: ThumbSource;
  /** B of a difference B-A; null when one map is shown. */
  readonly b: ThumbSource | null;
}

export interface GridScene {
  /** Device pixels. */
  readonly width: number;
  readonly height: number;
  readonly colours: ColourMap;
  readonly sqrt: boolean;
  readonly thumbs: readonly ThumbDraw[];
  /** Heads that have no thumbnail in this mode. */
  readonly absent: readonly GridCell[];
}

export function deviceBox({ x, y, width, height }: Box, dpr: number): Box {
  const left = Math.round(x * dpr);
  const top = Math.round(y * dpr);
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.round((x + width) * dpr) - left),
    height: Math.max(1, Math.round((y + height) * dpr) - top),
  };
}

interface Found {
  readonly layer: OverviewLayer;
  readonly place: number;
}

/** Looks heads up by the model's own numbers. */
export class HeadLookup {
  private readonly layers: ReadonlyMap<number, OverviewLayer>;

  constructor(overview: Overview | null) {
    this.layers = new Map(overview?.layers.map((layer) => [layer.layer, layer]));
  }

  find({ layer, head }: HeadRef): Found | null {
    const found = this.layers.get(layer);
    const place = found?.heads.indexOf(head) ?? -1;
    return found === undefined || place < 0 ? null : { layer: found, place };
  }
}

function source(found: Found | null, factor: (found: Found) => number): ThumbSource | null {
  if (found === null || found.layer.thumbs === null) return null;
  return { ...found, thumbs: found.layer.thumbs, factor: factor(found) };
}

function weightFactor({ layer, place }: Found, options: GridOptions): number {
  const own = layer.thumbPeak / 255 ** 2;
  if (options.normalisation === "absolute") return own * options.exposure;
  const peak = layer.headPeaks[place] ?? 0;
  return peak === 0 ? 0 : options.exposure / (peak * peak);
}

function differenceFactor({ layer }: Found, options: GridOptions): number {
  if (options.differenceLimit <= 0) return 0;
  return ((layer.thumbPeak / 255 ** 2) * options.exposure) / options.differenceLimit;
}

export function gridScene(data: GridData, options: GridOptions, layout: GridLayout, dpr: number): GridScene {
  const difference = options.mode === "diff";
  const inA = new HeadLookup(data.a);
  const inB = new HeadLookup(data.b);
  const thumbs: ThumbDraw[] = [];
  const absent: GridCell[] = [];
  for (const cell of layout.cells) {
    const factor = (found: Found): number =>
      difference ? differenceFactor(found, options) : weightFactor(found, options);
    const a = source((options.mode === "B" ? inB : inA).find(cell), factor);
    const b = difference ? source(inB.find(cell), factor) : null;
    if (a === null || (difference && (b === null || !sameTexels(a.layer, b.layer)))) absent.push(cell);
    else thumbs.push({ box: deviceBox(cell.thumb, dpr), cell, a, b });
  }
  return {
    width: Math.round(layout.width * dpr),
    height: Math.round(layout.height * dpr),
    colours: difference ? diverging(options.dark) : sequential(options.dark),
    sqrt: options.companding === "sqrt",
    thumbs,
    absent,
  };
}

/** The texels that one pixel covers: [from, to), never empty, gapless. */
export function texelRange(pixel: number, pixels: number, texels: number): readonly [number, number] {
  const from = Math.floor((pixel * texels) / pixels);
  return [from, Math.max(from + 1, Math.floor(((pixel + 1) * texels + pixels - 1) / pixels))];
}

/**
 * By how much a later value must be stronger to replace an earlier one: +x and -x often tie, and the
 * first must win whatever the rounding of processor and GPU.
 */
export const tie = 1e-6;

/** Of the weights (or differences) under a pixel, the one furthest from zero. */
function strongest({ a, b, box }: ThumbDraw, px: number, py: number): number {
  const { thumbRows: rows, thumbCols: cols } = a.layer;
  const [top, bottom] = texelRange(py, box.height, rows);
  const [left, right] = texelRange(px, box.width, cols);
  let best = 0;
  for (let row = top; row < bottom; row += 1) {
    for (let col = left; col < right; col += 1) {
      const at = row * cols + col;
      const qa = a.thumbs[a.place * rows * cols + at] ?? 0;
      const qb = b?.thumbs[b.place * rows * cols + at] ?? 0;
      const value = b === null ? qa * qa * a.factor : qb * qb * b.factor - qa * qa * a.factor;
      if (Math.abs(value) > Math.abs(best) + tie) best = value;
    }
  }
  return best;
}

/** Place on the colour map, 0 to 255, of one pixel of a thumbnail. */
export function scenePixel(scene: GridScene, draw: ThumbDraw, px: number, py: number): number {
  return colourOf(strongest(draw, px, py), draw.b !== null, scene.sqrt);
}

/** `value` is a share of the scale: 0 to 1, or -1 to 1 for a difference. */
export function colourOf(value: number, difference: boolean, sqrt: boolean): number {
  const share = Math.min(1, Math.abs(value));
  const unit = sqrt ? Math.sqrt(share) : share;
  return colourIndex(difference ? 0.5 + 0.5 * Math.sign(value) * unit : unit);
}
