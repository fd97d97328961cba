// Sinks set aside: their columns are dropped, and each row is divided by what is left of it. The same as
// tb_llmdebug/stats/sinks.py, which is where the rules are explained. Runs in the worker too.
import { cellOf, type TokenAxis } from "../base/axis";

/** A row of which less is left is not blown up to a whole one: it says more of rounding than of the model. */
export const LEAST_REST = 0.01;

/** What is not in a map, and how much of each row it held. */
export interface Aside {
  /** Positions of the keys, ascending. */
  readonly positions: readonly number[];
  /** [rows], share of the row; NaN where a fault makes it unknown. null: not known yet. */
  readonly mass: Float32Array | null;
}

/** A map without some of its keys. */
export interface Rest {
  readonly keyAxis: TokenAxis;
  readonly values: Float32Array;
  readonly aside: Aside;
}

/** The keys that are left, as an axis. */
export function axisWithout(axis: TokenAxis, positions: readonly number[]): TokenAxis {
  const gone = new Set(positions);
  const chosen = Array.from({ length: axis.cells }, (_, i) => i).filter((key) => !gone.has(key));
  return { ...axis, chosen, cells: chosen.length };
}

/** Whether there is something to set aside, and it can be taken out: blocks cannot be taken apart. */
export function canSetAside({ block, chosen }: TokenAxis, positions: readonly number[]): boolean {
  return positions.length > 0 && block === 1 && chosen === null;
}

/** [rows, keys] without the keys at `positions`. */
export function restOf(values: Float32Array, rows: number, keyAxis: TokenAxis, positions: readonly number[], renormalise = true): Rest {
  const left = axisWithout(keyAxis, positions);
  const [before, after] = [keyAxis.cells, left.cells];
  const gone = positions.filter((key) => cellOf(keyAxis, key) !== null);
  // Between two that are gone: maps have millions of weights, and a run needs no look-up for each.
  const ends = [...gone, before];
  const rest = new Float32Array(rows * after);
  const mass = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const [from, to] = [row * before, row * after];
    let total = 0;
    for (let i = from; i < from + before; i += 1) total += values[i] ?? 0;
    let aside = 0;
    for (const key of gone) aside += values[from + key] ?? 0;
    mass[row] = Number.isFinite(total) ? (total > 0 ? aside / total : 0) : NaN;
    const scale = renormalise ? scaleOf(aside, total) : 1;
    let start = 0;
    let at = to;
    for (const end of ends) {
      for (let i = from + start; i < from + end; i += 1) rest[at++] = (values[i] ?? NaN) * scale;
      start = end + 1;
    }
  }
  return { keyAxis: left, values: rest, aside: { positions: gone, mass } };
}

function scaleOf(aside: number, total: number): number {
  // A fault stays one, and rows of zeros too.
  if (!Number.isFinite(total) || total <= 0) return 1;
  const left = 1 - aside / total;
  return left >= LEAST_REST ? 1 / left : 0;
}

export function samePositions(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((at, i) => at === b[i]));
}
