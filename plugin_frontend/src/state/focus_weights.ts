// From what is stored of a head to what its large map shows: sinks set aside, the difference of two, and only
// the strongest edges of each row.
import { headDifference } from "../data/difference";
import { samePositions, type Aside } from "../data/sinks";
import type { HeadMap, HeadRef, Overview } from "../data/types";
import { setAside } from "./aside";
import { changedEdges, strongestEdges } from "./edges";
import { layerOf, usable, weightsFromThumb, type Weights } from "./facts";
import type { LensState } from "./lens";

/** What is loaded of one run at one step. */
export interface Loaded {
  readonly overview: Overview | undefined;
  readonly map: HeadMap | undefined;
}

function asideOf({ overview, map }: Loaded, { sinks }: LensState): readonly number[] {
  return sinks === "shown" || map === undefined ? [] : (layerOf(overview, map.layer)?.aside ?? []);
}

export function isOf(map: HeadMap | undefined, at: HeadRef | null): boolean {
  return at !== null && map?.layer === at.layer && map.head === at.head;
}

/** The map that is loaded, of whichever head; undefined where it failed. */
export function loadedWeights(side: Loaded, state: LensState): Weights | undefined {
  const weights = usable(side.map);
  if (weights === undefined) return undefined;
  const [positions, ready] = [asideOf(side, state), side.map?.ready];
  if (ready !== undefined && samePositions(ready.positions, positions)) return { ...weights, ...ready.rest };
  return setAside(weights, positions);
}

/** The weights of one head; undefined while only those of another one are here. */
export function headWeights(side: Loaded, at: HeadRef, state: LensState): Weights | undefined {
  return (isOf(side.map, at) ? loadedWeights(side, state) : undefined) ?? weightsFromThumb(side.overview, at);
}

/** Of A and B other keys would be set aside, so that rows would be divided by what is not the same. */
export function asideDiffers(b: Loaded, a: Loaded, state: LensState): boolean {
  return !samePositions(asideOf(a, state), asideOf(b, state));
}

/** A difference and its two sides. */
export interface Change {
  readonly change: Weights;
  readonly a: Weights;
  readonly b: Weights;
}

/** B-A, treated alike on both sides; undefined where the two cannot be subtracted. */
export function differenceWeights(b: Loaded, a: Loaded, state: LensState): Change | undefined {
  if (a.map === undefined || b.map === undefined || asideDiffers(b, a, state)) return undefined;
  const raw = headDifference(a.map, b.map);
  const [one, other] = [loadedWeights(a, state), loadedWeights(b, state)];
  if (raw === null || one === undefined || other === undefined) return undefined;
  if (other.aside === undefined) return { change: { ...other, values: raw }, a: one, b: other };
  const values = minus(other.values, one.values);
  return { change: { ...other, values, aside: asideChange(other.aside, one.aside) }, a: one, b: other };
}

function minus(b: Float32Array, a: Float32Array): Float32Array {
  const out = new Float32Array(b);
  for (let i = 0; i < out.length; i += 1) out[i] = (out[i] ?? NaN) - (a[i] ?? NaN);
  return out;
}

function asideChange(b: Aside, a: Aside | undefined): Aside {
  const mass = a?.mass === undefined || a.mass === null || b.mass === null ? null : minus(b.mass, a.mass);
  return { ...b, mass };
}

/** Marks the edges that make up the chosen share; blocks of weights have no edges to count. */
export function withEdges(weights: Weights, { mass }: LensState): Weights {
  if (mass >= 100 || weights.pool !== null) return weights;
  return { ...weights, edges: strongestEdges(weights.values, weights.queryAxis.cells, weights.keyAxis.cells, mass) };
}

/** The same of a difference: what either side has as an edge. */
export function withChangedEdges({ change, a, b }: Change, state: LensState): Weights {
  const [one, other] = [withEdges(a, state).edges, withEdges(b, state).edges];
  if (one === undefined || other === undefined) return change;
  return { ...change, edges: changedEdges(change.values, change.keyAxis.cells, one, other) };
}
