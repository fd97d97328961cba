// One axis of a map, and what its cells stand for: one token each, a block of neighbours, or only the
// positions that were chosen.

export interface TokenAxis {
  /** Positions in the text. */
  readonly size: number;
  /** The positions that were looked at, ascending; null = all. */
  readonly chosen: readonly number[] | null;
  /** Positions (of those looked at) in one cell. */
  readonly block: number;
  /** Cells that are left out at the beginning. */
  readonly from: number;
  readonly cells: number;
}

/** Positions `first` to `last`, both included; `count` of them were looked at. */
export interface TokenSpan {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

export function tokenAxis(size: number, block = 1, chosen: readonly number[] | null = null): TokenAxis {
  const some = chosen === null || chosen.length === 0 ? null : chosen;
  return { size, chosen: some, block: Math.max(1, block), from: 0, cells: Math.ceil((some?.length ?? size) / Math.max(1, block)) };
}

/** The cells from `start` up to `end`. */
export function sliceAxis(axis: TokenAxis, start: number, end: number): TokenAxis {
  return { ...axis, from: axis.from + start, cells: end - start };
}

/** The last block may be shorter than the others. */
export function spanOf({ size, chosen, block, from }: TokenAxis, cell: number): TokenSpan {
  const start = (from + cell) * block;
  const end = Math.min(start + block, chosen?.length ?? size);
  return { first: chosen?.[start] ?? start, last: chosen?.[end - 1] ?? end - 1, count: end - start };
}

/** The cell in which a position is; null if it was not looked at, or is left out. */
export function cellOf({ size, chosen, block, from, cells }: TokenAxis, position: number): number | null {
  const place = chosen === null ? (position >= 0 && position < size ? position : -1) : placeIn(chosen, position);
  const cell = Math.floor(place / block) - from;
  return cell < 0 || cell >= cells ? null : cell;
}

/** How many cells begin at `position` or before it. */
export function cellsUpTo(axis: TokenAxis, position: number): number {
  const { chosen, block, from, cells } = axis;
  const before = chosen === null ? position + 1 : countUpTo(chosen, position);
  return Math.min(cells, Math.max(0, Math.ceil(before / block) - from));
}

function countUpTo(ascending: readonly number[], wanted: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? Infinity) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a few positions were chosen out of many, so that neighbouring cells are far apart. */
export function isSparse({ chosen, size }: TokenAxis): boolean {
  return chosen !== null && 2 * chosen.length < size;
}

function placeIn(ascending: readonly number[], wanted: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const here = ascending[middle] ?? Infinity;
    if (here === wanted) return middle;
    if (here < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** A mask of positions as one of cells: 1 where any position of the cell is real. */
export function cellMask(axis: TokenAxis, mask: Uint8Array | null): Uint8Array | null {
  if (mask?.length !== axis.size) return null;
  return Uint8Array.from({ length: axis.cells }, (_, cell) => {
    const start = (axis.from + cell) * axis.block;
    const end = Math.min(start + axis.block, axis.chosen?.length ?? axis.size);
    for (let place = start; place < end; place += 1) if (mask[axis.chosen?.[place] ?? place] !== 0) return 1;
    return 0;
  });
}

/** Whether two axes have the same cells. */
export function sameAxis(a: TokenAxis, b: TokenAxis): boolean {
  const places = a.chosen === b.chosen || (a.chosen?.length === b.chosen?.length && a.chosen?.every((at, i) => at === b.chosen?.[i]) === true);
  return a.size === b.size && a.block === b.block && a.from === b.from && a.cells === b.cells && places;
}

/** "128" or "128–159". */
export function spanText({ first, last }: TokenSpan): string {
  return first === last ? String(first) : `${first}–${last}`;
}
