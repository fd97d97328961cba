// Curves straight into pixels: for each column of a cell the span that the curve covers there. However many
// steps there are, a curve costs as many spans as its cell has columns. These loops run for every head
// within one animation frame, so they allocate nothing.

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export interface PixelBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Rgb = readonly [number, number, number];

export function rgbOf(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1, 7), 16) || 0;
  return [value >> 16, (value >> 8) & 0xff, value & 0xff];
}

export function fillBox({ data, width, height }: Pixels, box: PixelBox, [r, g, b]: Rgb): void {
  // Every platform that runs a browser is little-endian.
  const words = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const word = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  const last = Math.min(height, box.y + box.height);
  for (let row = Math.max(0, box.y); row < last; row += 1) {
    words.fill(word, row * width + box.x, row * width + Math.min(width, box.x + box.width));
  }
}

/** Where a curve is in each column, from its upper to its lower end; NaN = nowhere. */
export interface Spans {
  readonly top: Float32Array;
  readonly bottom: Float32Array;
}

export function emptySpans(columns: number): Spans {
  return { top: new Float32Array(columns), bottom: new Float32Array(columns) };
}

function cover(spans: Spans, column: number, y0: number, y1: number): void {
  const { top, bottom } = spans;
  if (column < 0 || column >= top.length) return;
  const low = y0 < y1 ? y0 : y1;
  const high = y0 < y1 ? y1 : y0;
  if (!((top[column] ?? NaN) <= low)) top[column] = low;
  if (!((bottom[column] ?? NaN) >= high)) bottom[column] = high;
}

/** Half of what a step that stands alone covers: columns to each side, and as far up and down in its middle. */
export interface Dot {
  readonly across: number;
  readonly up: number;
}

function coverDot(spans: Spans, x: number, y: number, { across, up }: Dot): void {
  const last = Math.ceil(x + across);
  for (let column = Math.floor(x - across); column < last; column += 1) {
    const off = (column + 0.5 - x) / across;
    const reach = off * off < 1 ? up * Math.sqrt(1 - off * off) : 0;
    cover(spans, column, y - reach, y + reach);
  }
}

/** Finds the spans of a curve through the points of ascending x; a NaN among the y is a gap. */
export function traceSpans(spans: Spans, xs: Float32Array, ys: Float32Array, dot: Dot): void {
  spans.top.fill(NaN);
  spans.bottom.fill(NaN);
  let before = NaN;
  for (let i = 0; i < ys.length; i += 1) {
    const x0 = xs[i] ?? 0;
    const y0 = ys[i] ?? NaN;
    const x1 = xs[i + 1] ?? NaN;
    const y1 = ys[i + 1] ?? NaN;
    const alone = before !== before;
    before = y0;
    if (y0 !== y0) continue;
    const from = Math.floor(x0);
    if (y1 !== y1) {
      // The end of a piece; a piece of one step is a dot that can be seen.
      if (alone) coverDot(spans, x0, y0, dot);
      else cover(spans, from, y0, y0);
      continue;
    }
    const to = Math.floor(x1);
    if (from === to) {
      cover(spans, from, y0, y1);
      continue;
    }
    const slope = (y1 - y0) / (x1 - x0);
    for (let column = from; column <= to; column += 1) {
      const left = column > x0 ? column : x0;
      const right = column + 1 < x1 ? column + 1 : x1;
      cover(spans, column, y0 + slope * (left - x0), y0 + slope * (right - x0));
    }
  }
}

/** Columns of spans in one column of pixels: what makes steep curves smooth. */
export const SUBCOLUMNS = 2;

const MOST_ROWS = 4096;
const shares = new Float32Array(MOST_ROWS);

/** Draws spans of SUBCOLUMNS to a pixel with soft ends, `thickness` device pixels thick where the curve is level. */
export function drawSpans(pixels: Pixels, box: PixelBox, spans: Spans, [r, g, b]: Rgb, thickness: number): void {
  const { data, width, height } = pixels;
  const { top, bottom } = spans;
  const half = thickness / 2;
  const rows = Math.min(MOST_ROWS, box.height, height - box.y);
  const columns = Math.min(box.width, width - box.x);
  for (let column = 0; column < columns; column += 1) {
    let first = rows;
    let last = -1;
    for (let sub = column * SUBCOLUMNS; sub < (column + 1) * SUBCOLUMNS; sub += 1) {
      const upper = Math.max(0, (top[sub] ?? NaN) - half);
      const lower = Math.min(rows, (bottom[sub] ?? NaN) + half);
      if (!(lower > upper)) continue;
      const from = Math.floor(upper);
      const to = Math.ceil(lower);
      for (let row = from; row < to; row += 1) {
        const share = (row + 1 < lower ? row + 1 : lower) - (row > upper ? row : upper);
        shares[row] = (shares[row] ?? 0) + share / SUBCOLUMNS;
      }
      if (from < first) first = from;
      if (to > last) last = to;
    }
    for (let row = first; row < last; row += 1) {
      const share = shares[row] ?? 0;
      shares[row] = 0;
      const keep = 1 - share;
      const at = 4 * ((box.y + row) * width + box.x + column);
      data[at] = (data[at] ?? 0) * keep + r * share;
      data[at + 1] = (data[at + 1] ?? 0) * keep + g * share;
      data[at + 2] = (data[at + 2] ?? 0) * keep + b * share;
      data[at + 3] = 255;
    }
  }
}
