// What is known of a head's most similar one, and the order of the most redundant heads.
import { ranksOf } from "../base/numbers";
import { headName } from "../data/heads";
import type { SimilarData, SimilarHeadInfo } from "../data/similar";
import type { HeadRef, Overview } from "../data/types";

/** Pairs of heads times weights of a map, from which on the server takes a second: then it is asked for first. */
export const LARGE_WORK = 2 ** 32;

export type SimilarFact =
  | { readonly kind: "known"; readonly other: HeadRef; readonly distance: number; readonly belowFloor: boolean }
  /** No head of equal shape with a row to compare. */
  | { readonly kind: "alone" }
  /** Its weights were not stored one by one. */
  | { readonly kind: "blocks" }
  | { readonly kind: "failed"; readonly reason: string };

export function similarFact({ error, heads }: SimilarData, at: HeadRef): SimilarFact {
  if (error !== null) return { kind: "failed", reason: error };
  const found = heads.get(headName(at));
  if (found === undefined) return { kind: "blocks" };
  const { other, distance, belowFloor } = found;
  return other === null ? { kind: "alone" } : { kind: "known", other, distance, belowFloor };
}

/** Heads whose weights were stored, and the work of comparing each with each. */
export function similarWork({ layers }: Overview): { readonly heads: number; readonly work: number } {
  const whole = layers.filter(({ keptRows, keptKeys }) => keptRows * keptKeys === 1);
  const heads = whole.reduce((sum, layer) => sum + layer.heads.length, 0);
  const weights = whole.reduce((most, { queries, rows, keys }) => Math.max(most, (rows.length || queries) * keys), 0);
  return { heads, work: heads * heads * weights };
}

export interface AlikeHead extends SimilarHeadInfo {
  readonly other: HeadRef;
  /** 1 = the most redundant; heads of equal distance share one. */
  readonly rank: number;
}

/** The heads that have a similar one, the most alike first. */
export function mostAlike({ heads }: SimilarData): AlikeHead[] {
  const known = [...heads.values()].flatMap((one) => (one.other === null ? [] : [{ ...one, other: one.other }]));
  known.sort((a, b) => a.distance - b.distance || a.layer - b.layer || a.head - b.head);
  const ranks = ranksOf(known.map(({ distance }) => distance));
  return known.map((one, i) => ({ ...one, rank: ranks[i] ?? NaN }));
}
