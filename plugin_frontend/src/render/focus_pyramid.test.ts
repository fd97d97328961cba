import { describe, expect, it, vi } from "vitest";
import { halvings, Pyramid, type Level } from "./focus_pyramid";
import type { Weights } from "./focus_raster";

function weights(rows: number[][], queryMask: Uint8Array | null = null): Weights {
  return { keys: rows[0]?.length ?? 0, queries: rows.length, values: Float32Array.from(rows.flat()), queryMask };
}

function map(keys: number, queries: number, queryMask: Uint8Array | null = null): Weights {
  return { keys, queries, values: new Float32Array(keys * queries).map((_, i) => (i * 7919) % 1013), queryMask };
}

function levelsOf(data: Weights, enough?: number): Level[] {
  return [...halvings(data, enough)].filter((level) => level !== undefined);
}

function halved(data: Weights): Level {
  const [half] = levelsOf(data, 1);
  if (half === undefined) throw new Error("there is no level");
  return half;
}

describe("halvings", () => {
  it("keep the strongest of four with its sign, and what is left over at the end", () => {
    const half = halved(weights([[1, -2, 5], [0, 1, -6], [0, 0, 7]]));
    expect([half.block, half.keys, half.queries]).toEqual([2, 2, 2]);
    expect([...half.values]).toEqual([-2, -6, 0, 7]);
  });

  it("never lose a NaN, wherever it stands, and let infinity win over numbers", () => {
    for (let at = 0; at < 4; at += 1) {
      const values = [9, 1, Infinity, 3];
      values[at] = NaN;
      expect(halved(weights([values.slice(0, 2), values.slice(2)])).values[0]).toBeNaN();
    }
    expect(halved(weights([[9, -Infinity]])).values[0]).toBe(-Infinity);
  });

  it("leave rows of padding out, but not their faults", () => {
    expect([...halved(weights([[9, 9, 0, NaN], [1, 2, 3, 4]], Uint8Array.of(0, 1))).values]).toEqual([2, NaN]);
  });

  it("pause often, so that no slice of the work holds a frame up", () => {
    const data = map(2048, 512);
    const pauses = [...halvings(data)].filter((level) => level === undefined).length;
    // A slice is of 131,072 weights at most.
    expect(pauses).toBeGreaterThanOrEqual((2048 * 512) / (1 << 17));
    expect(levelsOf(data).map(({ block }) => block)).toEqual([2, 4, 8, 16]);
  });
});

describe("Pyramid", () => {
  it("gives the finest level of which no cell is smaller than a pixel", () => {
    const [pyramid, data] = [new Pyramid(), map(1024, 512)];
    expect(pyramid.level(data, 1)).toBeNull();
    expect([1.1, 2, 2.5, 5, 1000].map((many) => pyramid.level(data, many)?.block)).toEqual([2, 2, 4, 8, 8]);
  });

  it("is made once for a map, and heeds its padding", () => {
    const pyramid = new Pyramid();
    const data = map(256, 256, Uint8Array.from({ length: 256 }, (_, i) => (i < 2 ? 0 : 1)));
    data.values.fill(0.5);
    const first = pyramid.level(data, 2);
    expect([first?.values[0], first?.values[128]]).toEqual([0, 0.5]);
    expect(pyramid.level(data, 2)).toBe(first);
    expect(pyramid.level({ ...data }, 2)).not.toBe(first);
  });

  it("is made in idle slices, is whole at once when it is asked for before", () => {
    const idle: IdleRequestCallback[] = [];
    let [now, each] = [0, 10];
    vi.spyOn(performance, "now").mockImplementation(() => (now += each));
    vi.stubGlobal("requestIdleCallback", (run: IdleRequestCallback) => idle.push(run));
    const slice = (): void => idle.at(-1)?.({ didTimeout: false, timeRemaining: () => 0 });
    const [pyramid, data] = [new Pyramid(), map(1024, 1024)];
    pyramid.prepare(data);
    expect(idle).toHaveLength(1);
    // The time is up: one little slice, and another one asked for.
    slice();
    expect(idle).toHaveLength(2);
    const whole = levelsOf(data);
    expect(pyramid.level(data, 2)?.values).toEqual(whole[0]?.values);
    expect(pyramid.level(data, 8)?.values).toEqual(whole[2]?.values);
    // Nothing is left to do.
    each = 0;
    slice();
    expect(idle).toHaveLength(2);
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
});
