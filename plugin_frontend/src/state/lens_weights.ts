// The map that stands beside the raw weights: the same keys set aside, nothing else the same.
import { leastAndMost } from "../base/numbers";
import type { LensData } from "../data/lens";
import { setAside } from "./aside";
import type { Weights } from "./facts";

/** Weight times norm of the value: a_ij |v_j|; undefined where values were not logged. The same as stats/lenses.py. */
export function valueWeighted(raw: Weights): Weights | undefined {
  const { valueNorms, values, keyAxis } = raw;
  if (valueNorms === null || raw.pool !== null) return undefined;
  const keys = keyAxis.cells;
  return { ...raw, values: values.map((weight, i) => weight * (valueNorms[i % keys] ?? NaN)), valueNorms: null };
}

/** What the server computed, on the axes of the raw map; undefined where it is of another shape. */
export function onAxesOf(raw: Weights, data: LensData): Weights | undefined {
  const { queryAxis, keyAxis } = raw;
  if (data.rows !== queryAxis.cells || data.keys !== keyAxis.cells) return undefined;
  return { queryAxis, keyAxis, values: data.values, pool: null, valueNorms: null };
}

/** Whether two means are over the same texts: else their difference would not be learning. */
export function sameTexts(a: LensData | undefined, b: LensData | undefined): boolean {
  return a === undefined || b === undefined || a.inputs === b.inputs;
}

/** Sinks set aside as in the raw map. Products with norms stay what they are: their rows are not shares. */
export function likeRaw(weights: Weights, positions: readonly number[], shares: boolean): Weights {
  return setAside(weights, positions, shares);
}

/** Rows that fewer examples have than others: [least, most], of rows that any has. */
export function countsRange(counts: readonly number[]): readonly [number, number] {
  const some = counts.filter((count) => count > 0);
  return some.length === 0 ? [0, 0] : leastAndMost(some);
}
