// Weights in sight -> pixels. Pure. At one cell per pixel or more the picture has one pixel per cell
// and is scaled up; below that each pixel shows the strongest weight under it.
import { colourIndex, differenceToUnit, diverging, sequential, weightToUnit } from "./colormap";
import { packedColours } from "./grid_canvas2d";
import { texelRange } from "./grid_scene";
import type { FocusData, FocusOptions } from "./types";

export interface Window {
  /** Whole cells. */
  readonly key: number;
  readonly query: number;
  readonly keys: number;
  readonly queries: number;
}

export type Paint = (value: number) => number;

/** Largest finite |value|. */
export function peakOf(values: Float32Array): number {
  let peak = 0;
  // An indexed loop: maps have millions of weights.
  for (let i = 0; i < values.length; i += 1) {
    const size = Math.abs(values[i] ?? 0);
    if (size > peak && size !== Infinity) peak = size;
  }
  return peak;
}

/** The weight at the end of the scale, before exposure. */
export function topOf(data: FocusData, options: FocusOptions, peak: number): number {
  if (data.signed) return options.differenceLimit;
  return options.normalisation === "absolute" ? 1 : peak;
}

/** Weights beyond the scale get a glyph. Rounding does not count. */
export function isClipped(value: number, top: number, exposure: number): boolean {
  return Math.abs(value) * exposure > top * 1.0001 + 1e-9;
}

/** Value -> little-endian RGBA. `bad` stands for NaN and Inf. */
export function painter(data: FocusData, options: FocusOptions, peak: number, bad: number): Paint {
  const colours = packedColours(data.signed ? diverging(options.dark) : sequential(options.dark));
  const top = topOf(data, options, peak);
  return (value) => {
    if (!Number.isFinite(value)) return bad;
    const unit = data.signed ? differenceToUnit(value, options) : weightToUnit(value, top, options);
    return colours[colourIndex(unit)] ?? bad;
  };
}

/** One pixel per cell of the window. */
export function cellPixels({ values, keys }: FocusData, window: Window, paint: Paint): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(window.keys * window.queries);
  let at = 0;
  for (let query = window.query; query < window.query + window.queries; query += 1) {
    const row = query * keys + window.key;
    for (let i = row; i < row + window.keys; i += 1) out[at++] = paint(values[i] ?? NaN);
  }
  return out;
}

/** `width` x `height` pixels, fewer than the window has cells. */
export function pooledPixels(
  { values, keys }: FocusData,
  window: Window,
  width: number,
  height: number,
  paint: Paint,
): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(width * height);
  const edges = Array.from({ length: width }, (_, x) => texelRange(x, width, window.keys));
  const lefts = Uint32Array.from(edges, ([left]) => left + window.key);
  const rights = Uint32Array.from(edges, ([, right]) => right + window.key);
  const best = new Float32Array(width);
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = texelRange(y, height, window.queries);
    best.fill(0);
    for (let row = window.query + top; row < window.query + bottom; row += 1) {
      poolRow(values, row * keys, lefts, rights, best);
    }
    for (let x = 0; x < width; x += 1) out[y * width + x] = paint(best[x] ?? NaN);
  }
  return out;
}

/** A fault must not disappear in a pool: NaN wins over everything, then size. */
function poolRow(
  values: Float32Array,
  start: number,
  lefts: Uint32Array,
  rights: Uint32Array,
  best: Float32Array,
): void {
  for (let x = 0; x < best.length; x += 1) {
    let strongest = best[x] ?? NaN;
    if (Number.isNaN(strongest)) continue;
    const end = start + (rights[x] ?? 0);
    for (let i = start + (lefts[x] ?? 0); i < end; i += 1) {
      const value = values[i] ?? NaN;
      if (Math.abs(value) > Math.abs(strongest)) strongest = value;
      else if (Number.isNaN(value)) {
        strongest = NaN;
        break;
      }
    }
    best[x] = strongest;
  }
}
