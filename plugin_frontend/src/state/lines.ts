// Which lines to draw over the running text for one token.
import type { Weights } from "./facts";

export interface Edge {
  /** The token at the other end. */
  readonly token: number;
  readonly weight: number;
}

export interface Edges {
  readonly edges: readonly Edge[];
  /** Share of the row (or column) that the drawn edges hold, of its total. */
  readonly mass: number;
  readonly peak: number;
}

const MOST_LINES = 24;
const ENOUGH_MASS = 0.95;

/** Where a query looks (its row), or who looks at a key (its column). */
export function weightsOfToken(weights: Weights, query: number | null, key: number | null): Float32Array | undefined {
  const { queries, keys, values } = weights;
  if (query !== null) {
    return query < queries ? values.subarray(query * keys, (query + 1) * keys) : undefined;
  }
  if (key === null || key >= keys) return undefined;
  return Float32Array.from({ length: queries }, (_, q) => values[q * keys + key] ?? 0);
}

/** The largest weights, until they make up nearly all of the sum or become too many to see. */
export function topEdges(row: Float32Array): Edges {
  const edges = Array.from(row, (weight, token) => ({ token, weight })).filter(
    (edge) => Number.isFinite(edge.weight) && edge.weight > 0,
  );
  const total = edges.reduce((sum, edge) => sum + edge.weight, 0);
  edges.sort((a, b) => b.weight - a.weight || a.token - b.token);
  const taken: Edge[] = [];
  let mass = 0;
  for (const edge of edges) {
    if (taken.length >= MOST_LINES || mass >= ENOUGH_MASS * total) break;
    taken.push(edge);
    mass += edge.weight;
  }
  return { edges: taken, mass: total > 0 ? mass / total : 0, peak: taken[0]?.weight ?? 0 };
}
