// The Canvas2D twin: the same pixels as the shader's, computed here.
import type { ColourMap } from "./colormap";
import type { GridPainter } from "./grid_painter";
import type { Box } from "./grid_layout";
import { colourOf, texelRange, tie, type GridScene, type ThumbDraw, type ThumbSource } from "./grid_scene";

/** Colour map as opaque pixels in memory order (little-endian RGBA). */
export function packedColours(map: ColourMap): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = map.subarray(3 * i, 3 * i + 3);
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

/** Which texels each pixel covers, as [from, to) one after the other; most thumbnails are of one or two sizes. */
class Spans {
  private readonly known = new Map<string, Int32Array>();

  of(pixels: number, texels: number): Int32Array {
    const key = `${pixels} ${texels}`;
    let found = this.known.get(key);
    if (found === undefined) {
      found = new Int32Array(2 * pixels);
      for (let pixel = 0; pixel < pixels; pixel += 1) found.set(texelRange(pixel, pixels, texels), 2 * pixel);
      this.known.set(key, found);
    }
    return found;
  }
}

/** Fills `pixels` (scene.width x scene.height, little-endian RGBA). */
export function paintPixels(scene: GridScene, pixels: Uint32Array): void {
  const colours = packedColours(scene.colours);
  const spans = new Spans();
  for (const draw of scene.thumbs) {
    const across = spans.of(draw.box.width, draw.a.layer.thumbCols);
    const down = spans.of(draw.box.height, draw.a.layer.thumbRows);
    const paint = draw.b === null ? lineOfOne(scene, draw, colours) : lineOfDifference(scene, draw, draw.b, colours);
    paintLines(scene, draw.box, [across, down], pixels, paint);
  }
}

/** Writes one line of pixels: those of texel rows [top, bottom), from pixel `at` on. */
type PaintLine = (pixels: Uint32Array, at: number, across: Int32Array, top: number, bottom: number) => void;

/** Most lines cover the same texels as the one above, and are copied. This code draws the first picture, cold. */
function paintLines(scene: GridScene, box: Box, [across, down]: [Int32Array, Int32Array], pixels: Uint32Array, paint: PaintLine): void {
  let [top, bottom] = [-1, -1];
  for (let py = 0; py < box.height; py += 1) {
    const at = (box.y + py) * scene.width + box.x;
    const [first = 0, end = 0] = [down[2 * py], down[2 * py + 1]];
    if (first === top && end === bottom) pixels.copyWithin(at, at - scene.width, at - scene.width + box.width);
    else paint(pixels, at, across, first, end);
    [top, bottom] = [first, end];
  }
}

function lineOfOne(scene: GridScene, { a }: ThumbDraw, colours: Uint32Array): PaintLine {
  const { thumbRows: rows, thumbCols: cols } = a.layer;
  const start = a.place * rows * cols;
  // The map from q to colour is monotone, so the largest q decides, and 256 colours are enough; 0 = not known yet.
  const palette = new Uint32Array(256);
  return (pixels, at, across, top, bottom) => {
    for (let px = 0; 2 * px < across.length; px += 1) {
      const left = start + (across[2 * px] ?? 0);
      const right = start + (across[2 * px + 1] ?? 0);
      let largest = 0;
      for (let row = top; row < bottom; row += 1) {
        for (let i = row * cols + left; i < row * cols + right; i += 1) {
          const q = a.thumbs[i] ?? 0;
          if (q > largest) largest = q;
        }
      }
      let colour = palette[largest] ?? 0;
      if (colour === 0) {
        colour = colours[colourOf(largest * largest * a.factor, false, scene.sqrt)] ?? 0;
        palette[largest] = colour;
      }
      pixels[at + px] = colour;
    }
  };
}

function lineOfDifference(scene: GridScene, { a }: ThumbDraw, b: ThumbSource, colours: Uint32Array): PaintLine {
  const { thumbRows: rows, thumbCols: cols } = a.layer;
  const shiftA = a.place * rows * cols;
  const shiftB = b.place * rows * cols;
  return (pixels, at, across, top, bottom) => {
    for (let px = 0; 2 * px < across.length; px += 1) {
      const [left = 0, right = 0] = [across[2 * px], across[2 * px + 1]];
      let best = 0;
      for (let row = top; row < bottom; row += 1) {
        for (let i = row * cols + left; i < row * cols + right; i += 1) {
          const qa = a.thumbs[shiftA + i] ?? 0;
          const qb = b.thumbs[shiftB + i] ?? 0;
          const value = qb * qb * b.factor - qa * qa * a.factor;
          if (Math.abs(value) > Math.abs(best) + tie) best = value;
        }
      }
      pixels[at + px] = colours[colourOf(best, true, scene.sqrt)] ?? 0;
    }
  };
}

export class Canvas2dPainter implements GridPainter {
  readonly kind = "canvas2d";

  paint(context: CanvasRenderingContext2D, scene: GridScene): boolean {
    if (scene.width === 0 || scene.height === 0) return true;
    const image = context.createImageData(scene.width, scene.height);
    paintPixels(scene, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
    return true;
  }

  dispose(): void {
    // Nothing is held.
  }
}
