import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signal } from "@preact/signals";
import { similarKey, type SimilarData, type SimilarHeadInfo, type SimilarRef } from "../data/similar";
import type { MapRef, Overview } from "../data/types";
import type { Loaded, Pictures } from "./loader";
import { refKey } from "./resolve";
import { LARGE_WORK, mostAlike, similarFact, similarWork } from "./similar";
import { SimilarLoader } from "./similar_loader";
import { Store } from "./store";
import { index, series } from "./testing";

const head = (layer: number, number: number, distance: number, patch: Partial<SimilarHeadInfo> = {}): SimilarHeadInfo => ({
  layer, head: number, other: { layer: 9, head: 9 }, distance, floor: 0, belowFloor: false, ...patch,
});

const data = (heads: readonly SimilarHeadInfo[], error: string | null = null): SimilarData => ({
  error, examples: 1, heads: new Map(heads.map((one) => [`${one.layer}.${one.head}`, one])),
});

describe("what is known of a head", () => {
  it("is its most similar one, or why there is none", () => {
    const found = data([head(0, 1, 0.2), head(1, 0, NaN, { other: null })]);
    expect(similarFact(found, { layer: 0, head: 1 })).toEqual({ kind: "known", other: { layer: 9, head: 9 }, distance: 0.2, belowFloor: false });
    expect(similarFact(found, { layer: 1, head: 0 }).kind).toBe("alone");
    expect(similarFact(found, { layer: 1, head: 1 }).kind).toBe("blocks");
    expect(similarFact(data([], "No map."), { layer: 0, head: 1 })).toEqual({ kind: "failed", reason: "No map." });
  });

  it("is ranked, the most redundant first, equal ones alike, those without left out", () => {
    const ranked = mostAlike(data([head(0, 0, 0.3), head(0, 1, 0.1), head(1, 0, NaN, { other: null }), head(1, 1, 0.1)]));
    expect(ranked.map((one) => [one.layer, one.head, one.rank])).toEqual([[0, 1, 1], [1, 1, 1], [0, 0, 3]]);
  });
});

function overview(ref: MapRef, heads: number, keys: number, patch: object = {}): Overview {
  const layer = { layer: 0, heads: Array.from({ length: heads }, (_, i) => i), queries: keys, keys, rows: [], keptRows: 1, keptKeys: 1, ...patch };
  return { ref, error: null, layers: [layer] } as unknown as Overview;
}

describe("the work", () => {
  const ref = { series: "s", ordinal: 0, example: 0 };
  it("counts weights that are stored, of the rows that are", () => {
    expect(similarWork(overview(ref, 4, 10))).toEqual({ heads: 4, work: 1600 });
    expect(similarWork(overview(ref, 4, 10, { rows: [1, 2] })).work).toBe(320);
    expect(similarWork(overview(ref, 4, 10, { keptKeys: 2 })).heads).toBe(0);
    // 12 x 12 x 128 goes by itself, 32 x 32 x 256 is asked for.
    expect(similarWork(overview(ref, 144, 128)).work).toBeLessThan(LARGE_WORK);
    expect(similarWork(overview(ref, 1024, 256)).work).toBeGreaterThan(LARGE_WORK);
  });
});

describe("SimilarLoader", () => {
  let store: Store;
  let similar: SimilarLoader;
  let answered: Map<string, SimilarData>;
  const pictures = signal<Loaded<Pictures>>({ value: undefined, busy: true, error: null });
  const attempt = signal(0);
  const asked: string[] = [];
  let reply: (ref: SimilarRef) => Promise<SimilarData>;

  const draw = (ordinal: number, heads = 2, keys = 4): Overview => {
    const one = overview({ series: "s", ordinal, example: 0 }, heads, keys);
    pictures.value = { value: { overviews: new Map([[refKey(one.ref), one]]), comparison: null }, busy: false, error: null };
    return one;
  };
  const rested = (): Promise<unknown> => vi.advanceTimersByTimeAsync(500);

  beforeEach(() => {
    vi.useFakeTimers();
    asked.length = 0;
    answered = new Map();
    reply = () => Promise.resolve(data([head(0, 0, 0.5)]));
    pictures.value = { value: undefined, busy: true, error: null };
    store = new Store();
    store.index.value = index({ run: [series()] });
    const source = {
      cached: (ref: SimilarRef) => answered.get(similarKey(ref)),
      similar: async (ref: SimilarRef) => {
        asked.push(similarKey(ref));
        const found = await reply(ref);
        answered.set(similarKey(ref), found);
        return found;
      },
    };
    similar = new SimilarLoader(source, store, { attempt, pictures });
    similar.start();
  });

  afterEach(() => {
    similar.dispose();
    vi.useRealTimers();
  });

  it("asks for what is drawn and looked at, after a rest", async () => {
    similar.shown.value = true;
    await rested();
    expect(asked).toEqual([]);
    draw(2);
    await vi.advanceTimersByTimeAsync(300);
    expect(asked).toEqual([]);
    await rested();
    expect(asked).toEqual(["s.2.0"]);
    expect(similar.answers.value.value?.get("s.2.0")?.heads.size).toBe(1);
    similar.shown.value = false;
    store.goToStep(100);
    draw(1);
    await rested();
    expect(asked).toEqual(["s.2.0"]);
  });

  it("asks for nothing while playing, and for what is there when the player stops", async () => {
    similar.shown.value = true;
    store.playing.value = true;
    draw(2);
    await rested();
    expect(asked).toEqual([]);
    store.playing.value = false;
    await rested();
    expect(asked).toEqual(["s.2.0"]);
  });

  it("passes over steps that are passed over", async () => {
    similar.shown.value = true;
    draw(2);
    await vi.advanceTimersByTimeAsync(300);
    store.goToStep(100);
    draw(1);
    await rested();
    expect(asked).toEqual(["s.1.0"]);
  });

  it("leaves a large record until the reader asks", async () => {
    similar.shown.value = true;
    const large = draw(2, 1024, 256);
    await rested();
    expect([asked.length, similar.isHeldBack(large)]).toEqual([0, true]);
    similar.ask(large.ref);
    await rested();
    expect([...asked, similar.isHeldBack(large)]).toEqual(["s.2.0", false]);
  });

  it("says why it failed, and tries again when told to", async () => {
    reply = () => Promise.reject(new Error("Gone."));
    similar.shown.value = true;
    draw(2);
    await rested();
    expect(similar.answers.value).toMatchObject({ busy: false, error: "Gone." });
    reply = () => Promise.resolve(data([]));
    attempt.value += 1;
    await rested();
    expect(similar.answers.value).toMatchObject({ busy: false, error: null });
  });

  it("asks in the Heads view for the run in focus while its list is open, of one example or of all", async () => {
    const { heads } = store.selection.value;
    store.update({ view: "heads", step: 100 });
    await rested();
    expect(asked).toEqual([]);
    store.update({ heads: { ...heads, tool: "alike" } });
    await rested();
    store.update({ heads: { ...heads, tool: "alike", mean: true } });
    await rested();
    expect(asked).toEqual(["s.1.0", "s.1.all"]);
    expect(similar.inHeads.value).toEqual({ series: "s", ordinal: 1, example: null, step: 100 });
  });
});
