import { describe, expect, it } from "vitest";
import { MapState, type Overview, type OverviewLayer } from "../data/types";
import { distanceOf, headRowsOf, niceCeil, statisticOf, weightsFromThumb } from "./facts";
import { topEdges, weightsOfToken } from "./lines";

const layer: OverviewLayer = {
  layer: 3,
  label: "",
  heads: [4, 7],
  queries: 1,
  keys: 2,
  statistics: new Float32Array([0.5, 0.25, 1.5, 0.75]),
  keyValueHeads: 0,
  thumbRows: 1,
  thumbCols: 2,
  pooled: 1,
  thumbs: new Uint8Array([0, 255, 255, 0]),
  thumbPeak: 0.5,
  headPeaks: new Uint8Array([255, 255]),
  notFinite: new Uint8Array(2),
};

const overview: Overview = {
  ref: { series: "s", ordinal: 0, example: 0 },
  error: null,
  step: 0,
  mapState: MapState.FULL,
  layers: [layer],
  statisticNames: ["entropy", "max"],
  queryTokens: null,
  keyTokens: null,
  queryMask: null,
  keyMask: null,
  checks: [],
  anomalies: [],
  reduction: "",
  causal: null,
  batch: 1,
};

describe("statisticOf", () => {
  it("finds a statistic by the model's own numbers", () => {
    expect(statisticOf(overview, { layer: 3, head: 7 }, "entropy")).toBe(1.5);
    expect(statisticOf(overview, { layer: 3, head: 4 }, "max")).toBe(0.25);
  });

  it("is undefined for what was not logged", () => {
    expect(statisticOf(overview, { layer: 3, head: 0 }, "entropy")).toBeUndefined();
    expect(statisticOf(overview, { layer: 0, head: 4 }, "entropy")).toBeUndefined();
    expect(statisticOf(overview, { layer: 3, head: 4 }, "padding")).toBeUndefined();
  });
});

describe("weightsFromThumb", () => {
  it("has every weight when nothing was pooled", () => {
    expect([...(weightsFromThumb(overview, { layer: 3, head: 7 })?.values ?? [])]).toEqual([0.5, 0]);
  });

  it("has none when blocks were pooled", () => {
    const pooled = { ...overview, layers: [{ ...layer, pooled: 4 }] };
    expect(weightsFromThumb(pooled, { layer: 3, head: 7 })).toBeUndefined();
  });
});

describe("distanceOf", () => {
  const ref = overview.ref;
  const comparison = { a: ref, b: ref, error: null, layers: [{ layer: 3, heads: [4, 7], distance: [0.2, 0.01], floor: 0.02 }] };

  it("says when the stored precision cannot tell", () => {
    expect(distanceOf(comparison, { layer: 3, head: 4 })).toEqual({ distance: 0.2, belowFloor: false });
    expect(distanceOf(comparison, { layer: 3, head: 7 })?.belowFloor).toBe(true);
    expect(distanceOf(null, { layer: 3, head: 7 })).toBeUndefined();
  });
});

describe("headRowsOf", () => {
  it("joins the heads of all runs", () => {
    const other = { ...overview, layers: [{ ...layer, layer: 1, heads: [2] }, { ...layer, heads: [0, 7] }] };
    expect(headRowsOf([overview, other])).toEqual([
      { layer: 1, heads: [2] },
      { layer: 3, heads: [0, 4, 7] },
    ]);
  });
});

describe("niceCeil", () => {
  it.each([
    [0.034, 0.04],
    [0.05, 0.05],
    [0.11, 0.15],
    [0.61, 0.8],
    [0.9, 1],
    [3, 1],
    [0, 1],
    [NaN, 1],
  ])("%d becomes %d", (x, expected) => expect(niceCeil(x)).toBe(expected));
});

describe("lines over the text", () => {
  const weights = { queries: 2, keys: 3, values: new Float32Array([1, 0, 0, 0.2, 0.3, 0.5]) };

  it("are a row for a query and a column for a key", () => {
    expect([...(weightsOfToken(weights, 1, null) ?? [])].map((w) => w.toFixed(1))).toEqual(["0.2", "0.3", "0.5"]);
    expect([...(weightsOfToken(weights, null, 0) ?? [])].map((w) => w.toFixed(1))).toEqual(["1.0", "0.2"]);
    expect(weightsOfToken(weights, 9, null)).toBeUndefined();
    expect(weightsOfToken(weights, null, 9)).toBeUndefined();
  });

  it("are the largest, until nearly all of the mass is drawn", () => {
    const { edges, mass } = topEdges(new Float32Array([0.01, 0.9, 0.06, NaN, 0.03]));
    expect(edges.map((edge) => edge.token)).toEqual([1, 2]);
    expect(mass).toBeCloseTo(0.96);
    expect(topEdges(new Float32Array(1000).fill(0.001)).edges).toHaveLength(24);
    expect(topEdges(new Float32Array(4)).edges).toEqual([]);
  });
});
