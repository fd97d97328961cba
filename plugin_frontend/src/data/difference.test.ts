import { expect, it } from "vitest";
import { headDifference, largestDifference } from "./difference";
import { Codec, MapState, type HeadMap, type Overview } from "./types";

const ref = { series: "s", ordinal: 0, example: 0 };

function map(values: number[], keys = values.length): HeadMap {
  const shape = { queries: values.length / keys, keys };
  return { ref, layer: 0, head: 0, error: null, ...shape, values: Float32Array.from(values), codec: Codec.F32, quantised: false };
}

function overview(thumbs: number[], heads: number[], thumbPeak = 1): Overview {
  const cols = thumbs.length / heads.length;
  return {
    ref,
    error: null,
    step: 0,
    mapState: MapState.FULL,
    layers: [
      {
        layer: 0,
        label: "",
        heads,
        queries: 1,
        keys: cols,
        statistics: new Float32Array(0),
        keyValueHeads: 0,
        thumbRows: 1,
        thumbCols: cols,
        pooled: 1,
        thumbs: Uint8Array.from(thumbs),
        thumbPeak,
        headPeaks: new Uint8Array(heads.length),
        notFinite: new Uint8Array(heads.length),
      },
    ],
    statisticNames: [],
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
}

it("takes B minus A", () => {
  expect([...(headDifference(map([0.5, 0.5]), map([1, 0])) ?? [])]).toEqual([0.5, -0.5]);
  expect(headDifference(map([1, 2, 3, 4], 2), map([1, 2, 3, 4], 4))).toBeNull();
});

it("finds the largest difference, matching heads by their numbers", () => {
  const a = overview([255, 0, 0, 0], [3, 5]);
  const b = overview([0, 0, 255, 0], [5, 3]);
  expect(largestDifference(a, b)).toBe(0);
  expect(largestDifference(a, overview([0, 0, 255, 0], [3, 5]))).toBeCloseTo(1);
  expect(largestDifference(a, overview([255, 0, 0, 0], [3, 5], 0.25))).toBeCloseTo(0.75);
});
