import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startPlayer } from "./player";
import { Store } from "./store";
import { index, series } from "./testing";

const pictures = signal({ value: undefined, busy: false, error: null });
const heads = signal({ value: undefined, busy: false, error: null });
const loader = { pictures, heads };
const arrived = signal(0);
/** Steps that are not here yet. */
const late = new Set<number>();
const ahead = { arrived, ready: (one: number): boolean => !late.has(one) };
const atOnce = (then: () => void): void => then();
let store: Store;

beforeEach(() => {
  vi.useFakeTimers();
  pictures.value = { value: undefined, busy: false, error: null };
  store = new Store();
  store.drawn.value = true;
  store.index.value = index({ a: [series({ steps: [0, 100, 200] })] });
  store.update({ step: 0, playing: { speed: 2, loop: true } });
  late.clear();
});

afterEach(() => vi.useRealTimers());

const step = (): number | null => store.resolved.value.step;

describe("startPlayer", () => {
  it("goes on only when the step before is on screen", () => {
    const player = startPlayer(store, loader, ahead, atOnce);
    store.playing.value = true;
    vi.advanceTimersByTime(600);
    expect(step()).toBe(100);
    pictures.value = { ...pictures.value, busy: true };
    vi.advanceTimersByTime(5000);
    expect(step()).toBe(100);
    pictures.value = { ...pictures.value, busy: false };
    vi.advanceTimersByTime(0);
    expect(step()).toBe(200);
    player.dispose();
  });

  it("begins again at the end, or stops there", () => {
    const player = startPlayer(store, loader, ahead, atOnce);
    store.update({ step: null });
    store.playing.value = true;
    vi.advanceTimersByTime(600);
    expect(step()).toBe(0);
    store.update({ playing: { ...store.selection.value.playing, loop: false } });
    vi.advanceTimersByTime(2000);
    expect(step()).toBe(200);
    expect(store.playing.value).toBe(false);
    player.dispose();
  });

  it("does not play a single step, and nothing after its end", () => {
    const player = startPlayer(store, loader, ahead, atOnce);
    store.playing.value = true;
    player.dispose();
    vi.advanceTimersByTime(2000);
    expect(step()).toBe(0);
    store.index.value = index({ a: [series({ steps: [0] })] });
    const other = startPlayer(store, loader, ahead, atOnce);
    expect(store.playing.value).toBe(false);
    other.dispose();
  });

  it("waits for a step that is not here yet and leaves none out", () => {
    const player = startPlayer(store, loader, ahead, atOnce);
    late.add(200);
    store.playing.value = true;
    vi.advanceTimersByTime(3000);
    expect(step()).toBe(100);
    late.clear();
    arrived.value += 1;
    vi.advanceTimersByTime(0);
    expect(step()).toBe(200);
    player.dispose();
  });

  it("keeps the pace that was chosen, and never moves on before a step was painted", () => {
    const frames: (() => void)[] = [];
    store.index.value = index({ a: [series({ steps: Array.from({ length: 100 }, (_, i) => i) })] });
    store.update({ playing: { speed: 10, loop: true } });
    const player = startPlayer(store, loader, ahead, (then) => void frames.push(then));
    store.playing.value = true;
    vi.advanceTimersByTime(5000);
    expect(step()).toBe(1);
    frames.splice(0).forEach((then) => then());
    vi.advanceTimersByTime(0);
    expect(step()).toBe(2);
    player.dispose();
    const free = startPlayer(store, loader, ahead, atOnce);
    store.playing.value = false;
    store.playing.value = true;
    vi.advanceTimersByTime(2000);
    expect(step()).toBe(22);
    free.dispose();
  });
});
