// The Canvas2D twin: the same pixels as the shader's, computed here.
import type { ColourMap } from "./colormap";
import type { GridPainter } from "./grid_painter";
import { colourOf, texelRange, tie, type GridScene, type ThumbDraw } from "./grid_scene";

/** Colour map as opaque pixels in memory order (little-endian RGBA). */
export function packedColours(map: ColourMap): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = map.subarray(3 * i, 3 * i + 3);
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

/** Fills `pixels` (scene.width x scene.height, little-endian RGBA). */
export function paintPixels(scene: GridScene, pixels: Uint32Array): void {
  const colours = packedColours(scene.colours);
  for (const draw of scene.thumbs) {
    if (draw.b === null) paintOne(scene, draw, colours, pixels);
    else paintDifference(scene, draw, colours, pixels);
  }
}

function paintOne(scene: GridScene, { a, box }: ThumbDraw, colours: Uint32Array, pixels: Uint32Array): void {
  const { thumbRows: rows, thumbCols: cols } = a.layer;
  const start = a.place * rows * cols;
  // The map from q to colour is monotone, so the largest q decides and 256 colours are enough.
  const palette = Uint32Array.from(
    { length: 256 },
    (_, q) => colours[colourOf(q * q * a.factor, false, scene.sqrt)] ?? 0,
  );
  const columns = Array.from({ length: box.width }, (_, px) => texelRange(px, box.width, cols));
  for (let py = 0; py < box.height; py += 1) {
    const [top, bottom] = texelRange(py, box.height, rows);
    let at = (box.y + py) * scene.width + box.x;
    for (const [left, right] of columns) {
      let largest = 0;
      for (let row = top; row < bottom; row += 1) {
        for (let i = start + row * cols + left; i < start + row * cols + right; i += 1) {
          const q = a.thumbs[i] ?? 0;
          if (q > largest) largest = q;
        }
      }
      pixels[at++] = palette[largest] ?? 0;
    }
  }
}

function paintDifference(scene: GridScene, draw: ThumbDraw, colours: Uint32Array, pixels: Uint32Array): void {
  const { a, b, box } = draw;
  if (b === null) return;
  const { thumbRows: rows, thumbCols: cols } = a.layer;
  const shiftA = a.place * rows * cols;
  const shiftB = b.place * rows * cols;
  const columns = Array.from({ length: box.width }, (_, px) => texelRange(px, box.width, cols));
  for (let py = 0; py < box.height; py += 1) {
    const [top, bottom] = texelRange(py, box.height, rows);
    let at = (box.y + py) * scene.width + box.x;
    for (const [left, right] of columns) {
      let best = 0;
      for (let row = top; row < bottom; row += 1) {
        for (let i = row * cols + left; i < row * cols + right; i += 1) {
          const qa = a.thumbs[shiftA + i] ?? 0;
          const qb = b.thumbs[shiftB + i] ?? 0;
          const value = qb * qb * b.factor - qa * qa * a.factor;
          if (Math.abs(value) > Math.abs(best) + tie) best = value;
        }
      }
      pixels[at++] = colours[colourOf(best, true, scene.sqrt)] ?? 0;
    }
  }
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
