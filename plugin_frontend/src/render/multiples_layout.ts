// Where the pictures of a runs x steps grid stand: rows are runs, columns are steps.

export interface PictureSize {
  readonly rows: number;
  readonly cols: number;
}

export interface RowPlace {
  /** Of the pictures, below the row's title. */
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface MultiplesLayout {
  readonly rows: readonly RowPlace[];
  /** From one column to the next. */
  readonly pitch: number;
  readonly cell: number;
  readonly width: number;
  readonly height: number;
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

export const AXIS_HEIGHT = 22;
export const TITLE_HEIGHT = 20;
const GAP = 8;
const SMALLEST = 64;
const EMPTY_EDGE = 80;

/** Device pixels of one texel: whole ones, so that no texel looks larger than its neighbour. */
export function texelPixels({ rows, cols }: PictureSize, dpr: number): number {
  return Math.max(1, Math.ceil((SMALLEST * dpr) / Math.max(1, rows, cols)));
}

/** `sizes`: pictures of each row, null where none is known yet. All in CSS pixels. */
export function multiplesLayout(sizes: readonly (PictureSize | null)[], columns: number, dpr: number): MultiplesLayout {
  const edges = sizes.map((size) => {
    if (size === null) return { width: EMPTY_EDGE, height: EMPTY_EDGE };
    const edge = texelPixels(size, dpr) / dpr;
    return { width: size.cols * edge, height: size.rows * edge };
  });
  const cell = Math.max(SMALLEST, ...edges.map(({ width }) => width));
  let y = AXIS_HEIGHT;
  const rows = edges.map(({ width, height }): RowPlace => {
    const place = { y: y + TITLE_HEIGHT, width, height };
    y += TITLE_HEIGHT + height + GAP;
    return place;
  });
  // Whole device pixels, for every column to look the same.
  const pitch = Math.ceil((cell + GAP) * dpr) / dpr;
  return { rows, pitch, cell, width: columns * pitch + GAP, height: y };
}

export const columnLeft = ({ pitch }: MultiplesLayout, column: number): number => GAP + column * pitch;

/** Columns that are in sight, and the first beyond them. */
export function columnsInSight({ pitch }: MultiplesLayout, left: number, width: number, count: number): { readonly first: number; readonly end: number } {
  const first = Math.max(0, Math.floor((left - GAP) / pitch));
  return { first: Math.min(first, count), end: Math.min(count, Math.max(0, Math.ceil((left + width - GAP) / pitch))) };
}

/** In the content's own coordinates; the axis counts to the row below it, where it names steps. */
export function placeAt(layout: MultiplesLayout, x: number, y: number, columns: number): Place | null {
  const column = Math.floor((x - GAP) / layout.pitch);
  const row = layout.rows.findIndex((place) => y >= place.y - TITLE_HEIGHT && y < place.y + place.height + GAP);
  const inside = column >= 0 && column < columns && (x - GAP) % layout.pitch < layout.cell;
  return row < 0 || !inside ? null : { row, column };
}
