// Where each thumbnail of the layers x heads grid stands. Pure; in CSS pixels.
import { clamp } from "../base/numbers";
import { groupRuns } from "../data/groups";
import type { HeadRef } from "../data/types";

/** What the layout has to know of a layer. */
export interface GridLayerShape {
  readonly layer: number;
  readonly heads: readonly number[];
  readonly queries: number;
  readonly keys: number;
  readonly keyValueHeads?: number;
  readonly ofHeads?: number;
  /** A layer without attention: what is written in its row. */
  readonly withoutMap?: string;
  /** Of a map that grows: the size that it is drawn as a part of. */
  readonly extent?: Extent | null;
}

export interface Extent {
  readonly queries: number;
  readonly keys: number;
}

/** Over heads that share one key-value head: a line with both ends turned down, at its upper left corner. */
export interface Bracket {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The row of a layer that has no map. */
export interface EmptyRow extends Box {
  readonly text: string;
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
  /** The part of it that the numbers of the heads have; brackets stand under them. */
  readonly numberHeight: number;
  /** Edge of a box, and of the space between boxes. */
  readonly size: number;
  readonly gap: number;
  readonly rows: readonly AxisLabel[];
  readonly columns: readonly AxisLabel[];
  readonly cells: readonly GridCell[];
  readonly brackets: readonly Bracket[];
  readonly emptyRows: readonly EmptyRow[];
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
/** A row in which something is only written. */
const writtenRow = fontHeight + 4;
export const bracketHeight = 5;

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

function thumbIn(x: number, y: number, size: number, { queries, keys, extent }: GridLayerShape): Box {
  if (extent !== undefined && extent !== null) return growingThumb(x, y, size, { queries, keys }, extent);
  const longest = Math.max(queries, keys, 1);
  // A map of one row is still to be seen.
  const width = Math.max(Math.min(size, 4), Math.round((size * keys) / longest));
  const height = Math.max(Math.min(size, 4), Math.round((size * queries) / longest));
  return { x: x + Math.floor((size - width) / 2), y: y + Math.floor((size - height) / 2), width, height };
}

/** From the upper left corner, at the size that it will keep while rows are added. */
function growingThumb(x: number, y: number, size: number, { queries, keys }: Extent, extent: Extent): Box {
  const longest = Math.max(extent.queries, extent.keys, queries, keys, 1);
  return { x, y, width: Math.max(4, Math.round((size * keys) / longest)), height: Math.max(4, Math.round((size * queries) / longest)) };
}

/** Rows one below the other; those of layers without a map are as low as what is written in them. */
interface RowPlace {
  readonly top: number;
  readonly height: number;
}

function rowPlaces(layers: readonly GridLayerShape[], start: number, pitch: number): RowPlace[] {
  let top = start;
  return layers.map(({ withoutMap }) => {
    const height = withoutMap === undefined ? pitch : Math.min(pitch, writtenRow);
    const place = { top, height };
    top += height;
    return place;
  });
}

/** The first label, and each that does not come within `space` of the one drawn before it. */
function rowLabels(layers: readonly GridLayerShape[], places: readonly RowPlace[], space: number): AxisLabel[] {
  let last = -Infinity;
  return layers.map(({ layer }, i) => {
    const { top = 0, height = 0 } = places[i] ?? {};
    const at = top + height / 2;
    const shown = at - last >= space;
    if (shown) last = at;
    return { number: layer, at, shown };
  });
}

function runsOf({ heads, keyValueHeads = 0, ofHeads = 0 }: GridLayerShape): [number, number][] {
  return groupRuns({ heads, keyValueHeads, ofHeads });
}

/** Whether all layers with maps have the same groups, so that one row of brackets is enough. */
function sharedRuns(layers: readonly GridLayerShape[]): [number, number][] | null {
  const texts = new Map(layers.filter(({ heads }) => heads.length > 0).map((layer) => {
    const runs = runsOf(layer);
    return [`${layer.heads.length}:${runs.join(" ")}`, runs];
  }));
  return texts.size <= 1 ? ([...texts.values()][0] ?? []) : null;
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
  const full = layers.filter(({ withoutMap }) => withoutMap === undefined).length;
  const digits = Math.max(1, ...layers.map(({ layer }) => String(layer).length));
  const labelWidth = 8 + 7 * digits;
  const shared = sharedRuns(layers);
  const ownBrackets = shared === null ? bracketHeight : 0;
  const numberHeight = fontHeight + 7;
  const labelHeight = numberHeight + (shared !== null && shared.length > 0 ? bracketHeight : 0);
  const written = (layers.length - full) * writtenRow;
  const { size, gap } = sizeFor(width - labelWidth, height - labelHeight - written - full * ownBrackets, columns, Math.max(1, full));
  const pitch = size + gap;
  const places = rowPlaces(layers, labelHeight, pitch + ownBrackets);
  const left = (column: number): number => labelWidth + column * pitch + Math.floor(gap / 2);
  const cells = layers.flatMap((shape, row) =>
    shape.heads.map((head, column) => {
      const [x, y] = [left(column), (places[row]?.top ?? 0) + ownBrackets + Math.floor(gap / 2)];
      return { layer: shape.layer, head, x, y, width: size, height: size, thumb: thumbIn(x, y, size, shape) };
    }),
  );
  const byHead = new Map(cells.map((cell) => [`${cell.layer}.${cell.head}`, cell]));
  const headDigits = Math.max(1, ...numbers.map((number) => String(number).length));
  const last = places[places.length - 1];
  const bracketed = (runs: readonly [number, number][], y: number): Bracket[] =>
    runs.map(([from, to]) => ({ x: left(from), y, width: left(to) + size - left(from) }));
  const gridWidth = labelWidth + columns * pitch;
  return {
    width: gridWidth,
    height: last === undefined ? labelHeight + pitch : last.top + last.height,
    labelWidth,
    labelHeight,
    numberHeight,
    size,
    gap,
    rows: rowLabels(layers, places, fontHeight + 2),
    columns: labels(numbers, labelWidth, pitch, 7 * headDigits + 7),
    cells,
    brackets:
      shared !== null
        ? bracketed(shared, labelHeight - bracketHeight)
        : layers.flatMap((layer, row) => bracketed(runsOf(layer), places[row]?.top ?? 0)),
    emptyRows: layers.flatMap(({ withoutMap }, row) => {
      const { top = 0, height: rowHeight = 0 } = places[row] ?? {};
      return withoutMap === undefined ? [] : [{ x: labelWidth, y: top, width: gridWidth - labelWidth, height: rowHeight, text: withoutMap }];
    }),
    hitTest: (x, y) => {
      const row = places.findIndex(({ top, height: rowHeight }) => y >= top && y < top + rowHeight);
      return headAt(layers, Math.floor((x - labelWidth) / pitch), row);
    },
    cellOf: ({ layer, head }) => byHead.get(`${layer}.${head}`) ?? null,
  };
}

function headAt(layers: readonly GridLayerShape[], column: number, row: number): HeadRef | null {
  const layer = layers[row];
  const head = layer?.heads[column];
  return layer === undefined || head === undefined ? null : { layer: layer.layer, head };
}
