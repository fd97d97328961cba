// Curves straight into pixels: for each column of a cell the span that the curve covers there. However many
// steps there are, a curve costs as many spans as its cell has columns.

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

function blend({ data, width, height }: Pixels, x: number, y: number, [r, g, b]: Rgb, share: number): void {
  if (x < 0 || y < 0 || x >= width || y >= height || share <= 0) return;
  const at = 4 * (y * width + x);
  const keep = 1 - share;
  data[at] = (data[at] ?? 0) * keep + r * share;
  data[at + 1] = (data[at + 1] ?? 0) * keep + g * share;
  data[at + 2] = (data[at + 2] ?? 0) * keep + b * share;
  data[at + 3] = 255;
}

export function fillBox(pixels: Pixels, { x, y, width, height }: PixelBox, colour: Rgb): void {
  for (let row = y; row < y + height; row += 1) {
    for (let column = x; column < x + width; column += 1) blend(pixels, column, row, colour, 1);
  }
}

/** Where a curve is in each column, from its upper to its lower end; NaN = nowhere. */
export function spansOf(xs: Float32Array, ys: Float32Array, columns: number): { top: Float32Array; bottom: Float32Array } {
  const top = new Float32Array(columns).fill(NaN);
  const bottom = new Float32Array(columns).fill(NaN);
  const cover = (column: number, y0: number, y1: number): void => {
    if (column < 0 || column >= columns) return;
    const [low, high] = y0 < y1 ? [y0, y1] : [y1, y0];
    const [t, b] = [top[column] ?? NaN, bottom[column] ?? NaN];
    if (!(t <= low)) top[column] = low;
    if (!(b >= high)) bottom[column] = high;
  };
  for (let i = 0; i < ys.length; i += 1) {
    const [x0, y0] = [xs[i] ?? 0, ys[i] ?? NaN];
    if (Number.isNaN(y0)) continue;
    const [x1, y1] = [xs[i + 1] ?? NaN, ys[i + 1] ?? NaN];
    if (Number.isNaN(y1)) {
      // The end of a piece; a piece of one step is a dash that can be seen.
      const alone = i === 0 || Number.isNaN(ys[i - 1] ?? NaN);
      for (let by = alone ? -1 : 0; by <= (alone ? 1 : 0); by += 1) cover(Math.floor(x0) + by, y0, y0);
      continue;
    }
    const [from, to] = [Math.floor(x0), Math.floor(x1)];
    const slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    for (let column = from; column <= to; column += 1) {
      const left = Math.max(x0, column);
      const right = Math.min(x1, column + 1);
      cover(column, x1 > x0 ? y0 + slope * (left - x0) : y0, x1 > x0 ? y0 + slope * (right - x0) : y1);
    }
  }
  return { top, bottom };
}

/** Columns of spans in one column of pixels: what makes steep curves smooth. */
export const SUBCOLUMNS = 2;

/** Draws spans of SUBCOLUMNS to a pixel with soft ends, `thickness` device pixels thick where the curve is level. */
export function drawSpans(
  pixels: Pixels,
  box: PixelBox,
  { top, bottom }: { top: Float32Array; bottom: Float32Array },
  colour: Rgb,
  thickness: number,
): void {
  const cover = new Float32Array(box.height + 1);
  for (let column = 0; column < box.width; column += 1) {
    let [first, last] = [box.height, -1];
    for (let sub = column * SUBCOLUMNS; sub < (column + 1) * SUBCOLUMNS; sub += 1) {
      const upper = Math.max(0, (top[sub] ?? NaN) - thickness / 2);
      const lower = Math.min(box.height, (bottom[sub] ?? NaN) + thickness / 2);
      if (!(lower > upper)) continue;
      const [from, to] = [Math.floor(upper), Math.ceil(lower)];
      for (let row = from; row < to; row += 1) {
        cover[row] = (cover[row] ?? 0) + (Math.min(row + 1, lower) - Math.max(row, upper)) / SUBCOLUMNS;
      }
      first = Math.min(first, from);
      last = Math.max(last, to - 1);
    }
    for (let row = first; row <= last; row += 1) {
      blend(pixels, box.x + column, box.y + row, colour, cover[row] ?? 0);
      cover[row] = 0;
    }
  }
}
