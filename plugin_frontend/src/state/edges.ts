// The edges that make up p % of each row: the fewest keys whose weights sum to that share. Pure.

export interface Edges {
  /** In percent. */
  readonly percent: number;
  /** [rows], how many keys make up the share. */
  readonly counts: Uint32Array;
  /** [rows, columns]: the weights of these edges, 0 for those left out. NaN and Inf stay. */
  readonly values: Float32Array;
}

/** Weights are sorted into buckets by their leading bits: 16 per power of two, from 2^-40 up to 2^8. */
const bucketShift = 19;
const firstBucket = (127 - 40) << 4;
const bucketCount = 48 << 4;
/** Share of a row. */
const rounding = 1e-6;

interface Scratch {
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  readonly picked: Float32Array;
}

/**
 * Of equal weights the earlier ones are taken first, so that the set is the smallest. A row with NaN or Inf is
 * left as it is, and so is one of zeros: it has no share to make up.
 */
export function strongestEdges(values: Float32Array, rows: number, columns: number, percent: number): Edges {
  const out = new Float32Array(values);
  const counts = new Uint32Array(rows);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const scratch = { sums: new Float64Array(bucketCount), counts: new Uint32Array(bucketCount), picked: new Float32Array(columns) };
  for (let row = 0; row < rows; row += 1) {
    const start = row * columns;
    const least = leastOf(values, bits, start, columns, percent / 100, scratch);
    counts[row] = least === null ? countAll(values, start, columns) : leaveOut(values, out, start, columns, least);
  }
  return { percent, counts, values: out };
}

/** The smallest weight that is still needed, and how many of exactly that weight. */
interface Least {
  readonly weight: number;
  readonly times: number;
}

function bucketOf(pattern: number): number {
  const bucket = (pattern >>> bucketShift) - firstBucket;
  return bucket < 0 ? 0 : bucket >= bucketCount ? bucketCount - 1 : bucket;
}

function leastOf(
  values: Float32Array,
  bits: Uint32Array,
  start: number,
  columns: number,
  share: number,
  { sums, counts, picked }: Scratch,
): Least | null {
  sums.fill(0);
  counts.fill(0);
  let total = 0;
  for (let i = start; i < start + columns; i += 1) {
    const value = values[i] ?? NaN;
    if (!(value > 0)) {
      if (Number.isNaN(value)) return null;
      continue;
    }
    const bucket = bucketOf(bits[i] ?? 0);
    sums[bucket] = (sums[bucket] ?? 0) + value;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    total += value;
  }
  if (!(total > 0) || total === Infinity) return null;
  // Sums of floats: what misses by rounding alone is not one more edge.
  const wanted = (share - rounding) * total;
  let before = 0;
  let at = bucketCount - 1;
  while (at > 0 && before + (sums[at] ?? 0) < wanted) {
    before += sums[at] ?? 0;
    at -= 1;
  }
  // Only the bucket in which the share is reached is sorted.
  let found = 0;
  for (let i = start; i < start + columns; i += 1) {
    const value = values[i] ?? 0;
    if (value > 0 && bucketOf(bits[i] ?? 0) === at) picked[found++] = value;
  }
  return lastNeeded(picked.subarray(0, found).sort(), wanted - before);
}

/** `ascending` weights are added from the largest on until they are `wanted`. */
function lastNeeded(ascending: Float32Array, wanted: number): Least {
  let sum = 0;
  let place = ascending.length - 1;
  for (; place > 0; place -= 1) {
    sum += ascending[place] ?? 0;
    if (sum >= wanted) break;
  }
  place = Math.max(0, place);
  const weight = ascending[place] ?? 0;
  let times = 0;
  for (let i = place; i < ascending.length && ascending[i] === weight; i += 1) times += 1;
  return { weight, times };
}

function leaveOut(values: Float32Array, out: Float32Array, start: number, columns: number, { weight, times }: Least): number {
  let kept = 0;
  let left = times;
  for (let i = start; i < start + columns; i += 1) {
    const value = values[i] ?? 0;
    if (value > weight) kept += 1;
    else if (value === weight && left > 0) {
      left -= 1;
      kept += 1;
    } else out[i] = 0;
  }
  return kept;
}

function countAll(values: Float32Array, start: number, columns: number): number {
  let count = 0;
  for (let i = start; i < start + columns; i += 1) if (values[i] !== 0) count += 1;
  return count;
}

/** B-A is shown where either of the two has an edge. `difference` has `columns` in a row. */
export function changedEdges(difference: Float32Array, columns: number, a: Edges, b: Edges): Edges {
  const values = new Float32Array(difference);
  const counts = new Uint32Array(a.counts.length);
  for (let row = 0; row < counts.length; row += 1) {
    let count = 0;
    for (let i = row * columns; i < (row + 1) * columns; i += 1) {
      if ((a.values[i] ?? 0) !== 0 || (b.values[i] ?? 0) !== 0) count += 1;
      else if (Number.isFinite(values[i])) values[i] = 0;
    }
    counts[row] = count;
  }
  return { percent: b.percent, counts, values };
}
