import { describe, expect, it } from "vitest";
import { spanOf, tokenAxis } from "../base/axis";
import { overviewLayerOf, overviewOf } from "../data/testing_overview";
import { type Overview, type OverviewLayer } from "../data/types";
import { headRowsOf, niceCeil, sameBlocks, statisticOf, weightsFromThumb } from "./facts";
import { lineOfToken, topEdges } from "./lines";

const layer: OverviewLayer = overviewLayerOf([4, 7], 1, 2, new Uint8Array([0, 255, 255, 0]), {
  layer: 3,
  statistics: new Float32Array([0.5, 0.25, 1.5, 0.75]),
  thumbPeak: 0.5,
  headPeaks: new Uint8Array([255, 255]),
});
const overview = overviewOf({ layers: [layer], statisticNames: ["entropy", "max"] });

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
    const rows = { ...overview, layers: [{ ...layer, pooledRows: 2 }] };
    expect(weightsFromThumb(rows, { layer: 3, head: 7 })).toBeUndefined();
  });

  it("knows which rows were chosen", () => {
    const chosen = { ...overview, layers: [{ ...layer, queries: 90, rows: [70] }] };
    const weights = weightsFromThumb(chosen, { layer: 3, head: 7 });
    expect(weights === undefined ? null : spanOf(weights.queryAxis, 0).first).toBe(70);
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
  const rest = { pool: null, valueNorms: null } as const;
  const weights = { queryAxis: tokenAxis(2), keyAxis: tokenAxis(3), values: new Float32Array([1, 0, 0, 0.2, 0.3, 0.5]), ...rest };
  const rounded = (values: Float32Array | undefined): string[] => Array.from(values ?? [], (w) => w.toFixed(1));
  const line = (values: Float32Array, block = 1) => ({ values, axis: tokenAxis(values.length * block, block), total: null });

  it("are a row for a query and a column for a key", () => {
    expect(rounded(lineOfToken(weights, 1, null)?.values)).toEqual(["0.2", "0.3", "0.5"]);
    expect(rounded(lineOfToken(weights, null, 0)?.values)).toEqual(["1.0", "0.2"]);
    expect(lineOfToken(weights, 9, null)).toBeUndefined();
    expect(lineOfToken(weights, null, 9)).toBeUndefined();
  });

  it("find the row of a chosen position, and none for a position that was not chosen", () => {
    const chosen = { ...weights, queryAxis: tokenAxis(500, 1, [7, 400]) };
    expect(rounded(lineOfToken(chosen, 400, null)?.values)).toEqual(["0.2", "0.3", "0.5"]);
    expect(lineOfToken(chosen, 1, null)).toBeUndefined();
    const column = lineOfToken(chosen, null, 2);
    expect(column === undefined ? [] : topEdges(column).edges).toEqual([{ first: 400, last: 400, weight: 0.5 }]);
  });

  it("lead to blocks of tokens where only those were kept", () => {
    const pooled = { ...weights, queryAxis: tokenAxis(8, 4), keyAxis: tokenAxis(10, 4) };
    const row = lineOfToken(pooled, 5, null);
    expect(row === undefined ? [] : topEdges(row).edges.map(({ first, last }) => [first, last])).toEqual([
      [8, 9],
      [4, 7],
      [0, 3],
    ]);
  });

  it("are the largest, until nearly all of the mass is drawn", () => {
    const { edges, mass } = topEdges(line(new Float32Array([0.01, 0.9, 0.06, NaN, 0.03])));
    expect(edges.map((edge) => edge.first)).toEqual([1, 2]);
    expect(mass).toBeCloseTo(0.96);
    const equal = topEdges(line(new Float32Array(1000).fill(0.001)));
    expect(equal.edges.map((edge) => edge.first)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(topEdges(line(new Float32Array(4))).edges).toEqual([]);
  });

  it("are the same as those of a sort", () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 997) / 997);
    const sorted = Array.from(values, (weight, at) => ({ weight, at })).sort((a, b) => b.weight - a.weight || a.at - b.at);
    expect(topEdges(line(values)).edges.map((edge) => edge.first)).toEqual(sorted.slice(0, 24).map(({ at }) => at));
  });
});

describe("B-A of blocks", () => {
  const blocks = (keys: number): Overview => ({ ...overview, layers: [{ ...layer, keptRows: 4, keptKeys: keys }] });

  it("means something for blocks of the same size of the same text", () => {
    expect(sameBlocks(blocks(4), blocks(4))).toBe(true);
    expect(sameBlocks(blocks(4), blocks(8))).toBe(false);
    expect(sameBlocks(blocks(4), overview)).toBe(false);
    const none = new Uint8Array();
    const said = (text: string[]): Overview => ({ ...blocks(4), keyTokens: { text, ids: [], special: none, part: none, parts: none } });
    expect(sameBlocks(said(["a"]), said(["a"]))).toBe(true);
    expect(sameBlocks(said(["a"]), said(["b"]))).toBe(false);
  });
});
