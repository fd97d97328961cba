import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { peakOf, type PoolCache } from "./focus_raster";
import { Upcoming } from "./focus_upcoming";
import type { FocusData } from "./types";

const window = { key: 0, query: 0, keys: 256, queries: 256 };
const map = (step: number): FocusData =>
  ({ keys: 256, queries: 256, queryMask: null, values: new Float32Array(256 * 256).map((_, i) => ((i * 7919 + step) % 1013) / 1013) }) as unknown as FocusData;
const [first, second, third] = [map(1), map(2), map(3)];

let waiting: Map<number, IdleRequestCallback>;
let shown: FocusData[];
let upcoming: Upcoming;

beforeEach(() => {
  waiting = new Map();
  shown = [];
  let [handle, now] = [0, 0];
  vi.stubGlobal("requestIdleCallback", (run: IdleRequestCallback) => (waiting.set((handle += 1), run), handle));
  vi.stubGlobal("cancelIdleCallback", (one: number) => waiting.delete(one));
  // A slice has time for one bit of the work.
  vi.spyOn(performance, "now").mockImplementation(() => (now += 10));
  upcoming = new Upcoming((data: FocusData, pooled: PoolCache) => {
    const pooling = pooled.get(data, window, 16, 16);
    return () => pooling.goOn();
  });
});

afterEach(() => {
  upcoming.dispose();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const show = (data: FocusData): void => void shown.push(data);

/** The page is idle so many times; how often there was something to do. */
function idle(times: number): number {
  let did = 0;
  for (; did < times && waiting.size > 0; did += 1) {
    const [[handle, run] = [0, () => undefined]] = [...waiting];
    waiting.delete(handle);
    run({ didTimeout: false, timeRemaining: () => 0 });
  }
  return did;
}

it("has all that drawing a map takes once it says so, worked out in many slices", () => {
  upcoming.follow(first, show);
  expect(upcoming.of(first)).toBeNull();
  expect(idle(15)).toBe(15);
  expect(shown).toEqual([]);
  expect(idle(100)).toBeLessThan(20);
  expect(shown).toEqual([first]);
  const made = upcoming.of(first);
  expect(made?.peak).toBe(peakOf(first));
  const pooling = made?.pooled.get(first, window, 16, 16);
  expect(pooling?.goOn()).toBe(false);
  expect(pooling?.values[0]).toBe(Math.max(...Array.from({ length: 256 }, (_, i) => first.values[(i >> 4) * 256 + (i & 15)] ?? 0)));
  expect(upcoming.of(second)).toBeNull();
  expect(upcoming.take(first)).toBe(made);
  expect(upcoming.of(first)).toBeNull();
});

it("shows some of many that come faster than they can be made ready, and the last of them", () => {
  for (const data of [first, second, third]) {
    upcoming.follow(data, show);
    idle(5);
  }
  idle(100);
  expect(shown).toEqual([first, third]);
});

it("leaves the work when nothing is wanted any more", () => {
  upcoming.follow(first, show);
  idle(3);
  upcoming.follow(null, show);
  expect([idle(100), shown.length]).toEqual([0, 0]);
});
