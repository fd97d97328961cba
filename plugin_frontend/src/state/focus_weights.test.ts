import { expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { restOf } from "../data/sinks";
import type { HeadMap, Overview } from "../data/types";
import { loadedWeights } from "./focus_weights";
import { DEFAULT_LENS } from "./lens";

const axis = tokenAxis(3);
const values = Float32Array.from([0.5, 0.25, 0.25, 0.75, 0, 0.25]);
const ready = { positions: [0], rest: restOf(values, 2, axis, [0]) };
const map = { ref: { series: "s", ordinal: 0, example: 0 }, layer: 1, head: 2, error: null, queryAxis: tokenAxis(2), keyAxis: axis, values, pool: null, valueNorms: null, ready } as unknown as HeadMap;
const overview = (...aside: number[]): Overview => ({ layers: [{ layer: 1, heads: [2], aside }] }) as unknown as Overview;

it("takes what was made ready without these keys, and sets others aside itself", () => {
  const shown = loadedWeights({ overview: overview(0), map }, DEFAULT_LENS);
  expect(shown?.values).toBe(ready.rest.values);
  expect([shown?.keyAxis.cells, shown?.aside?.positions, [...(shown?.aside?.mass ?? [])]]).toEqual([2, [0], [0.5, 0.75]]);
  const other = loadedWeights({ overview: overview(2), map }, DEFAULT_LENS);
  expect([other?.aside?.positions, [...(other?.values ?? [])]]).toEqual([[2], [...restOf(values, 2, axis, [2]).values]]);
  expect(loadedWeights({ overview: overview(0), map }, { ...DEFAULT_LENS, sinks: "shown" })?.values).toBe(values);
});
