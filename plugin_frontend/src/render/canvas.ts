// Small helpers for canvases that keep to device pixels.
import type { RenderTheme } from "./theme";

/** A canvas above or below its siblings; text and roles belong to the host, not to it. */
export function layerCanvas(host: HTMLElement): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, { position: "absolute", left: "0", top: "0", pointerEvents: "none" });
  host.append(canvas);
  return context2d(canvas);
}

export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser has no 2D canvas: use a current one.");
  return context;
}

/** Sizes a canvas in CSS pixels; changing nothing keeps what is drawn. True if it was cleared. */
export function sizeCanvas({ canvas }: CanvasRenderingContext2D, width: number, height: number, dpr: number): boolean {
  const [w, h] = [Math.round(width * dpr), Math.round(height * dpr)];
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  canvas.style.width = `${w / dpr}px`;
  canvas.style.height = `${h / dpr}px`;
  return true;
}

/** Diagonal lines over the ground of "nothing here". */
export function hatchPattern(
  context: CanvasRenderingContext2D,
  theme: RenderTheme,
  dpr: number,
  ground: boolean,
): CanvasPattern | string {
  const edge = Math.round(6 * dpr);
  const tile = document.createElement("canvas");
  tile.width = edge;
  tile.height = edge;
  const pen = context2d(tile);
  if (ground) {
    pen.fillStyle = theme.absent;
    pen.fillRect(0, 0, edge, edge);
  }
  pen.strokeStyle = theme.hatch;
  pen.lineWidth = Math.max(1, dpr * 0.9);
  pen.beginPath();
  // Three strokes, so that the corners of neighbouring tiles meet.
  for (const shift of [-edge, 0, edge]) {
    pen.moveTo(shift - 1, edge + 1);
    pen.lineTo(shift + edge + 1, -1);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, "repeat");
  // Patterns are laid in user space: undo the scale so that lines stay one device pixel wide.
  pattern?.setTransform(new DOMMatrix().scale(1 / dpr));
  return pattern ?? theme.absent;
}

/** Draws several canvases one over the other on the theme's ground. */
export function flatten(layers: readonly HTMLCanvasElement[], theme: RenderTheme): HTMLCanvasElement {
  const out = document.createElement("canvas");
  out.width = Math.max(1, ...layers.map(({ width }) => width));
  out.height = Math.max(1, ...layers.map(({ height }) => height));
  const context = context2d(out);
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, out.width, out.height);
  for (const layer of layers) if (layer.width > 0 && layer.height > 0) context.drawImage(layer, 0, 0);
  return out;
}
