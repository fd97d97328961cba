// Where each head's curve stands: layers down, heads across.
import type { LayerHeads } from "../data/heads";
import type { HeadRef } from "../data/types";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SparkLayout {
  readonly width: number;
  readonly height: number;
  /** Numbers of the columns; layers may lack some. */
  readonly columns: readonly number[];
  readonly rows: readonly number[];
  readonly cell: { readonly width: number; readonly height: number };
  /** From where to where a row reaches, by its place. */
  readonly rowOf: (row: number) => { readonly top: number; readonly bottom: number };
  readonly cellOf: (at: HeadRef) => Box | null;
  readonly hitTest: (x: number, y: number) => HeadRef | null;
}

export const LABEL_WIDTH = 24;
export const LABEL_HEIGHT = 16;
const GAP = 3;
const SMALLEST = { width: 24, height: 16 } as const;
const LARGEST = { width: 320, height: 140 } as const;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Cells fill the width and height given, unless they would become too small: then the content is larger. */
export function sparkLayout(rows: readonly LayerHeads[], width: number, height: number): SparkLayout {
  const columns = [...new Set(rows.flatMap(({ heads }) => heads))].sort((a, b) => a - b);
  const share = (space: number, count: number): number => (count === 0 ? 0 : Math.floor(space / count) - GAP);
  const cell = {
    width: clamp(share(width - LABEL_WIDTH, columns.length), SMALLEST.width, LARGEST.width),
    height: clamp(share(height - LABEL_HEIGHT, rows.length), SMALLEST.height, LARGEST.height),
  };
  const step = { x: cell.width + GAP, y: cell.height + GAP };
  const placeOf = new Map(rows.map(({ layer }, place) => [layer, place]));
  const columnOf = new Map(columns.map((head, place) => [head, place]));
  const has = (row: number, head: number): boolean => rows[row]?.heads.includes(head) === true;
  return {
    width: LABEL_WIDTH + columns.length * step.x,
    height: LABEL_HEIGHT + rows.length * step.y,
    columns,
    rows: rows.map(({ layer }) => layer),
    cell,
    rowOf: (row) => ({ top: LABEL_HEIGHT + row * step.y, bottom: LABEL_HEIGHT + row * step.y + cell.height }),
    cellOf: ({ layer, head }) => {
      const row = placeOf.get(layer);
      const column = columnOf.get(head);
      if (row === undefined || column === undefined || !has(row, head)) return null;
      return { x: LABEL_WIDTH + column * step.x, y: LABEL_HEIGHT + row * step.y, ...cell };
    },
    hitTest: (x, y) => {
      const row = Math.floor((y - LABEL_HEIGHT) / step.y);
      const head = columns[Math.floor((x - LABEL_WIDTH) / step.x)];
      const layer = rows[row]?.layer;
      if (x < LABEL_WIDTH || y < LABEL_HEIGHT || head === undefined || layer === undefined || !has(row, head)) return null;
      return { layer, head };
    },
  };
}
