// From a run's values to the heights of one head's curve; on screen and in a figure alike.

/** One run's curves. */
export interface SparkRun {
  readonly colour: string;
  /** Ascending. */
  readonly steps: readonly number[];
  /** Which records these are. */
  readonly ordinals: readonly number[];
  readonly values: Float32Array;
  /** Place of each head by "layer.head", and how many there are. */
  readonly places: ReadonlyMap<string, number>;
  /** Column of the statistic, -1 = this run has none, and how many there are. */
  readonly column: number;
  readonly columns: number;
}

/** 0 to 1; a single step stands in the middle. */
export const stepShare = (step: number, first: number, last: number): number =>
  last > first ? (step - first) / (last - first) : 0.5;

export interface Heights {
  readonly low: number;
  readonly high: number;
  /** Where `low` is drawn, and how far above it `high` is. */
  readonly bottom: number;
  readonly height: number;
}

/** Fills in the height of a head's curve at each step of the run; false where the run has no such curve. */
export function curveHeights(ys: Float32Array, run: SparkRun, head: string, { low, high, bottom, height }: Heights): boolean {
  const place = run.places.get(head);
  if (place === undefined || run.column < 0) return false;
  const scale = height / (high - low);
  const stride = run.places.size * run.columns;
  const offset = place * run.columns + run.column;
  for (let i = 0; i < ys.length; i += 1) {
    const value = run.values[(run.ordinals[i] ?? 0) * stride + offset] ?? NaN;
    ys[i] = bottom - ((value < low ? low : value > high ? high : value) - low) * scale;
  }
  return true;
}
