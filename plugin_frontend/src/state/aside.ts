// Sinks set aside: their columns are dropped, and each row is divided by what is left of it. The same as
// tb_llmdebug/stats/sinks.py, which is where the rules are explained.
import { cellOf, type TokenAxis } from "../base/axis";
import type { HeadRef, Overview } from "../data/types";
import type { Weights } from "./facts";

/** A row of which less is left is not blown up to a whole one: it says more of rounding than of the model. */
export const LEAST_REST = 0.01;

/** What is not in a map, and how much of each row it held. */
export interface Aside {
  /** Positions of the keys, ascending. */
  readonly positions: readonly number[];
  /** [rows], share of the row; NaN where a fault makes it unknown. null: not known yet. */
  readonly mass: Float32Array | null;
}

/** The keys that are left, as an axis. */
export function axisWithout(axis: TokenAxis, positions: readonly number[]): TokenAxis {
  const gone = new Set(positions);
  const chosen = Array.from({ length: axis.cells }, (_, i) => i).filter((key) => !gone.has(key));
  return { ...axis, chosen, cells: chosen.length };
}

/** The map without keys; itself where it is of blocks, which cannot be taken apart, or nothing is to go. */
export function setAside(weights: Weights, positions: readonly number[], renormalise = true): Weights {
  const { keyAxis, queryAxis, values, pool } = weights;
  if (pool !== null || positions.length === 0 || keyAxis.block > 1 || keyAxis.chosen !== null || weights.aside !== undefined) return weights;
  const left = axisWithout(keyAxis, positions);
  const [rows, before, after] = [queryAxis.cells, keyAxis.cells, left.cells];
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
  return { ...weights, keyAxis: left, values: rest, aside: { positions: gone, mass } };
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

/** Share of the weight that is not in a head's thumbnail; undefined where all of it is, or it is not known. */
export function asideShare(overview: Overview | null | undefined, { layer, head }: HeadRef): number | undefined {
  const found = overview?.layers.find((one) => one.layer === layer);
  const share = found?.asideMass[found.heads.indexOf(head)] ?? NaN;
  return Number.isNaN(share) ? undefined : share;
}

/** Mean over all heads; undefined where nothing was set aside. */
export function meanAsideShare(overview: Overview): number | undefined {
  const shares = overview.layers.flatMap((layer) => [...layer.asideMass]).filter((share) => !Number.isNaN(share));
  return shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** Special tokens are among what was set aside, not only the first key. */
export function hasAsideSpecial(overview: Overview): boolean {
  return overview.layers.some(({ aside }) => aside.length > 1 || aside.some((key) => overview.keyTokens?.special[key] === 1));
}
