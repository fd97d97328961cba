import { expect, it } from "vitest";
import { spanOf, tokenAxis } from "../base/axis";
import type { FocusData } from "../render/types";
import { withoutPaddingKeys, withoutPaddingRows } from "./padding";

function data(mask: readonly number[], rows: readonly number[]): FocusData {
  const text = rows.map((_, i) => `t${i}`);
  const none = new Uint8Array();
  return {
    queries: rows.length,
    keys: 2,
    queryAxis: tokenAxis(rows.length),
    keyAxis: tokenAxis(2),
    pool: null,
    aside: null,
    edges: null,
    valueNorms: null,
    values: Float32Array.from(rows.flatMap((row) => [row, row])),
    signed: false,
    queryTokens: { text, ids: [], special: none, part: none, parts: none },
    keyTokens: null,
    queryMask: Uint8Array.from(mask),
    keyMask: null,
    diagonal: 0,
  };
}

it("takes rows of padding off both ends, and keeps those inside", () => {
  const cut = withoutPaddingRows(data([0, 0, 1, 0, 1, 0], [9, 9, 0.1, 9, 0.2, 9]));
  expect(cut.queries).toBe(3);
  expect(spanOf(cut.queryAxis, 0).first).toBe(2);
  expect([...cut.values]).toEqual([...Float32Array.of(0.1, 0.1, 9, 9, 0.2, 0.2)]);
  expect([...(cut.queryMask ?? [])]).toEqual([1, 0, 1]);
});

it("keeps a fault in padding, and a map in which all is padding", () => {
  const cut = withoutPaddingRows(data([0, 0, 1], [9, NaN, 0.5]));
  expect([cut.queries, spanOf(cut.queryAxis, 0).first]).toEqual([2, 1]);
  const all = data([0, 0], [1, 1]);
  expect(withoutPaddingRows(all)).toBe(all);
});

it("leaves a mask of another length alone", () => {
  const odd = data([0, 1], [1, 1, 1]);
  expect(withoutPaddingRows(odd)).toBe(odd);
});

/** Two rows over these columns, all of them keys of a text. */
function wide(mask: readonly number[], row: readonly number[]): FocusData {
  const keys = mask.length;
  const base = data([1, 1], [0, 0]);
  return { ...base, keys, keyAxis: tokenAxis(keys), keyMask: Uint8Array.from(mask), values: Float32Array.from([...row, ...row.map((one) => one / 2)]) };
}

it("takes columns of padding without weight off both ends, and keeps those inside", () => {
  const cut = withoutPaddingKeys(wide([0, 0, 1, 0, 1, 0], [0, 0, 0.5, 0, 0.25, 0]));
  expect([cut.keys, spanOf(cut.keyAxis, 0).first]).toEqual([3, 2]);
  expect([...cut.values]).toEqual([0.5, 0, 0.25, 0.25, 0, 0.125]);
  expect([...(cut.keyMask ?? [])]).toEqual([1, 0, 1]);
});

it("keeps a column of padding with weight on it, or with a fault", () => {
  expect(withoutPaddingKeys(wide([0, 0, 1], [0, 0.25, 0.75])).keys).toBe(2);
  expect(withoutPaddingKeys(wide([0, 0, 1], [NaN, 0, 1])).keys).toBe(3);
  const all = wide([0, 0], [0, 0]);
  expect(withoutPaddingKeys(all)).toBe(all);
});

it("takes the same columns off all edges as off those that are drawn", () => {
  const whole = wide([0, 1, 1], [0, 0.75, 0]);
  const all = Float32Array.of(0, 0.75, 0.25, 0, 0.5, 0.5);
  const cut = withoutPaddingKeys({ ...whole, edges: { percent: 50, counts: Uint32Array.of(1, 1), all } });
  expect([...(cut.edges?.all ?? [])]).toEqual([0.75, 0.25, 0.5, 0.5]);
});
