// Which part of a large map is in sight and where its cells stand. Pure; in CSS pixels.
import { clamp } from "../base/numbers";
import type { Window } from "./focus_raster";
import type { Cell, CellMark, FocusView } from "./types";

export interface FocusFrame {
  /** The map's shape. */
  readonly queries: number;
  readonly keys: number;
  /** The plot: where weights may be drawn. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Width of the bars between the labels of the rows and the plot; 0 = none. */
  readonly bars: number;
}

/** Between the bars and the plot. */
export const barGap = 4;

/** Width and height of a cell, and the cell (with fraction) in the plot's upper left corner. */
export interface FocusCamera {
  readonly cell: number;
  readonly row: number;
  readonly key: number;
  readonly query: number;
}

const largestCell = 44;
/** A map more oblong than this has its short side stretched, ... */
const oblong = 4;
/** ... to this share of the long side at most, and to rows that can be read. */
const widest = 0.4;
const readable = 14;
const smallestLabelLine = 10;
const largestFont = 11;
const smallestFont = 9;

/** The whole map: square cells, unless it is so oblong that its short side could not be read. */
export function fitCamera({ queries, keys, width, height }: FocusFrame): FocusCamera {
  const [rows, columns] = [Math.max(1, queries), Math.max(1, keys)];
  const square = Math.max(Math.min(largestCell, width / columns, height / rows), 1e-3);
  const stretched = (long: number, short: number, space: number): number =>
    long <= oblong * short ? square : clamp(Math.min(readable, (square * long * widest) / short), square, Math.max(square, space / short));
  return { cell: stretched(rows, columns, width), row: stretched(columns, rows, height), key: 0, query: 0 };
}

/** The plot's height at which the cells fill its width. */
export function heightFor({ queries, keys, width }: Pick<FocusFrame, "queries" | "keys" | "width">): number {
  return Math.ceil(fitCamera({ queries, keys, width, height: Infinity, left: 0, top: 0, bars: 0 }).row * queries);
}

/** Never smaller than the whole map, never beyond its edges. */
export function clampCamera(frame: FocusFrame, camera: FocusCamera): FocusCamera {
  const smallest = fitCamera(frame);
  const cell = clamp(camera.cell, smallest.cell, Math.max(smallest.cell, largestCell));
  const row = clamp(camera.row, smallest.row, Math.max(smallest.row, largestCell));
  return {
    cell,
    row,
    key: clamp(camera.key, 0, Math.max(0, frame.keys - frame.width / cell)),
    query: clamp(camera.query, 0, Math.max(0, frame.queries - frame.height / row)),
  };
}

/** Scales by `factor` and keeps the cell under the point where it is. */
export function zoomCamera(frame: FocusFrame, camera: FocusCamera, factor: number, x: number, y: number): FocusCamera {
  const { cell, row } = clampCamera(frame, { ...camera, cell: camera.cell * factor, row: camera.row * factor });
  const key = camera.key + (x - frame.left) / camera.cell - (x - frame.left) / cell;
  const query = camera.query + (y - frame.top) / camera.row - (y - frame.top) / row;
  return clampCamera(frame, { cell, row, key, query });
}

export function panCamera(frame: FocusFrame, camera: FocusCamera, dx: number, dy: number): FocusCamera {
  const { cell, row, key, query } = camera;
  return clampCamera(frame, { cell, row, key: key - dx / cell, query: query - dy / row });
}

/** Size of what is drawn: the plot, or less where the map ends. */
export function drawnSize({ keys, queries, width, height }: FocusFrame, camera: FocusCamera): [number, number] {
  const { cell, row } = camera;
  return [Math.min(width, (keys - camera.key) * cell), Math.min(height, (queries - camera.query) * row)];
}

/** The whole cells in sight of a map of `cells`, each a block of `block` x `block` weights. */
export function cellsInSight(
  frame: FocusFrame,
  camera: FocusCamera,
  cells: { readonly keys: number; readonly queries: number },
  block: number,
): Window {
  const [width, height] = drawnSize(frame, camera);
  const [key, query] = [Math.floor(camera.key / block), Math.floor(camera.query / block)];
  return {
    key,
    query,
    keys: Math.min(cells.keys, Math.ceil((camera.key + width / camera.cell) / block)) - key,
    queries: Math.min(cells.queries, Math.ceil((camera.query + height / camera.row) / block)) - query,
  };
}

export function viewOf(frame: FocusFrame, camera: FocusCamera): FocusView {
  const [width, height] = drawnSize(frame, camera);
  return { key: camera.key, query: camera.query, keys: width / camera.cell, queries: height / camera.row };
}

/** The camera that shows at least the given part. */
export function cameraFor(frame: FocusFrame, { key, query, keys, queries }: FocusView): FocusCamera {
  const [cell, row] = [frame.width / Math.max(keys, 1e-6), frame.height / Math.max(queries, 1e-6)];
  const fit = fitCamera(frame);
  // By one factor over the whole map, so that the cells keep their shape.
  const factor = Math.min(cell / fit.cell, row / fit.row);
  return clampCamera(frame, { cell: fit.cell * factor, row: fit.row * factor, key, query });
}

export function cellAt(frame: FocusFrame, camera: FocusCamera, x: number, y: number): Cell | null {
  const [width, height] = drawnSize(frame, camera);
  const [dx, dy] = [x - frame.left, y - frame.top];
  if (dx < 0 || dy < 0 || dx >= width || dy >= height) return null;
  return { key: Math.floor(camera.key + dx / camera.cell), query: Math.floor(camera.query + dy / camera.row) };
}

/** Also on the axes: a token there is a row or a column. */
export function markAt(frame: FocusFrame, camera: FocusCamera, x: number, y: number): CellMark | null {
  const inside = cellAt(frame, camera, x, y);
  if (inside !== null) return inside;
  if (x < frame.left) {
    const row = cellAt(frame, camera, frame.left, y);
    return row === null ? null : { query: row.query, key: null };
  }
  if (y < frame.top) {
    const column = cellAt(frame, camera, x, frame.top);
    return column === null ? null : { query: null, key: column.key };
  }
  return null;
}

/** Every how many labels one is drawn, so that they do not touch. */
export function labelStride(cell: number): number {
  if (cell >= smallestLabelLine) return 1;
  const least = smallestLabelLine / cell;
  // Steps that count well.
  for (const stride of [2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000]) if (stride >= least) return stride;
  return Math.ceil(least);
}

/** As large as the space between two labels allows: every token with a small name says more than every other. */
export function labelFont(cell: number): number {
  return clamp(Math.floor(cell * labelStride(cell)) - 1, smallestFont, largestFont);
}

/** [from, to) of positions whose mask byte is 0, as runs. */
export function maskedRuns(mask: Uint8Array | null, length: number): [number, number][] {
  const runs: [number, number][] = [];
  if (mask === null) return runs;
  for (let i = 0; i < Math.min(mask.length, length); i += 1) {
    if (mask[i] !== 0) continue;
    const last = runs[runs.length - 1];
    if (last !== undefined && last[1] === i) last[1] = i + 1;
    else runs.push([i, i + 1]);
  }
  return runs;
}
