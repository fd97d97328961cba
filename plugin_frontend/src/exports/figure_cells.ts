// Many small pictures in one figure: vectors while they are few, else one picture in the resolution of print.
import type { Mark } from "./figure";

export type CellsMark = Extract<Mark, { kind: "cells" }>;

/** Texels up to which every one is a rectangle of its own, so that a small figure is all vectors. */
export const mostTexels = 6000;
/** Pixels to a point of the one picture that a large figure is: 600 dpi. */
export const finest = 600 / 72;

function paint(into: Uint32Array, width: number, { x, y, ...mark }: CellsMark, left: number, top: number): void {
  const [x0, y0] = [Math.round((x - left) * finest), Math.round((y - top) * finest)];
  const [across, down] = [Math.round(mark.width * finest), Math.round(mark.height * finest)];
  for (let row = 0; row < down; row += 1) {
    const from = Math.floor((row / down) * mark.rows) * mark.columns;
    const to = (y0 + row) * width + x0;
    for (let column = 0; column < across; column += 1) into[to + column] = mark.pixels[from + Math.floor((column / across) * mark.columns)] ?? 0;
  }
}

/** The pictures as they are, or drawn into one where they have too many texels for a file of vectors. */
export function cellsTogether(cells: readonly CellsMark[]): readonly CellsMark[] {
  if (cells.reduce((sum, { columns, rows }) => sum + columns * rows, 0) <= mostTexels) return cells;
  const ends = cells.reduce(
    (all, { x, y, width, height }) => ({
      left: Math.min(all.left, x), top: Math.min(all.top, y), right: Math.max(all.right, x + width), bottom: Math.max(all.bottom, y + height),
    }),
    { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity },
  );
  // A pixel to spare: each picture is rounded on its own.
  const columns = Math.ceil((ends.right - ends.left) * finest) + 1;
  const rows = Math.ceil((ends.bottom - ends.top) * finest) + 1;
  const pixels = new Uint32Array(columns * rows);
  for (const mark of cells) paint(pixels, columns, mark, ends.left, ends.top);
  return [{ kind: "cells", x: ends.left, y: ends.top, width: columns / finest, height: rows / finest, columns, rows, pixels }];
}
