import { describe, expect, it, vi } from "vitest";
import type { HeadPicture, StripRef } from "../data/multiples";
import { MapState } from "../data/types";
import { belowFloor, blocksOf, differs, largestChange, readMultiples, stateOfRecord, writeMultiples } from "./multiples";
import { MultiplesLoader } from "./multiples_loader";
import { series } from "./testing";

const strip: StripRef = { series: "s", example: 0, layer: 1, head: 2, look: { pool: "max", sinks: "aside" } };

function picture(ordinal: number, patch: Partial<HeadPicture> = {}): HeadPicture {
  return {
    strip: "s.0.1.2 max aside",
    ordinal,
    step: ordinal,
    mapState: MapState.FULL,
    error: null,
    rows: 1,
    cols: 2,
    pooledRows: 1,
    pooledKeys: 1,
    codes: Uint8Array.of(255, 0),
    peak: 0.5,
    notFinite: false,
    values: new Map(),
    input: "1",
    aside: [0],
    asideMass: 0.5,
    padding: { top: 0, bottom: 0, left: 0, right: 0 },
    ...patch,
  };
}

describe("what a cell can show", () => {
  it("is known from the index before its picture is here", () => {
    const one = series({ steps: [0, 1, 2], mapStates: [MapState.FULL, MapState.DROPPED, MapState.STATISTICS_ONLY] });
    expect([0, 1, 2, undefined].map((ordinal) => stateOfRecord(one, ordinal))).toEqual(["waiting", "dropped", "statistics", "absent"]);
  });

  it("is no difference between other inputs or sizes", () => {
    expect(differs(picture(0), picture(1))).toBeNull();
    expect(differs(picture(0), picture(1, { input: "2" }))).toBe("input");
    const padding = { top: 1, bottom: 0, left: 1, right: 0 };
    expect(differs(picture(0, { input: "" }), picture(1, { input: "", padding }))).toBe("size");
    expect(differs(picture(0), picture(1, { padding }))).toBeNull();
    expect(differs(picture(0), picture(1, { pooledKeys: 2 }))).toBe("size");
    expect(differs(picture(0), picture(1, { aside: [1] }))).toBe("sinks");
    expect(largestChange(picture(0), picture(1, { codes: Uint8Array.of(0, 255), peak: 0.25 }))).toBeCloseTo(0.5);
  });
});

describe("a difference that storing alone could have made", () => {
  const of = (code: number, peak = 1): HeadPicture => picture(0, { codes: Uint8Array.of(code, 0), peak });

  it("is one of a level, wherever the weight lies", () => {
    for (const code of [0, 1, 50, 254]) {
      expect(belowFloor(of(code), of(code))).toBe(true);
      expect(belowFloor(of(code), of(code + 1))).toBe(true);
      expect(belowFloor(of(code + 1), of(code))).toBe(true);
    }
  });

  it("is none of three levels, and none that one texel shows", () => {
    for (const code of [10, 50, 200]) expect(belowFloor(of(code), of(code + 3))).toBe(false);
    expect(belowFloor(picture(0, { codes: Uint8Array.of(80, 7) }), picture(1, { codes: Uint8Array.of(80, 90) }))).toBe(false);
  });

  it("counts weights, not codes, where the pictures end at other weights", () => {
    expect(belowFloor(of(255, 0.5), of(255, 1))).toBe(false);
    expect(belowFloor(of(255, 0.25), of(128, 1))).toBe(true);
  });

  it("is not said where weights are not finite", () => {
    expect(belowFloor(of(9), picture(1, { codes: Uint8Array.of(9, 0), peak: 1, notFinite: true }))).toBe(false);
  });
});

describe("blocks", () => {
  it("begin at multiples, the one missed first at the front, and end with the series", () => {
    const none = (): boolean => false;
    expect(blocksOf([20, 3, 21, 0], 25, none)).toEqual([{ from: 16, to: 25 }, { from: 0, to: 16 }]);
    expect(blocksOf([20, 24], 25, (ordinal) => ordinal < 20)).toEqual([{ from: 20, to: 25 }]);
    expect(blocksOf([16, 20], 25, (ordinal) => ordinal === 20)).toEqual([{ from: 16, to: 25 }]);
    expect(blocksOf([20], 25, (ordinal) => ordinal === 20)).toEqual([]);
  });
});

describe("the URL", () => {
  it("holds it only when it is on, and knows nothing else", () => {
    expect([writeMultiples({ on: false }), writeMultiples({ on: true })]).toEqual([null, "on"]);
    expect([readMultiples("on").on, readMultiples("<img>").on]).toEqual([true, false]);
  });
});

