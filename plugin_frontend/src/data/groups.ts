// Grouped-query attention: which heads share their keys and values.
import type { OverviewLayer } from "./types";

export type Grouping = Pick<OverviewLayer, "heads" | "keyValueHeads" | "ofHeads">;

/** How many heads share one key-value head; 1 = none do, or it is not known. */
export function groupSize({ heads, keyValueHeads, ofHeads }: Grouping): number {
  // Logs from before the number was kept: the heads are all there are if they are numbered so.
  const all = ofHeads > 0 ? ofHeads : heads.every((head, place) => head === place) ? heads.length : 0;
  return keyValueHeads > 0 && keyValueHeads < all && all % keyValueHeads === 0 ? all / keyValueHeads : 1;
}

/** The heads, kept or not, that share keys and values with `head`, itself included; [] if it has its own. */
export function sharersOf(layer: Grouping, head: number): number[] {
  const size = groupSize(layer);
  const first = Math.floor(head / size) * size;
  return size === 1 ? [] : Array.from({ length: size }, (_, i) => first + i);
}

/** Runs of neighbouring columns that belong to one group: [first, last] places in `heads`. */
export function groupRuns(layer: Grouping): [number, number][] {
  const size = groupSize(layer);
  if (size === 1) return [];
  const runs: [number, number][] = [];
  layer.heads.forEach((head, place) => {
    const last = runs[runs.length - 1];
    const before = layer.heads[place - 1];
    if (last !== undefined && before !== undefined && Math.floor(before / size) === Math.floor(head / size)) last[1] = place;
    else runs.push([place, place]);
  });
  return runs;
}
