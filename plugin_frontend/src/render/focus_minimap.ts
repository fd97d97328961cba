// The whole map in a corner while only a part is in sight. It stands at the upper right, which a causal
// map leaves empty.
import type { Disposable } from "../base/disposables";
import { whileIdle } from "../base/idle";
import { context2d } from "./canvas";
import { fitCamera, viewOf } from "./focus_geometry";
import type { FocusScene } from "./focus_marks";
import { cellPixels, paintAll, PoolCache, type Paint, type Pooling, type Weights, type Window } from "./focus_raster";

const edge = 84;
const margin = 6;

/** The pixels of the small map. */
function sizeOf({ keys, queries }: Weights, dpr: number): { window: Window; columns: number; rows: number } {
  const pixels = Math.round(edge * dpr);
  return { window: { key: 0, query: 0, keys, queries }, columns: Math.min(pixels, keys), rows: Math.min(pixels, queries) };
}

export class Minimap implements Disposable {
  private readonly pen = context2d(document.createElement("canvas"));
  private readonly pooled = new PoolCache();
  private stale = true;
  private stop = (): void => undefined;

  /** Pools a map while the page has nothing else to do: before somebody zooms in. null: there is none to pool. */
  prepare(data: Weights | null): void {
    this.stop();
    if (data === null) return;
    const pooling = this.pooling(data, devicePixelRatio);
    this.stop = whileIdle(() => pooling.goOn(), true);
  }

  /** From the weights, not from a level of the pyramid: that has other cells, and comes later in one window than in another. */
  pooling(data: Weights, dpr: number): Pooling {
    const { window, columns, rows } = sizeOf(data, dpr);
    return this.pooled.get(data, window, columns, rows);
  }

  dispose(): void {
    this.stop();
  }

  /** The weights or their colours have changed. */
  invalidate(): void {
    this.stale = true;
  }

  /** CSS pixels. */
  draw(context: CanvasRenderingContext2D, scene: FocusScene, paint: Paint): void {
    const { data, frame, camera, theme } = scene;
    if (this.stale) this.render(scene, paint);
    this.stale = false;
    const whole = fitCamera(frame);
    // In the proportions of the whole picture.
    const scale = edge / Math.max(data.queries * whole.row, data.keys * whole.cell);
    const [across, down] = [scale * whole.cell, scale * whole.row];
    const width = Math.max(4, data.keys * across);
    const height = Math.max(4, data.queries * down);
    const left = frame.left + frame.width - width - margin;
    const top = frame.top + margin;
    context.fillStyle = theme.ground;
    context.fillRect(left - 1, top - 1, width + 2, height + 2);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.pen.canvas, left, top, width, height);
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    const view = viewOf(frame, camera);
    context.strokeStyle = theme.locked;
    context.lineWidth = 1.5;
    context.strokeRect(
      left + view.key * across,
      top + view.query * down,
      Math.max(2, view.keys * across),
      Math.max(2, view.queries * down),
    );
  }

  private render({ data, dpr }: FocusScene, paint: Paint): void {
    const { window, columns, rows } = sizeOf(data, dpr);
    const pooled = columns < data.keys || rows < data.queries;
    const picture = pooled ? paintAll(this.pooling(data, dpr).whole(), paint) : cellPixels(data, window, paint);
    this.pen.canvas.width = columns;
    this.pen.canvas.height = rows;
    this.pen.putImageData(new ImageData(new Uint8ClampedArray(picture.buffer), columns, rows), 0, 0);
  }
}
