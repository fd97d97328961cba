// Weights in sight -> pixels. Pure. At one cell per pixel or more the picture has one pixel per cell
// and is scaled up; below that each pixel shows the strongest weight under it.
import { colourIndex, differenceToUnit, diverging, sequential, weightToUnit } from "./colormap";
import { packedColours } from "./grid_canvas2d";
import { texelRange } from "./grid_scene";
import { bitsOf, isFault, strongest } from "./strongest";
import type { FocusData, FocusOptions } from "./types";

export interface Window {
  /** Whole cells. */
  readonly key: number;
  readonly query: number;
  readonly keys: number;
  readonly queries: number;
}

/** What is painted: rows of weights, and which of them are padding. */
export type Weights = Pick<FocusData, "keys" | "queries" | "values" | "queryMask">;

export type Paint = (value: number) => number;

/** A pixel through which the ground is seen. */
const blank = 0;

/** Whether a row stands for a token, not for padding. */
export function isRealRow({ queryMask }: Weights, query: number): boolean {
  return queryMask?.[query] !== 0;
}

/** So many rows at once: less than a millisecond. */
const peakRows = 64;

/** Largest finite |value| in real rows. */
export function peakOf(data: FocusData): number {
  const slices = peakInSlices(data);
  for (;;) {
    const { value } = slices.next();
    if (value !== undefined) return value;
  }
}

/** The same with pauses, which yield nothing. */
export function* peakInSlices(data: FocusData): Generator<undefined, number> {
  const { values, keys } = data;
  let peak = 0;
  for (let query = 0; query * keys < values.length; query += 1) {
    if (query % peakRows === peakRows - 1) yield undefined;
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

/** Fills `pixels` from `at` on. Every picture goes through here: what the first one has warmed is fast for the others. */
function paintInto(pixels: Uint32Array, at: number, values: Float32Array, from: number, end: number, paint: Paint): void {
  for (let i = from; i < end; i += 1) pixels[at + i - from] = paint(values[i] ?? NaN);
}

/** One pixel per cell of the window. */
export function cellPixels(data: Weights, window: Window, paint: Paint): Uint32Array<ArrayBuffer> {
  const { values, keys } = data;
  const out = new Uint32Array(window.keys * window.queries);
  for (let query = 0; query < window.queries; query += 1) {
    const [at, row] = [query * window.keys, (window.query + query) * keys + window.key];
    paintInto(out, at, values, row, row + window.keys, paint);
    if (isRealRow(data, window.query + query)) continue;
    // A fault is shown wherever it stands.
    for (let key = 0; key < window.keys; key += 1) if (Number.isFinite(values[row + key])) out[at + key] = blank;
  }
  return out;
}

/** `width` x `height` pixels, fewer than the window has cells. */
export function pooledPixels(
  data: Weights,
  window: Window,
  width: number,
  height: number,
  paint: Paint,
): Uint32Array<ArrayBuffer> {
  return paintAll(new Pooling(data, window, width, height).whole(), paint);
}

export function paintAll(values: Float32Array, paint: Paint): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(values.length);
  paintInto(out, 0, values, 0, values.length, paint);
  return out;
}

/** The strongest value under each of `width` x `height` pixels, worked out one row of pixels at a time. */
export class Pooling {
  readonly values: Float32Array;
  /** The window's first column under each pixel, and the one after the last. */
  private readonly lefts: Uint32Array;
  private readonly rights: Uint32Array;
  private readonly bits: Int32Array;
  private readonly pixels: Int32Array;
  /** Of each column of the window what is strongest in the rows of one pixel. */
  private readonly best: Int32Array;
  private next = 0;

  constructor(
    private readonly data: Weights,
    private readonly window: Window,
    private readonly width: number,
    private readonly height: number,
  ) {
    this.values = new Float32Array(width * height);
    const edges = Array.from({ length: width }, (_, x) => texelRange(x, width, window.keys));
    this.lefts = Uint32Array.from(edges, ([left]) => left);
    this.rights = Uint32Array.from(edges, ([, right]) => right);
    [this.bits, this.pixels, this.best] = [bitsOf(data.values), bitsOf(this.values), new Int32Array(window.keys)];
  }

  /** Does one row; false once all are done. */
  goOn(): boolean {
    if (this.next >= this.height) return false;
    const { data, window, best, pixels, lefts, rights } = this;
    const [top, bottom] = texelRange(this.next, this.height, window.queries);
    best.fill(0);
    // Down the columns first, which every row is read once for. Of equals the leftmost wins, and then the uppermost.
    for (let row = window.query + top; row < window.query + bottom; row += 1) {
      poolRow(this.bits, row * data.keys + window.key, best, isRealRow(data, row));
    }
    for (let x = 0; x < this.width; x += 1) {
      const right = rights[x] ?? 0;
      let most = 0;
      for (let i = lefts[x] ?? 0; i < right; i += 1) most = strongest(most, best[i] ?? 0);
      pixels[this.next * this.width + x] = most;
    }
    this.next += 1;
    return true;
  }

  whole(): Float32Array {
    while (this.goOn());
    return this.values;
  }
}

/** Keeps the last pooling: colours change more often than what is in sight, and millions of weights are many. */
export class PoolCache {
  private key = "";
  private data: Weights | null = null;
  private last: Pooling | null = null;

  get(data: Weights, window: Window, width: number, height: number): Pooling {
    const key = [window.key, window.query, window.keys, window.queries, width, height].join(" ");
    if (this.last === null || data !== this.data || key !== this.key) {
      this.last = new Pooling(data, window, width, height);
      [this.data, this.key] = [data, key];
    }
    return this.last;
  }
}

/** A fault must not disappear in a pool: NaN wins over everything, then size. Of a row of padding only faults count. */
function poolRow(bits: Int32Array, from: number, best: Int32Array, real: boolean): void {
  for (let i = 0; i < best.length; i += 1) {
    const value = bits[from + i] ?? 0;
    if (real || isFault(value)) best[i] = strongest(best[i] ?? 0, value);
  }
}

/** "#rrggbb" as a little-endian RGBA pixel. */
export function packedCss(colour: string): number {
  const rgb = parseInt(colour.slice(1), 16);
  return ((255 << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}
