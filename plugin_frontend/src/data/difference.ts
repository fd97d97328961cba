import { sameAxis } from "../base/axis";
import type { HeadMap, Overview, OverviewLayer } from "./types";

/** What keeps two maps from being subtracted. */
export type Obstacle = "failed" | "size" | "rows" | "blocks" | "pool";

/** Why B-A of two heads means nothing; null when it does. */
export function obstacleOf(a: HeadMap, b: HeadMap): Obstacle | null {
  if (a.error !== null || b.error !== null) return "failed";
  if (a.queryAxis.size !== b.queryAxis.size || a.keyAxis.size !== b.keyAxis.size) return "size";
  if (a.queryAxis.block !== b.queryAxis.block || a.keyAxis.block !== b.keyAxis.block) return "blocks";
  if (!sameAxis(a.queryAxis, b.queryAxis) || !sameAxis(a.keyAxis, b.keyAxis)) return "rows";
  return a.pool === b.pool ? null : "pool";
}

/** Whether texels of the same place stand for the same weights. */
export function sameTexels(a: OverviewLayer, b: OverviewLayer): boolean {
  const blocks = a.pooled === b.pooled && a.pooledRows === b.pooledRows;
  const rows = a.rows === b.rows || (a.rows.length === b.rows.length && a.rows.every((row, i) => row === b.rows[i]));
  return blocks && rows && a.thumbRows === b.thumbRows && a.thumbCols === b.thumbCols;
}

/** B-A cell by cell; null when the cells of the two do not stand for the same. */
export function headDifference(a: HeadMap, b: HeadMap): Float32Array | null {
  if (obstacleOf(a, b) !== null) return null;
  const out = new Float32Array(b.values);
  for (let i = 0; i < out.length; i += 1) out[i] = (out[i] ?? NaN) - (a.values[i] ?? NaN);
  return out;
}

/** The largest |B-A| over all thumbnails that both have, 0 if there are none: a scale to lock. */
export function largestDifference(a: Overview, b: Overview): number {
  let largest = 0;
  for (const layerA of a.layers) {
    const layerB = b.layers.find((layer) => layer.layer === layerA.layer);
    const thumbsA = layerA.thumbs;
    const thumbsB = layerB?.thumbs;
    if (layerB === undefined || thumbsA === null || thumbsB === null || thumbsB === undefined) continue;
    if (!sameTexels(layerA, layerB)) continue;
    const size = layerA.thumbRows * layerA.thumbCols;
    const weightsA = levels(layerA.thumbPeak);
    const weightsB = levels(layerB.thumbPeak);
    layerA.heads.forEach((head, place) => {
      const placeB = layerB.heads.indexOf(head);
      if (placeB < 0) return;
      const headA = thumbsA.subarray(place * size, (place + 1) * size);
      const headB = thumbsB.subarray(placeB * size, (placeB + 1) * size);
      largest = Math.max(largest, largestOf(headA, weightsA, headB, weightsB));
    });
  }
  return largest;
}

function largestOf(a: Uint8Array, weightsA: Float32Array, b: Uint8Array, weightsB: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = (weightsB[b[i] ?? 0] ?? 0) - (weightsA[a[i] ?? 0] ?? 0);
    if (difference > largest) largest = difference;
    else if (-difference > largest) largest = -difference;
  }
  return largest;
}

function levels(peak: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, q) => peak * (q / 255) ** 2);
}
