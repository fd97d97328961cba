// Padding at either end of a map. Its rows look anywhere and mean nothing, its columns hold nothing; in a batch
// with one long text they would be most of the picture of every other.
import { sliceAxis } from "../base/axis";
import type { FocusData } from "../render/types";

function isPlain({ values, keys }: FocusData, row: number): boolean {
  for (let i = row * keys; i < (row + 1) * keys; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** The map without those rows. A row with a fault in it stays, and so does a map of nothing but padding. */
export function withoutPaddingRows(data: FocusData): FocusData {
  const { queryMask: mask, queries, keys } = data;
  if (mask?.length !== queries) return data;
  let start = 0;
  let end = queries;
  while (start < end && mask[start] === 0 && isPlain(data, start)) start += 1;
  while (end > start && mask[end - 1] === 0 && isPlain(data, end - 1)) end -= 1;
  if (end - start === queries || start === end) return data;
  return {
    ...data,
    queries: end - start,
    queryAxis: sliceAxis(data.queryAxis, start, end),
    values: data.values.subarray(start * keys, end * keys),
    queryMask: mask.subarray(start, end),
    aside: data.aside === null ? null : { ...data.aside, mass: data.aside.mass?.subarray(start, end) ?? null },
    edges:
      data.edges === null
        ? null
        : { ...data.edges, counts: data.edges.counts.subarray(start, end), all: data.edges.all.subarray(start * keys, end * keys) },
  };
}

function holdsNothing({ values, keys, queries }: FocusData, key: number): boolean {
  for (let row = 0; row < queries; row++) if (values[row * keys + key] !== 0) return false;
  return true;
}

function columns(values: Float32Array, rows: number, before: number, start: number, end: number): Float32Array {
  const kept = new Float32Array(rows * (end - start));
  for (let row = 0; row < rows; row++) kept.set(values.subarray(row * before + start, row * before + end), row * (end - start));
  return kept;
}

/**
 * The map without the columns of padding at both ends, as far as no row has any weight there: what looks at
 * padding is a mistake, and has to be seen.
 */
export function withoutPaddingKeys(data: FocusData): FocusData {
  const { keyMask: mask, keys, queries } = data;
  if (mask?.length !== keys) return data;
  let start = 0;
  let end = keys;
  while (start < end && mask[start] === 0 && holdsNothing(data, start)) start += 1;
  while (end > start && mask[end - 1] === 0 && holdsNothing(data, end - 1)) end -= 1;
  if (end - start === keys || start === end) return data;
  const { edges } = data;
  const values = columns(data.values, queries, keys, start, end);
  return {
    ...data,
    keys: end - start,
    keyAxis: sliceAxis(data.keyAxis, start, end),
    values,
    keyMask: mask.subarray(start, end),
    edges: edges === null ? null : { ...edges, all: edges.all === data.values ? values : columns(edges.all, queries, keys, start, end) },
  };
}
