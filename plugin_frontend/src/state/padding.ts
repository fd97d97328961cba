// Rows of padding at either end of a map: they look anywhere and mean nothing, and would be much of the
// picture.
import type { TokenList } from "../data/types";
import type { FocusData } from "../render/types";

function isPlain({ values, keys }: FocusData, row: number): boolean {
  for (let i = row * keys; i < (row + 1) * keys; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function sliceTokens(tokens: TokenList | null, start: number, end: number): TokenList | null {
  if (tokens === null) return null;
  return {
    text: tokens.text.slice(start, end),
    ids: tokens.ids.slice(start, end),
    special: tokens.special.subarray(start, end),
    part: tokens.part.subarray(start, end),
    parts: tokens.parts.subarray(start, end),
  };
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
    firstQuery: data.firstQuery + start,
    values: data.values.subarray(start * keys, end * keys),
    queryTokens: sliceTokens(data.queryTokens, start, end),
    queryMask: mask.subarray(start, end),
  };
}
