import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ByteLru } from "../base/lru";
import { headBytesOf } from "../data/head_size";
import { MapState, type HeadMap, type MapRef, type Overview, type OverviewLayer } from "../data/types";
import { Ahead } from "./ahead";
import type { Pictures } from "./loader";
import { refKey } from "./resolve";
import { Store } from "./store";
import { index, series } from "./testing";

const steps = Array.from({ length: 100 }, (_, i) => 10 * i);
let store: Store;
let maps: Map<string, Overview>;
let heads: ByteLru<HeadMap>;
/** Of every map; small ones unless a test says otherwise. */
let layer: OverviewLayer;
let broken: Set<string>;
const pictures = signal<{ value: Pictures | undefined; busy: boolean; error: null }>({ value: undefined, busy: false, error: null });

const layerOf = (tokens: number): OverviewLayer =>
  ({ layer: 0, heads: [0], queries: tokens, keys: tokens, rows: [], keptRows: 1, keptKeys: 1, aside: [] }) as unknown as OverviewLayer;

const overviewOf = (ref: MapRef): Overview =>
  ({ ref, error: broken.has(refKey(ref)) ? "Damaged." : null, mapState: MapState.FULL, layers: [layer] }) as unknown as Overview;

function start() {
  const overview = vi.fn((refs: readonly MapRef[]) => {
    const overviews = refs.map(overviewOf);
    for (const one of overviews) if (one.error === null) maps.set(refKey(one.ref), one);
    return Promise.resolve({ overviews, comparisons: [] });
  });
  const head = vi.fn((refs: readonly MapRef[]) => {
    const found = refs.map((ref) => ({ ref, error: null }) as HeadMap);
    found.forEach((one) => heads.set(refKey(one.ref), one, headBytesOf(layer)));
    return Promise.resolve(found);
  });
  const source = {
    overview,
    head,
    headBudget: 1 << 24,
    cached: (ref: MapRef) => maps.get(refKey(ref)),
    cachedHead: (ref: MapRef) => heads.get(refKey(ref)),
  };
  const ahead = new Ahead(source, store, { pictures, attempt: signal(0) });
  ahead.start();
  made.push(ahead);
  return { ahead, overview, head };
}

const made: Ahead[] = [];
afterEach(() => made.splice(0).forEach((ahead) => ahead.dispose()));

/** The picture in front and its head, which the page asked for itself. */
function showMapOf(tokens: number): void {
  layer = layerOf(tokens);
  const front = { series: "a", ordinal: 50, example: 0 };
  maps.set(refKey(front), overviewOf(front));
  heads.set(refKey(front), { ref: front, error: null } as HeadMap, headBytesOf(layer));
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  maps = new Map();
  heads = new ByteLru(1 << 24);
  layer = layerOf(16);
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
    expect(["a.49.0", "a.51.0", "a.52.0"].map((key) => heads.get(key)?.error)).toEqual([null, null, null]);
    expect(heads.size).toBe(3);
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

  it.each([
    { tokens: 1024, ahead: [510, 490] },
    { tokens: 1400, ahead: [510] },
    { tokens: 2000, ahead: [510] },
  ])("fetches of large maps ($tokens tokens) what there is room for beside those in front, each once", async ({ tokens, ahead: fitting }) => {
    showMapOf(tokens);
    const { ahead, head } = start();
    await settle();
    expect(head.mock.calls.flatMap(([refs]) => refs.map(refKey))).toEqual(fitting.map((step) => `a.${step / 10}.0`));
    expect([510, 490, 520].filter((step) => ahead.ready(step))).toEqual(fitting);
  });

  it("has no player wait for maps too large to be kept", async () => {
    showMapOf(2100);
    const { ahead, head } = start();
    await settle();
    expect(head).not.toHaveBeenCalled();
    expect(ahead.ready(510)).toBe(true);
  });

  it("does not ask again and again for what is not kept", async () => {
    const { head, overview } = start();
    head.mockImplementation((refs) => Promise.resolve(refs.map((ref) => ({ ref, error: null }) as HeadMap)));
    await settle();
    expect(head.mock.calls.length + overview.mock.calls.length).toBeLessThan(4);
  });
});
