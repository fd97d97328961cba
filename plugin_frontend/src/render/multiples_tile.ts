// Pictures of one head as small canvases in the colours of a locked scale, kept up to a budget.
import { ByteLru } from "../base/lru";
import type { HeadPicture } from "../data/multiples";
import { context2d } from "./canvas";
import { colourIndex, differenceToUnit, diverging, sequential, weightToUnit, type ColourMap } from "./colormap";
import type { ColourScale } from "./types";

export interface TileScale extends ColourScale {
  /** The weight at the end of the sequential scale. */
  readonly peak: number;
  readonly dark: boolean;
}

const BUDGET = 24 << 20;
const weightOf = (peak: number, code: number): number => peak * (code / 255) ** 2;

function put(pixels: Uint8ClampedArray, at: number, map: ColourMap, unit: number): void {
  const colour = 3 * colourIndex(unit);
  pixels[4 * at] = map[colour] ?? 0;
  pixels[4 * at + 1] = map[colour + 1] ?? 0;
  pixels[4 * at + 2] = map[colour + 2] ?? 0;
  pixels[4 * at + 3] = 255;
}

/** RGBA of the weights of `b`, or of `b` - `a`. */
export function tilePixels(b: HeadPicture, a: HeadPicture | null, scale: TileScale): Uint8ClampedArray<ArrayBuffer> {
  const size = b.rows * b.cols;
  const pixels = new Uint8ClampedArray(4 * size);
  if (b.codes === null) return pixels;
  if (a === null) {
    const map = sequential(scale.dark);
    const units = Float32Array.from({ length: 256 }, (_, code) => weightToUnit(weightOf(b.peak, code), scale.peak, scale));
    for (let i = 0; i < size; i += 1) put(pixels, i, map, units[b.codes[i] ?? 0] ?? 0);
    return pixels;
  }
  const map = diverging(scale.dark);
  for (let i = 0; i < size; i += 1) {
    const change = weightOf(b.peak, b.codes[i] ?? 0) - weightOf(a.peak, a.codes?.[i] ?? 0);
    put(pixels, i, map, differenceToUnit(change, scale));
  }
  return pixels;
}

const nameOf = (picture: HeadPicture | null): string => (picture === null ? "" : `${picture.strip} ${picture.ordinal}`);

export class TileCache {
  private readonly tiles = new ByteLru<HTMLCanvasElement>(BUDGET, (tile) => {
    // The memory of a canvas is given back when it has no pixels, not when it is collected some day.
    tile.width = 0;
    tile.height = 0;
  });
  private scale = "";

  get bytes(): number {
    return this.tiles.bytes;
  }

  tile(b: HeadPicture, a: HeadPicture | null, scale: TileScale): HTMLCanvasElement {
    const now = JSON.stringify(scale);
    if (now !== this.scale) this.tiles.clear();
    this.scale = now;
    const key = `${nameOf(b)} ${nameOf(a)}`;
    const known = this.tiles.get(key);
    if (known !== undefined) return known;
    const canvas = document.createElement("canvas");
    canvas.width = b.cols;
    canvas.height = b.rows;
    context2d(canvas).putImageData(new ImageData(tilePixels(b, a, scale), b.cols, b.rows), 0, 0);
    this.tiles.set(key, canvas, 4 * b.rows * b.cols + 512);
    return canvas;
  }

  clear(): void {
    this.tiles.clear();
  }
}
