import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Loader } from "./loader";
import { startPlayer } from "./player";
import { Store } from "./store";
import { index, series } from "./testing";

const pictures = signal({ value: undefined, busy: false, error: null });
let store: Store;

beforeEach(() => {
  vi.useFakeTimers();
  pictures.value = { value: undefined, busy: false, error: null };
  store = new Store();
  store.index.value = index({ a: [series({ steps: [0, 100, 200] })] });
  store.update({ step: 0 });
});

afterEach(() => vi.useRealTimers());

const step = (): number | null => store.resolved.value.step;

describe("startPlayer", () => {
  it("goes on only when the step before is on screen", () => {
    const player = startPlayer(store, { pictures } as unknown as Loader);
    store.playing.value = true;
    vi.advanceTimersByTime(400);
    expect(step()).toBe(100);
    pictures.value = { ...pictures.value, busy: true };
    vi.advanceTimersByTime(5000);
    expect(step()).toBe(100);
    pictures.value = { ...pictures.value, busy: false };
    vi.advanceTimersByTime(400);
    expect(step()).toBe(200);
    player.dispose();
  });

  it("begins again at the end, or stops there", () => {
    const player = startPlayer(store, { pictures } as unknown as Loader);
    store.update({ step: null });
    store.playing.value = true;
    vi.advanceTimersByTime(400);
    expect(step()).toBe(0);
    store.loop.value = false;
    vi.advanceTimersByTime(2000);
    expect(step()).toBe(200);
    expect(store.playing.value).toBe(false);
    player.dispose();
  });

  it("does not play a single step, and nothing after its end", () => {
    const player = startPlayer(store, { pictures } as unknown as Loader);
    store.playing.value = true;
    player.dispose();
    vi.advanceTimersByTime(2000);
    expect(step()).toBe(0);
    store.index.value = index({ a: [series({ steps: [0] })] });
    const other = startPlayer(store, { pictures } as unknown as Loader);
    expect(store.playing.value).toBe(false);
    other.dispose();
  });
});
