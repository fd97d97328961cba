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

/** A pixel through which the ground is seen. */
const blank = 0;

/** Whether a row stands for a token, not for padding. */
export function isRealRow({ queryMask }: FocusData, query: number): boolean {
  return queryMask?.[query] !== 0;
}

/** Largest finite |value| in real rows. */
export function peakOf(data: FocusData): number {
  const { values, keys } = data;
  let peak = 0;
  for (let query = 0; query * keys < values.length; query += 1) {
    if (!isRealRow(data, query)) continue;
    // An indexed loop: maps have millions of weights.
    for (let i = query * keys; i < (query + 1) * keys; i += 1) {
      const size = Math.abs(values[i] ?? 0);
      if (size > peak && size !== Infinity) peak = size;
    }
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
export function cellPixels(data: FocusData, window: Window, paint: Paint): Uint32Array<ArrayBuffer> {
  const { values, keys } = data;
  const out = new Uint32Array(window.keys * window.queries);
  let at = 0;
  for (let query = window.query; query < window.query + window.queries; query += 1) {
    const row = query * keys + window.key;
    const real = isRealRow(data, query);
    for (let i = row; i < row + window.keys; i += 1) {
      const value = values[i] ?? NaN;
      // A fault is shown wherever it stands.
      out[at++] = real || !Number.isFinite(value) ? paint(value) : blank;
    }
  }
  return out;
}

/** `width` x `height` pixels, fewer than the window has cells. */
export function pooledPixels(
  data: FocusData,
  window: Window,
  width: number,
  height: number,
  paint: Paint,
): Uint32Array<ArrayBuffer> {
  return paintAll(pooledValues(data, window, width, height), paint);
}

export function paintAll(values: Float32Array, paint: Paint): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(values.length);
  for (let i = 0; i < out.length; i += 1) out[i] = paint(values[i] ?? NaN);
  return out;
}

/** The strongest value under each of `width` x `height` pixels. */
export function pooledValues(data: FocusData, window: Window, width: number, height: number): Float32Array {
  const { values, keys } = data;
  const out = new Float32Array(width * height);
  const edges = Array.from({ length: width }, (_, x) => texelRange(x, width, window.keys));
  const lefts = Uint32Array.from(edges, ([left]) => left + window.key);
  const rights = Uint32Array.from(edges, ([, right]) => right + window.key);
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = texelRange(y, height, window.queries);
    const best = out.subarray(y * width, (y + 1) * width);
    for (let row = window.query + top; row < window.query + bottom; row += 1) {
      if (isRealRow(data, row)) poolRow(values, row * keys, lefts, rights, best);
      else poolFaults(values, row * keys, lefts, rights, best);
    }
  }
  return out;
}

/** Keeps the last pooling: colours change more often than what is in sight, and millions of weights are many. */
export class PoolCache {
  private key = "";
  private data: FocusData | null = null;
  private values: Float32Array = new Float32Array(0);

  get(data: FocusData, window: Window, width: number, height: number): Float32Array {
    const key = [window.key, window.query, window.keys, window.queries, width, height].join(" ");
    if (data !== this.data || key !== this.key) {
      this.values = pooledValues(data, window, width, height);
      [this.data, this.key] = [data, key];
    }
    return this.values;
  }
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

/** Of a row of padding only NaN and Inf count. */
function poolFaults(
  values: Float32Array,
  start: number,
  lefts: Uint32Array,
  rights: Uint32Array,
  best: Float32Array,
): void {
  for (let x = 0; x < best.length; x += 1) {
    for (let i = start + (lefts[x] ?? 0); i < start + (rights[x] ?? 0); i += 1) {
      const value = values[i] ?? NaN;
      if (!Number.isFinite(value)) best[x] = value;
    }
  }
}

/** "#rrggbb" as a little-endian RGBA pixel. */
export function packedCss(colour: string): number {
  const rgb = parseInt(colour.slice(1), 16);
  return ((255 << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}
