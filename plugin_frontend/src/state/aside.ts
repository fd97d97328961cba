// Sinks set aside, on what the page holds.
import { canSetAside, restOf } from "../data/sinks";
import type { HeadRef, Overview } from "../data/types";
import type { Weights } from "./facts";

/** The map without keys; itself where it is of blocks, or nothing is to go. */
export function setAside(weights: Weights, positions: readonly number[], renormalise = true): Weights {
  const { keyAxis, queryAxis, values, pool, aside } = weights;
  if (pool !== null || aside !== undefined || !canSetAside(keyAxis, positions)) return weights;
  return { ...weights, ...restOf(values, queryAxis.cells, keyAxis, positions, renormalise) };
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
