// Rows of padding at either end of a map: they look anywhere and mean nothing, and would be much of the
// picture.
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
  };
}
