// Which lines to draw over the running text for one token.
import { cellOf, spanOf, type TokenAxis } from "../base/axis";
import type { Weights } from "./facts";

export interface Edge {
  /** The tokens at the other end: one, or a block of neighbours. */
  readonly first: number;
  readonly last: number;
  readonly weight: number;
}

export interface DrawnEdges {
  readonly edges: readonly Edge[];
  /** Cells of the row (or column). */
  readonly cells: number;
  /** Share of the row (or column) that the drawn edges hold, of its total. */
  readonly mass: number;
  readonly peak: number;
}

/** A row or a column of a map, and what its cells stand for. */
export interface Line {
  readonly values: Float32Array;
  readonly axis: TokenAxis;
  /** Sum of the whole row or column where `values` are only the edges to be drawn; null where they are all. */
  readonly total: number | null;
}

const MOST_LINES = 24;
const ENOUGH_MASS = 0.95;

/** Where a query looks (its row), or who looks at a key (its column); undefined where that is not in the map. */
export function lineOfToken(weights: Weights, query: number | null, key: number | null): Line | undefined {
  const { queryAxis, keyAxis, values, edges } = weights;
  const keys = keyAxis.cells;
  const row = query === null ? null : cellOf(queryAxis, query);
  const column = query !== null || key === null ? null : cellOf(keyAxis, key);
  if (row === null && column === null) return undefined;
  const line = (from: Float32Array): Float32Array =>
    row !== null
      ? from.subarray(row * keys, (row + 1) * keys)
      : Float32Array.from({ length: queryAxis.cells }, (_, at) => from[at * keys + (column ?? 0)] ?? 0);
  const axis = row !== null ? keyAxis : queryAxis;
  return edges === undefined
    ? { values: line(values), axis, total: null }
    : { values: line(edges.values), axis, total: sumOf(line(values)) };
}

/**
 * The largest weights, until they make up nearly all of the sum or become too many to see; where edges were
 * chosen, all of these.
 */
export function topEdges({ values, axis, total: whole }: Line): DrawnEdges {
  const places = largestPlaces(values);
  const total = whole ?? sumOf(values);
  const edges: Edge[] = [];
  let mass = 0;
  for (const place of places) {
    if (whole === null && mass >= ENOUGH_MASS * total) break;
    const weight = values[place] ?? 0;
    const { first, last } = spanOf(axis, place);
    edges.push({ first, last, weight });
    mass += weight;
  }
  return { edges, cells: values.length, mass: total > 0 ? mass / total : 0, peak: edges[0]?.weight ?? 0 };
}

function counts(weight: number): boolean {
  return weight > 0 && weight !== Infinity;
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    const weight = values[i] ?? 0;
    if (counts(weight)) sum += weight;
  }
  return sum;
}

/** Largest first; of equal ones the earlier first. A row of a long context is not sorted whole. */
function largestPlaces(values: Float32Array): number[] {
  const places: number[] = [];
  for (let i = 0; i < values.length; i += 1) {
    const weight = values[i] ?? 0;
    if (!counts(weight)) continue;
    if (places.length === MOST_LINES && weight <= (values[places[MOST_LINES - 1] ?? 0] ?? 0)) continue;
    let at = places.length;
    while (at > 0 && (values[places[at - 1] ?? 0] ?? 0) < weight) at -= 1;
    places.splice(at, 0, i);
    if (places.length > MOST_LINES) places.pop();
  }
  return places;
}
