// How far a head of B is from the same head of A, and whether that says anything.
import type { ComparisonInfo, HeadRef } from "./types";

export interface HeadDistance {
  readonly distance: number;
  /** The codec alone could have made the difference. */
  readonly belowFloor: boolean;
}

/** A codec that loses nothing has the floor 0: then also "no difference" is known. */
export const isBelowFloor = (distance: number, floor: number): boolean => distance < floor;

/** A head's distance, or null if it was not compared. */
export function distanceOf(comparison: ComparisonInfo | null, { layer, head }: HeadRef): HeadDistance | null {
  const found = comparison?.layers.find((one) => one.layer === layer);
  const distance = found?.distance[found.heads.indexOf(head)];
  if (found === undefined || distance === undefined) return null;
  return { distance, belowFloor: isBelowFloor(distance, found.floor) };
}
