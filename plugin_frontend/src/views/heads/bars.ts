// Bars beside the numbers of a list of heads.
import { clamp } from "../../base/numbers";

/** How much of the longest bar a value is, from 0 to 1. */
export const shareOf = (value: number, longest: number): number => (longest > 0 && Number.isFinite(value) ? clamp(value / longest, 0, 1) : 0);

export const percentOf = (share: number): string => `${(100 * share).toFixed(1)}%`;
