// A large map at a half, a quarter, ... of its size, each cell the strongest of four. While the map moves it is
// drawn from these, at a cost that depends on what the screen has pixels for, not on the number of weights.
import { context2d } from "./canvas";
import { isRealRow, paintAll, type Paint } from "./focus_raster";
import type { FocusData } from "./types";

export interface Level {
  /** Rows and columns of weights in one cell. */
  readonly block: number;
  readonly keys: number;
  readonly queries: number;
  readonly values: Float32Array;
}

/** A smaller map is pooled anew in every frame. */
const largeMap = 1 << 18;
const smallest = 64;

export function isLarge({ keys, queries }: { readonly keys: number; readonly queries: number }): boolean {
  return keys * queries > largeMap;
}

/** Half as many rows and columns; NaN wins over everything, then size. Of rows that are not real only faults count. */
export function halved({ block, keys, queries, values }: Level, isReal: (query: number) => boolean = () => true): Level {
  const [width, height] = [Math.ceil(keys / 2), Math.ceil(queries / 2)];
  const out = new Float32Array(width * height);
  for (let query = 0; query < queries; query += 1) {
    const real = isReal(query);
    const [from, to] = [query * keys, (query >> 1) * width];
    for (let key = 0; key < keys; key += 1) {
      const value = values[from + key] ?? NaN;
      if (!real && Number.isFinite(value)) continue;
      const at = to + (key >> 1);
      // False for a NaN that is there already.
      if (Number.isNaN(value) || Math.abs(value) > Math.abs(out[at] ?? 0)) out[at] = value;
    }
  }
  return { block: 2 * block, keys: width, queries: height, values: out };
}

export class Pyramid {
  private data: FocusData | null = null;
  private levels: Level[] = [];
  private readonly pictures = new Map<Level, CanvasRenderingContext2D>();

  /** The finest level of which a cell is at least as large as a pixel; null where the weights themselves are. */
  level(data: FocusData, weightsPerPixel: number): Level | null {
    this.prepare(data);
    if (weightsPerPixel <= 1) return null;
    return this.levels.find((level) => level.block >= weightsPerPixel) ?? this.levels.at(-1) ?? null;
  }

  /** Made once for a map. */
  prepare(data: FocusData): void {
    if (data === this.data) return;
    this.data = data;
    this.repaint();
    this.levels = [];
    const { keys, queries, values } = data;
    let last = halved({ block: 1, keys, queries, values }, (query) => isRealRow(data, query));
    for (; Math.max(last.keys, last.queries) > smallest; last = halved(last)) this.levels.push(last);
  }

  /** The colours have changed. */
  repaint(): void {
    this.pictures.clear();
  }

  picture(level: Level, paint: Paint): HTMLCanvasElement {
    const known = this.pictures.get(level);
    if (known !== undefined) return known.canvas;
    const pen = context2d(document.createElement("canvas"));
    [pen.canvas.width, pen.canvas.height] = [level.keys, level.queries];
    const pixels = paintAll(level.values, paint);
    pen.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), level.keys, level.queries), 0, 0);
    this.pictures.set(level, pen);
    return pen.canvas;
  }
}
