import { expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { defaultFocusOptions } from "../render/focus_options";
import type { FocusData } from "../render/types";
import type { Figure, Mark } from "./figure";
import { focusFigure } from "./figure_focus";

const size = 4;
const map: FocusData = {
  queries: size, keys: size, queryAxis: tokenAxis(size), keyAxis: tokenAxis(size), values: new Float32Array(size * size).fill(0.001),
  signed: true, pool: null, aside: null, edges: null, valueNorms: null, queryTokens: null, keyTokens: null, queryMask: null, keyMask: null, diagonal: null,
};

function hatched(data: FocusData, belowFloor: boolean): Extract<Mark, { kind: "hatch" }>[] {
  const heading = { title: "", subtitle: "", caption: "" };
  const figure: Figure = focusFigure({ data, options: { ...defaultFocusOptions, belowFloor }, view: null, heading, scale: "" }, (text) => text.length);
  return figure.marks.flatMap((mark) => (mark.kind === "hatch" ? [mark] : []));
}

it("hatches all of a difference that storing alone could have made, so that it is seen through", () => {
  expect(hatched(map, false)).toEqual([]);
  const [all, ...rest] = hatched(map, true);
  expect(rest).toEqual([]);
  expect(all?.ground).toBeNull();
  // Square cells, all of them.
  expect(all?.width).toBeCloseTo(all?.height ?? 0);
  expect(all?.width).toBeGreaterThan(size * 4);
});

it("hatches padding on a ground that makes it pale", () => {
  const padded = { ...map, keyMask: Uint8Array.of(0, 1, 1, 1) };
  expect(hatched(padded, false).map(({ ground }) => ground === null)).toEqual([false]);
  expect(hatched(padded, true).map(({ ground }) => ground === null)).toEqual([false, true]);
});
