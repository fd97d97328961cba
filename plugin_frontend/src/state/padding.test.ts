import { expect, it } from "vitest";
import { spanOf, tokenAxis } from "../base/axis";
import type { FocusData } from "../render/types";
import { withoutPaddingRows } from "./padding";

function data(mask: readonly number[], rows: readonly number[]): FocusData {
  const text = rows.map((_, i) => `t${i}`);
  const none = new Uint8Array();
  return {
    queries: rows.length,
    keys: 2,
    queryAxis: tokenAxis(rows.length),
    keyAxis: tokenAxis(2),
    pool: null,
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
