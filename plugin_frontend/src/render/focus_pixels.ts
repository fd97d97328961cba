// The weights in sight as pixels: one each, or fewer where there is less room.
import type { Disposable } from "../base/disposables";
import { context2d } from "./canvas";
import { cellsInSight, drawnSize, type FocusCamera, type FocusFrame } from "./focus_geometry";
import { isLarge, Pyramid } from "./focus_pyramid";
import { cellPixels, paintAll, PoolCache, type Paint, type Window } from "./focus_raster";
import type { FocusData } from "./types";

/** A map, where it stands, and what part of it is in sight. */
export interface InSight {
  readonly data: FocusData;
  readonly frame: FocusFrame;
  readonly camera: FocusCamera;
}

interface Raster {
  readonly window: Window;
  readonly columns: number;
  readonly rows: number;
}

interface Picture extends Raster {
  /** Weights along each side of one cell of the window. */
  readonly block: number;
  readonly pixels: Uint32Array<ArrayBuffer>;
}

const pixelsOf = (cells: number, size: number): number =>
  size * devicePixelRatio < 1 ? Math.max(1, Math.round(cells * size * devicePixelRatio)) : cells;

/** The pixels that the weights in sight are drawn with. */
function rasterOf({ data, frame, camera }: InSight): Raster {
  const window = cellsInSight(frame, camera, data, 1);
  return { window, columns: pixelsOf(window.keys, camera.cell), rows: pixelsOf(window.queries, camera.row) };
}

const isWhole = ({ window, columns, rows }: Raster): boolean => columns === window.keys && rows === window.queries;

export class FocusPixels implements Disposable {
  private readonly cells = context2d(document.createElement("canvas"));
  private pooled = new PoolCache();
  private readonly pyramid = new Pyramid();

  /** A large map, or null: no other has to be prepared; with what was pooled of it already, if it was. */
  setData(large: FocusData | null, pooled?: PoolCache): void {
    if (pooled !== undefined) this.pooled = pooled;
    this.pyramid.prepare(large);
  }

  /** While a large map moves, no pixel is weaker than what lies under it, but its edges may be a few weights off. */
  draw(pen: CanvasRenderingContext2D, seen: InSight, paint: Paint, moving: boolean): void {
    this.put(pen, seen, this.picture(seen, paint, moving));
  }

  /** Works out, a little at each call, what `draw` needs once the map rests. */
  pooling(seen: InSight, pooled = this.pooled): () => boolean {
    const raster = rasterOf(seen);
    if (isWhole(raster)) return () => false;
    const pooling = pooled.get(seen.data, raster.window, raster.columns, raster.rows);
    return () => pooling.goOn();
  }

  dispose(): void {
    this.pyramid.dispose();
  }

  private picture(seen: InSight, paint: Paint, moving: boolean): Picture {
    const { data, frame, camera } = seen;
    const raster = rasterOf(seen);
    const { window, columns, rows } = raster;
    if (isWhole(raster)) return { ...raster, block: 1, pixels: cellPixels(data, window, paint) };
    const level = moving && isLarge(window) ? this.pyramid.level(data, 1 / (Math.min(camera.cell, camera.row) * devicePixelRatio)) : null;
    if (level === null) return { ...raster, block: 1, pixels: paintAll(this.pooled.get(data, window, columns, rows).whole(), paint) };
    const blocks = cellsInSight(frame, camera, level, level.block);
    return { window: blocks, columns: blocks.keys, rows: blocks.queries, block: level.block, pixels: cellPixels(level, blocks, paint) };
  }

  /** Where the cells stand. */
  private put(pen: CanvasRenderingContext2D, { frame, camera }: InSight, { window, columns, rows, block, pixels }: Picture): void {
    const [width, height] = drawnSize(frame, camera);
    const [across, down] = [camera.cell * block, camera.row * block];
    this.cells.canvas.width = columns;
    this.cells.canvas.height = rows;
    this.cells.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), columns, rows), 0, 0);
    pen.save();
    pen.beginPath();
    pen.rect(frame.left, frame.top, width, height);
    pen.clip();
    pen.imageSmoothingEnabled = false;
    pen.drawImage(
      this.cells.canvas,
      frame.left + (window.key - camera.key / block) * across,
      frame.top + (window.query - camera.query / block) * down,
      window.keys * across,
      window.queries * down,
    );
    pen.restore();
  }
}
