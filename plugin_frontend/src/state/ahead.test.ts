import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MapState, type HeadMap, type MapRef, type Overview } from "../data/types";
import { Ahead } from "./ahead";
import type { Pictures } from "./loader";
import { refKey } from "./resolve";
import { Store } from "./store";
import { index, series } from "./testing";

const steps = Array.from({ length: 100 }, (_, i) => 10 * i);
let store: Store;
let maps: Map<string, Overview>;
let heads: Map<string, HeadMap>;
let broken: Set<string>;
const pictures = signal<{ value: Pictures | undefined; busy: boolean; error: null }>({ value: undefined, busy: false, error: null });

const overviewOf = (ref: MapRef): Overview =>
  ({ ref, error: broken.has(refKey(ref)) ? "Damaged." : null, mapState: MapState.FULL, layers: [{ layer: 0, heads: [0] }] }) as unknown as Overview;

function start() {
  const overview = vi.fn((refs: readonly MapRef[]) => {
    const overviews = refs.map(overviewOf);
    for (const one of overviews) if (one.error === null) maps.set(refKey(one.ref), one);
    return Promise.resolve({ overviews, comparisons: [] });
  });
  const head = vi.fn((refs: readonly MapRef[]) => {
    const found = refs.map((ref) => ({ ref, error: null }) as HeadMap);
    found.forEach((one) => heads.set(refKey(one.ref), one));
    return Promise.resolve(found);
  });
  const source = { overview, head, cached: (ref: MapRef) => maps.get(refKey(ref)), cachedHead: (ref: MapRef) => heads.get(refKey(ref)) };
  const ahead = new Ahead(source, store, { pictures, attempt: signal(0) });
  ahead.start();
  made.push(ahead);
  return { ahead, overview, head };
}

const made: Ahead[] = [];
afterEach(() => made.splice(0).forEach((ahead) => ahead.dispose()));

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  maps = new Map();
  heads = new Map();
  broken = new Set();
  pictures.value = { value: undefined, busy: false, error: null };
  store = new Store();
  store.drawn.value = true;
  store.index.value = index({ a: [series({ id: "a", steps })] });
  store.headRows.value = [{ layer: 0, heads: [0] }];
  store.update({ step: 500, playing: { speed: 10, loop: true } });
});

describe("Ahead", () => {
  it("has the neighbours here, pictures and the head in focus, and no more while nothing plays", async () => {
    const { ahead } = start();
    await settle();
    expect([...maps.keys()].sort()).toEqual(["a.49.0", "a.51.0", "a.52.0"]);
    expect([...heads.keys()].sort()).toEqual(["a.49.0", "a.51.0", "a.52.0"]);
    expect(ahead.ready(510)).toBe(true);
    expect(ahead.ready(600)).toBe(false);
  });

  it("is two seconds ahead of the player, across the end where it loops", async () => {
    store.update({ step: 980 });
    const { ahead } = start();
    store.playing.value = true;
    await settle();
    expect([990, 0, 180].map((step) => ahead.ready(step))).toEqual([true, true, true]);
    expect(ahead.ready(200)).toBe(false);
  });

  it("lets what is in front come first", async () => {
    pictures.value = { ...pictures.value, busy: true };
    const { overview } = start();
    await settle();
    expect(overview).not.toHaveBeenCalled();
    pictures.value = { ...pictures.value, busy: false };
    await settle();
    expect(overview).toHaveBeenCalled();
  });

  it("does not wait for what cannot be read", async () => {
    broken.add("a.51.0");
    const { ahead, overview } = start();
    await settle();
    expect(ahead.ready(510)).toBe(true);
    expect(overview.mock.calls.flatMap(([refs]) => refs.map(refKey)).filter((key) => key === "a.51.0")).toHaveLength(1);
  });

  it("does not ask again and again for what is not kept", async () => {
    const { head, overview } = start();
    head.mockImplementation((refs) => Promise.resolve(refs.map((ref) => ({ ref, error: null }) as HeadMap)));
    await settle();
    expect(head.mock.calls.length + overview.mock.calls.length).toBeLessThan(4);
  });
});
