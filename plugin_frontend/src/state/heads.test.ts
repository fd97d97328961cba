import { describe, expect, it } from "vitest";
import { Gap, headsPart, joined, placesOf, type ChangesData, type HeadsData, type LayerHeads } from "../data/heads";
import {
  DEFAULT_HEADS,
  extentOf,
  headRows,
  matchedHeads,
  mostChanged,
  ordinalsByStep,
  rankedHeads,
  readHeads,
  valueAtStep,
  writeHeads,
  type RunHeads,
  withoutMatch,
} from "./heads";
import { series } from "./testing";

const LAYERS: readonly LayerHeads[] = [{ layer: 0, label: "", heads: [0, 1] }, { layer: 2, label: "", heads: [0] }];

function data(steps: number[], values: number[], layers = LAYERS, names = ["entropy"]): HeadsData {
  return {
    series: "s", example: 0, count: steps.length, steps, names, layers, places: placesOf(layers),
    values: Float32Array.from(values), spreads: null, gaps: new Uint8Array(steps.length), problems: [],
  };
}

function run(steps: number[], values: number[], workers: number[] = []): RunHeads {
  return { run: "a", series: series({ steps, workers }), data: data(steps, values), names: ["entropy"] };
}

describe("the part of the URL", () => {
  it("brings everything back and holds only what is not the default", () => {
    expect(writeHeads(DEFAULT_HEADS)).toBeNull();
    const state = { ...DEFAULT_HEADS, x: { statistic: "row_sum_error", moment: "b" }, other: 0, top: 100 } as const;
    expect(readHeads(writeHeads(state) ?? "")).toEqual(state);
  });

  it.each(["statistic=<img>", "tool=nothing", "x=entropy@z", "top=7", "other=-1", "=;;=", "x".repeat(5000)])("%s falls back", (text) => {
    expect(readHeads(text)).toEqual(DEFAULT_HEADS);
  });
});

describe("a run's values", () => {
  it("are those of the last record up to a step, of the later one of two", () => {
    const twice = run([0, 10, 10], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(valueAtStep(twice, 12, { layer: 2, head: 0 }, "entropy")).toBe(9);
    expect(valueAtStep(twice, 5, { layer: 0, head: 1 }, "entropy")).toBe(2);
    expect(valueAtStep(twice, 5, { layer: 1, head: 0 }, "entropy")).toBeNaN();
    expect(valueAtStep(twice, -1, { layer: 0, head: 0 }, "entropy")).toBeNaN();
    expect(valueAtStep(twice, 5, { layer: 0, head: 1 }, "unknown")).toBeNaN();
    expect(ordinalsByStep(twice)).toEqual([0, 2]);
  });

  it("stand by step, of one worker where several logged", () => {
    const shared = run([10, 10, 0], Array.from({ length: 9 }, (_, i) => i), [0, 1, 0]);
    expect(ordinalsByStep(shared)).toEqual([2, 0]);
    expect(ordinalsByStep(shared, 1)).toEqual([2, 1]);
  });

  it("have one scale that starts at 0 and leaves out what is no number", () => {
    expect(extentOf([run([0], [1, NaN, Infinity])], "entropy")).toEqual({ low: 0, high: 1 });
    expect(extentOf([run([0], [-2, 1, 3])], "entropy")).toEqual({ low: -2, high: 3 });
    expect(extentOf([run([0], [NaN, NaN, NaN])], "entropy")).toEqual({ low: 0, high: 1 });
  });
});

describe("the finder", () => {
  it("ranks heads, equal ones alike, those without a value not at all", () => {
    const ranked = rankedHeads(run([0], [2, 2, 1]), 0, "entropy", false);
    expect(ranked.map(({ layer, head, rank, of }) => [layer, head, rank, of])).toEqual([[0, 0, 1, 3], [0, 1, 1, 3], [2, 0, 3, 3]]);
    const upward = rankedHeads(run([0], [2, NaN, 1]), 0, "entropy", true);
    expect(upward.map(({ layer, rank, of }) => [layer, rank, of])).toEqual([[2, 1, 2], [0, 2, 2]]);
  });
});

describe("most changed heads", () => {
  it("come by their mean, those below the floor marked, those without a distance last", () => {
    const changes: ChangesData = {
      error: null, examples: 2, matches: [], noMatches: null,
      layers: [{ layer: 0, heads: [0, 1, 2], mean: [0.01, NaN, 0.5], spread: [0, NaN, 0.1], floor: 0.015 }],
    };
    const changed = mostChanged(changes);
    expect(changed.map(({ head, rank, belowFloor, floor }) => [head, rank, belowFloor, floor])).toEqual([[2, 1, false, 0.015], [0, 2, true, 0.015], [1, null, false, 0.015]]);
    expect(withoutMatch({ ...changes, matches: [{ layer: 0, head: 2, other: 0, distance: 0 }] })).toBe(2);
  });

  it("are told from nothing by the floor of their layer where they are matched, too", () => {
    const layer = (number: number, floor: number) => ({ layer: number, heads: [0], mean: [0], spread: [0], floor });
    const matches = [0, 3].map((number) => ({ layer: number, head: 0, other: 0, distance: 0.02 }));
    const matched = matchedHeads({ error: null, examples: 1, noMatches: null, layers: [layer(0, 0.01), layer(3, 0.05)], matches });
    expect(matched.map(({ floor, belowFloor }) => [floor, belowFloor])).toEqual([[0.01, false], [0.05, true]]);
  });
});

describe("parts of an answer", () => {
  it("are put one after the other, with gaps where one lacks a head or a statistic", () => {
    const first = data([0], [1, 2, 3]);
    const more = data([10], [40, 4, 50, 5], [{ layer: 0, label: "x", heads: [1, 5] }], ["max", "entropy"]);
    const whole = joined(first, { ...more, count: 2, gaps: Uint8Array.of(Gap.DAMAGED) });
    expect(whole.layers).toEqual([{ layer: 0, label: "x", heads: [0, 1, 5] }, { layer: 2, label: "", heads: [0] }]);
    expect([...whole.values]).toEqual([1, NaN, 2, NaN, NaN, NaN, 3, NaN, NaN, NaN, 4, 40, 5, 50, NaN, NaN]);
    expect([whole.count, [...whole.gaps]]).toEqual([2, [0, 1]]);
    expect(headRows([{ run: "a", series: series(), data: { ...first, ...whole }, names: [] }])).toHaveLength(2);
  });

  it("are refused where their size is not what they say", () => {
    const message = { first: 0, end: 1, statistics: ["entropy"], layers: [{ layer: 0, label: "", heads: [0] }], steps: [0n], values: new Uint8Array(8), spreads: new Uint8Array(), gaps: new Uint8Array(1), problems: [] };
    expect(() => headsPart(message as never)).toThrow(/another size/);
    expect(headsPart({ ...message, values: new Uint8Array(4) }).count).toBe(1);
  });
});
