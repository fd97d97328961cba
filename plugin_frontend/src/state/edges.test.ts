import { describe, expect, it } from "vitest";
import { changedEdges, strongestEdges } from "./edges";

const edgesOf = (row: readonly number[], percent: number): { count: number; kept: number[] } => {
  const { counts, values } = strongestEdges(Float32Array.from(row), 1, row.length, percent);
  return { count: counts[0] ?? 0, kept: Array.from(values, (value, i) => (value === 0 ? -1 : i)).filter((i) => i >= 0) };
};

/** The plain way: sort, add up. */
function slowly(row: Float32Array, percent: number): number[] {
  const order = Array.from(row, (weight, at) => ({ weight, at })).sort((a, b) => b.weight - a.weight || a.at - b.at);
  const total = order.reduce((sum, { weight }) => sum + weight, 0);
  const kept: number[] = [];
  let sum = 0;
  for (const { weight, at } of order) {
    if (weight <= 0 || sum >= (percent / 100 - 1e-6) * total) break;
    kept.push(at);
    sum += weight;
  }
  return kept.sort((a, b) => a - b);
}

describe("the edges that make up p % of a row", () => {
  it("are the fewest whose weights sum to it", () => {
    expect(edgesOf([0.1, 0.5, 0.15, 0.25], 50)).toEqual({ count: 1, kept: [1] });
    expect(edgesOf([0.1, 0.5, 0.15, 0.25], 75)).toEqual({ count: 2, kept: [1, 3] });
    expect(edgesOf([0.1, 0.5, 0.15, 0.25], 76)).toEqual({ count: 3, kept: [1, 2, 3] });
  });

  it("of equal weights are the earlier ones", () => {
    expect(edgesOf([0.25, 0.25, 0.25, 0.25], 50)).toEqual({ count: 2, kept: [0, 1] });
    expect(edgesOf([0.2, 0.4, 0.2, 0.2], 55)).toEqual({ count: 2, kept: [0, 1] });
  });

  it("are shares of the row's own sum", () => {
    expect(edgesOf([2, 1, 1], 50)).toEqual({ count: 1, kept: [0] });
    expect(edgesOf([1e-6, 5e-7, 5e-7], 60)).toEqual({ count: 2, kept: [0, 1] });
  });

  it("leave rows with a fault and rows of zeros as they are", () => {
    expect(edgesOf([NaN, 0.5, 0.1], 10)).toEqual({ count: 3, kept: [0, 1, 2] });
    expect(edgesOf([Infinity, 0.5], 10)).toEqual({ count: 2, kept: [0, 1] });
    expect(edgesOf([0, 0, 0], 90)).toEqual({ count: 0, kept: [] });
  });

  it("are those of a sort, for many rows of many kinds", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (const percent of [1, 30, 50, 90, 99]) {
      for (let kind = 0; kind < 30; kind += 1) {
        const row = Float32Array.from({ length: 1 + Math.floor(300 * random()) }, () =>
          kind % 3 === 0 ? random() : kind % 3 === 1 ? Math.exp(-30 * random()) : Math.round(4 * random()) / 8,
        );
        expect(edgesOf([...row], percent).kept).toEqual(slowly(row, percent));
      }
    }
  });

  it("keeps rows apart, and the weights themselves as they were", () => {
    const values = Float32Array.from([0.9, 0.1, 0.2, 0.8]);
    const found = strongestEdges(values, 2, 2, 50);
    expect(Array.from(found.values)).toEqual(Array.from(Float32Array.from([0.9, 0, 0, 0.8])));
    expect(Array.from(found.counts)).toEqual([1, 1]);
    expect(values[1]).toBeCloseTo(0.1);
  });

  it("of a difference are those of either side", () => {
    const [a, b] = [Float32Array.from([0.9, 0.1, 0]), Float32Array.from([0.2, 0, 0.8])];
    const change = b.map((value, i) => value - (a[i] ?? 0));
    const found = changedEdges(change, 3, strongestEdges(a, 1, 3, 80), strongestEdges(b, 1, 3, 80));
    expect(Array.from(found.values, (value) => Number(value.toFixed(3)))).toEqual([-0.7, 0, 0.8]);
    expect(Array.from(found.counts)).toEqual([2]);
  });
});
