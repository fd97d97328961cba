import { expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { headDifference, largestDifference, obstacleOf, sameTexels } from "./difference";
import { overviewLayerOf, overviewOf } from "./testing_overview";
import { Codec, type HeadMap, type Overview } from "./types";

const ref = { series: "s", ordinal: 0, example: 0 };

function map(values: number[], keys = values.length): HeadMap {
  const axes = { queryAxis: tokenAxis(values.length / keys), keyAxis: tokenAxis(keys), pool: null, valueNorms: null };
  return { ref, layer: 0, head: 0, error: null, ...axes, values: Float32Array.from(values), codec: Codec.F32, quantised: false };
}

function overview(thumbs: number[], heads: number[], thumbPeak = 1): Overview {
  return overviewOf({ layers: [overviewLayerOf(heads, 1, thumbs.length / heads.length, Uint8Array.from(thumbs), { thumbPeak })] });
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

it("subtracts blocks of the same size only, and says what else differs", () => {
  const values = { values: Float32Array.from([1, 2]) };
  const blocks = (size: number, pool: "max" | "mean" = "max"): HeadMap => ({
    ...map([0, 0]),
    ...values,
    queryAxis: tokenAxis(1, size),
    keyAxis: tokenAxis(2 * size, size),
    pool,
  });
  expect(headDifference(blocks(4), blocks(4))).not.toBeNull();
  expect(obstacleOf(blocks(4), { ...blocks(2), keyAxis: tokenAxis(8, 2) })).toBe("blocks");
  expect(obstacleOf(blocks(4), blocks(4, "mean"))).toBe("pool");
  expect(obstacleOf(map([1, 2]), map([1, 2, 3]))).toBe("size");
  const rows = (chosen: number[]): HeadMap => ({ ...map([1, 2]), queryAxis: tokenAxis(9, 1, chosen) });
  expect(obstacleOf(rows([3]), rows([3]))).toBeNull();
  expect(obstacleOf(rows([3]), rows([4]))).toBe("rows");
  expect(obstacleOf(map([1]), { ...map([1]), error: "Gone." })).toBe("failed");
});

it("compares thumbnails only where their texels stand for the same weights", () => {
  const [layer] = overview([1, 2], [0]).layers;
  if (layer === undefined) throw new Error("the fixture has no layer");
  expect(sameTexels(layer, { ...layer })).toBe(true);
  expect(sameTexels(layer, { ...layer, pooledRows: 2 })).toBe(false);
  expect(sameTexels(layer, { ...layer, rows: [5] })).toBe(false);
});
