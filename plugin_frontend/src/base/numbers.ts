export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** Place of the last entry of an ascending list that is not above `value`, or -1. */
export function lastAtOrBefore(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Ranks of values that stand in their order: 1 = the first; equal ones share one. */
export function ranksOf(ordered: readonly number[]): number[] {
  let rank = 0;
  return ordered.map((value, i) => {
    if (i === 0 || ordered[i - 1] !== value) rank = i + 1;
    return rank;
  });
}

/** The least and the greatest of any number of values: as arguments of a call, 120,000 of them are too many. */
export function leastAndMost(values: ArrayLike<number>): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    // NaN stays NaN, as in Math.min and Math.max.
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
