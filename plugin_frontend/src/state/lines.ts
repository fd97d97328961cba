// Which lines to draw over the running text for one token.
import { cellOf, spanOf, type TokenAxis } from "../base/axis";
import type { Weights } from "./facts";

export interface Edge {
  /** The tokens at the other end: one, or a block of neighbours. */
  readonly first: number;
  readonly last: number;
  readonly weight: number;
}

export interface Edges {
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
}

const MOST_LINES = 24;
const ENOUGH_MASS = 0.95;

/** Where a query looks (its row), or who looks at a key (its column); undefined where that is not in the map. */
export function lineOfToken(weights: Weights, query: number | null, key: number | null): Line | undefined {
  const { queryAxis, keyAxis, values } = weights;
  const keys = keyAxis.cells;
  if (query !== null) {
    const row = cellOf(queryAxis, query);
    return row === null ? undefined : { values: values.subarray(row * keys, (row + 1) * keys), axis: keyAxis };
  }
  const column = key === null ? null : cellOf(keyAxis, key);
  if (column === null) return undefined;
  return { values: Float32Array.from({ length: queryAxis.cells }, (_, row) => values[row * keys + column] ?? 0), axis: queryAxis };
}

/** The largest weights, until they make up nearly all of the sum or become too many to see. */
export function topEdges({ values, axis }: Line): Edges {
  const places = largestPlaces(values);
  const total = sumOf(values);
  const edges: Edge[] = [];
  let mass = 0;
  for (const place of places) {
    if (mass >= ENOUGH_MASS * total) break;
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
