// Where each thumbnail of the layers x heads grid stands. Pure; in CSS pixels.
import { clamp } from "../base/numbers";
import type { HeadRef } from "../data/types";

/** What the layout has to know of a layer. */
export interface GridLayerShape {
  readonly layer: number;
  readonly heads: readonly number[];
  readonly queries: number;
  readonly keys: number;
}

/** A head's box: what can be pointed at. */
export interface GridCell extends HeadRef, Box {
  /** The thumbnail inside the box, in the map's own proportions. */
  readonly thumb: Box;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface AxisLabel {
  /** A layer's or a head's number. */
  readonly number: number;
  /** Centre of its row or column. */
  readonly at: number;
  /** False where labels would touch each other. */
  readonly shown: boolean;
}

export interface GridLayout {
  /** What the grid takes; more than was offered when the smallest thumbnails do not fit. */
  readonly width: number;
  readonly height: number;
  readonly labelWidth: number;
  readonly labelHeight: number;
  /** Edge of a box, and of the space between boxes. */
  readonly size: number;
  readonly gap: number;
  readonly rows: readonly AxisLabel[];
  readonly columns: readonly AxisLabel[];
  readonly cells: readonly GridCell[];
  hitTest(x: number, y: number): HeadRef | null;
  cellOf(head: HeadRef): GridCell | null;
}

export interface GridSpace {
  readonly width: number;
  readonly height: number;
  readonly layers: readonly GridLayerShape[];
}

const minSize = 7;
const maxSize = 176;
const fontHeight = 11;

function gapFor(size: number): number {
  return size >= 40 ? 6 : size >= 20 ? 4 : size >= 12 ? 3 : 1;
}

/** The largest box, and its gap, with which `columns` x `rows` fit into the space. */
function sizeFor(width: number, height: number, columns: number, rows: number): { size: number; gap: number } {
  for (const gap of [6, 4, 3, 1]) {
    const size = Math.floor(Math.min((width - gap * columns) / columns, (height - gap * rows) / rows));
    const bounded = clamp(size, minSize, maxSize);
    if (gapFor(bounded) === gap) return { size: bounded, gap };
  }
  // Between two sizes of gap: the smaller gap, for there is room.
  const size = Math.floor(Math.min(width / columns, height / rows)) - 3;
  return { size: clamp(size, minSize, maxSize), gap: 3 };
}

function thumbIn(x: number, y: number, size: number, queries: number, keys: number): Box {
  const longest = Math.max(queries, keys, 1);
  // A map of one row is still to be seen.
  const width = Math.max(Math.min(size, 4), Math.round((size * keys) / longest));
  const height = Math.max(Math.min(size, 4), Math.round((size * queries) / longest));
  return { x: x + Math.floor((size - width) / 2), y: y + Math.floor((size - height) / 2), width, height };
}

function labels(numbers: readonly number[], start: number, pitch: number, space: number): AxisLabel[] {
  const stride = Math.max(1, Math.ceil(space / pitch));
  return numbers.map((number, i) => ({
    number,
    at: start + i * pitch + pitch / 2,
    shown: i % stride === 0,
  }));
}

/** Columns stand for heads by their place; their labels are the numbers where all layers agree. */
function columnNumbers(layers: readonly GridLayerShape[]): number[] {
  const longest = layers.reduce<readonly number[]>((best, { heads }) => (heads.length > best.length ? heads : best), []);
  return [...longest];
}

export function gridLayout({ width, height, layers }: GridSpace): GridLayout {
  const numbers = columnNumbers(layers);
  const columns = Math.max(1, numbers.length);
  const rows = Math.max(1, layers.length);
  const digits = Math.max(1, ...layers.map(({ layer }) => String(layer).length));
  const labelWidth = 8 + 7 * digits;
  const labelHeight = fontHeight + 7;
  const { size, gap } = sizeFor(width - labelWidth, height - labelHeight, columns, rows);
  const pitch = size + gap;
  const cells = layers.flatMap(({ layer, heads, queries, keys }, row) =>
    heads.map((head, column) => {
      const x = labelWidth + column * pitch + Math.floor(gap / 2);
      const y = labelHeight + row * pitch + Math.floor(gap / 2);
      return { layer, head, x, y, width: size, height: size, thumb: thumbIn(x, y, size, queries, keys) };
    }),
  );
  const byHead = new Map(cells.map((cell) => [`${cell.layer}.${cell.head}`, cell]));
  const headDigits = Math.max(1, ...numbers.map((number) => String(number).length));
  return {
    width: labelWidth + columns * pitch,
    height: labelHeight + rows * pitch,
    labelWidth,
    labelHeight,
    size,
    gap,
    rows: labels(layers.map(({ layer }) => layer), labelHeight, pitch, fontHeight + 2),
    columns: labels(numbers, labelWidth, pitch, 7 * headDigits + 7),
    cells,
    hitTest: (x, y) => headAt(layers, Math.floor((x - labelWidth) / pitch), Math.floor((y - labelHeight) / pitch)),
    cellOf: ({ layer, head }) => byHead.get(`${layer}.${head}`) ?? null,
  };
}

function headAt(layers: readonly GridLayerShape[], column: number, row: number): HeadRef | null {
  const layer = layers[row];
  const head = layer?.heads[column];
  return layer === undefined || head === undefined ? null : { layer: layer.layer, head };
}
