import { expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { measure, textsOf } from "../exports/testing";
import { defaultFocusOptions } from "../render/focus_options";
import type { FocusData } from "../render/types";
import { Store, type PanelSpec } from "../state/store";
import { focusEntry, paddingText } from "./exporting";

const size = 4;
const map: FocusData = {
  queries: size, keys: size, queryAxis: tokenAxis(size), keyAxis: tokenAxis(size), values: new Float32Array(size * size).fill(0.25),
  signed: false, pool: null, aside: null, edges: null, valueNorms: null, queryTokens: null, keyTokens: null, queryMask: null, keyMask: null, diagonal: null,
};
const panel: PanelSpec = { id: "run", side: "run", run: "run", wantedStep: 0, logged: true, record: undefined };

it.each([
  ["no mask", {}, false],
  ["a mask without padding", { queryMask: Uint8Array.of(1, 1, 1, 1), keyMask: Uint8Array.of(1, 1, 1, 1) }, false],
  ["padded keys", { keyMask: Uint8Array.of(0, 1, 1, 1) }, true],
  ["padded queries", { queryMask: Uint8Array.of(1, 1, 1, 0) }, true],
  ["both padded", { queryMask: Uint8Array.of(0, 1, 1, 1), keyMask: Uint8Array.of(0, 1, 1, 1) }, true],
])("of %s the figure says what is hatched as the page does, and hatches it", async (_, masks, padded) => {
  const data = { ...map, ...masks };
  expect(paddingText(data)).toEqual(padded ? ["hatched: padding"] : []);
  const shown = { data, options: defaultFocusOptions, view: () => null, lens: "" };
  const figure = await focusEntry(new Store(), { panel, against: undefined, caption: ["every weight"] }, { layer: 0, head: 1 }, shown).figure!(measure);
  const texts = textsOf(figure).join(" ");
  expect(texts).toContain("every weight");
  expect(texts.includes("hatched: padding")).toBe(padded);
  expect(figure.marks.some(({ kind }) => kind === "hatch")).toBe(padded);
});