function loaderOf(answer: (from: number, to: number) => Promise<HeadPicture[]>) {
  const known = new Map<number, HeadPicture>();
  const load = vi.fn(async (_strip: StripRef, from: number, to: number, signal?: AbortSignal) => {
    const found = await answer(from, to);
    signal?.throwIfAborted();
    for (const one of found) if (one.error === null) known.set(one.ordinal, one);
    return found;
  });
  return { loader: new MultiplesLoader({ cached: (_strip, ordinal) => known.get(ordinal), load }), load };
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("MultiplesLoader", () => {
  it("asks for the nearest block first, two at once, and not again for what is there", async () => {
    const { loader, load } = loaderOf((from, to) => Promise.resolve(range(from, to).map((i) => picture(i))));
    loader.want([{ strip, count: 100, ordinals: [40, 39, 41, 10, 70] }]);
    expect(load.mock.calls.map((call) => call.slice(1, 3))).toEqual([[32, 48], [0, 16]]);
    await tick();
    expect(load).toHaveBeenCalledTimes(3);
    loader.want([{ strip, count: 100, ordinals: [40, 41] }]);
    expect(load).toHaveBeenCalledTimes(3);
    expect(loader.picture(strip, 40)?.step).toBe(40);
  });

  it("gives up on what was scrolled past", async () => {
    const signals: boolean[] = [];
    const { loader, load } = loaderOf(() => new Promise<HeadPicture[]>(() => undefined));
    loader.want([{ strip, count: 100, ordinals: [0, 20, 40] }]);
    const [first, second] = load.mock.calls.map((call) => call[3]);
    loader.want([{ strip, count: 100, ordinals: [20, 60] }]);
    await tick();
    signals.push(first?.aborted === true, second?.aborted === true);
    expect(signals).toEqual([true, false]);
    expect(load.mock.calls.map((call) => call[1])).toEqual([0, 16, 48]);
  });

  it("asks again from where an answer ended", async () => {
    const { loader, load } = loaderOf((from) => Promise.resolve([picture(from)]));
    const wanted = { strip, count: 3, ordinals: [0, 1, 2] };
    for (let i = 0; i < 3; i += 1) {
      loader.want([wanted]);
      await tick();
    }
    expect(load.mock.calls.map((call) => call[1])).toEqual([0, 1, 2]);
  });

  it("keeps what cannot be read apart and asks for it again only when told to", async () => {
    const { loader, load } = loaderOf((from) => Promise.resolve([picture(from, { error: "Damaged.", codes: null })]));
    const wanted = [{ strip, count: 1, ordinals: [0] }];
    loader.want(wanted);
    await tick();
    expect(loader.picture(strip, 0)?.error).toBe("Damaged.");
    loader.want(wanted);
    expect(load).toHaveBeenCalledTimes(1);
    loader.retry();
    loader.want(wanted);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it("says why it failed and waits until it is told to try again", async () => {
    let broken = true;
    const { loader, load } = loaderOf((from) => (broken ? Promise.reject(new Error("Gone.")) : Promise.resolve([picture(from)])));
    loader.want([{ strip, count: 1, ordinals: [0] }]);
    await tick();
    expect(loader.error.value).toBe("Gone.");
    loader.want([{ strip, count: 1, ordinals: [0] }]);
    expect(load).toHaveBeenCalledTimes(1);
    broken = false;
    loader.retry();
    loader.want([{ strip, count: 1, ordinals: [0] }]);
    await tick();
    expect(loader.picture(strip, 0)?.error).toBeNull();
  });

  it("leaves alone only what failed, and asks for it again when it is wanted again", async () => {
    const other: StripRef = { ...strip, series: "t" };
    const load = vi.fn(({ series: id }: StripRef, from: number) =>
      id === "s" ? Promise.reject(new Error("Gone.")) : Promise.resolve([picture(from)]),
    );
    const loader = new MultiplesLoader({ cached: () => undefined, load });
    const both = [{ strip, count: 1, ordinals: [0] }, { strip: other, count: 64, ordinals: [0, 16, 32, 48] }];
    loader.want(both.slice(0, 1));
    await tick();
    loader.want(both);
    await tick();
    expect(loader.error.value).toBe("Gone.");
    expect(load.mock.calls.map(([{ series: id }, from]) => `${id} ${from}`)).toEqual(["s 0", "t 0", "t 16", "t 32", "t 48"]);
    loader.want(both.slice(1));
    expect(loader.error.value).toBeNull();
    loader.want(both);
    await tick();
    expect(load.mock.calls.filter(([{ series: id }]) => id === "s")).toHaveLength(2);
  });

  it("asks again for what cannot be read once it was out of sight", async () => {
    const { loader, load } = loaderOf((from) => Promise.resolve([picture(from, { error: "Damaged.", codes: null })]));
    const wanted = [{ strip, count: 1, ordinals: [0] }];
    loader.want(wanted);
    await tick();
    loader.want([]);
    loader.want(wanted);
    expect(load).toHaveBeenCalledTimes(2);
  });
});
