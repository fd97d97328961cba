import type { HeadMap, Overview } from "./types";

/** B-A weight by weight; null when the two have no common shape. */
export function headDifference(a: HeadMap, b: HeadMap): Float32Array | null {
  if (a.error !== null || b.error !== null || a.queries !== b.queries || a.keys !== b.keys) return null;
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
    if (layerA.thumbRows !== layerB.thumbRows || layerA.thumbCols !== layerB.thumbCols) continue;
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
