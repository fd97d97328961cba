import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { overviewOf } from "../data/testing_overview";
import { Kind, type AttributionStepInfo, type MapRef, type Overview, type TokenList } from "../data/types";
import { Loader } from "./loader";
import { refKey } from "./resolve";
import { Store } from "./store";
import { index, series } from "./testing";

const NONE = new Uint8Array();
const tokens: TokenList = { text: ["word"], ids: [], special: NONE, part: NONE, parts: NONE };

const overview = (ref: MapRef): Overview => overviewOf({ ref, queryTokens: tokens, keyTokens: tokens });

/** A server whose answers to `overview` come when the test says so. */
class FakeSource {
  readonly waiting: { refs: MapRef[]; signal: AbortSignal | undefined; answer: () => void; fail: (reason: string) => void }[] = [];
  readonly held = new Map<string, Overview>();
  current = index({ a: [series({ id: "a", steps: [0, 100] })] });
  readonly attributions = vi.fn(() => Promise.resolve({ error: null, steps: [{ tokens } as AttributionStepInfo] }));
  readonly index = vi.fn(() => Promise.resolve(this.current));
  readonly anomalies = vi.fn(() => Promise.resolve([]));
  readonly scalars = vi.fn(() => Promise.resolve({ tags: [], tag: "", steps: [], values: [] }));
  readonly head = vi.fn(() => Promise.resolve([]));
  readonly cached = (ref: MapRef): Overview | undefined => this.held.get(refKey(ref));

  readonly overview = (refs: MapRef[], { signal }: { signal?: AbortSignal } = {}): Promise<{ overviews: Overview[]; comparisons: [] }> =>
    new Promise((resolve, reject) => {
      const answer = (): void => {
        const overviews = refs.map(overview);
        overviews.forEach((one) => this.held.set(refKey(one.ref), one));
        resolve({ overviews, comparisons: [] });
      };
      this.waiting.push({ refs, signal, answer, fail: (reason) => reject(new Error(reason)) });
    });
}

let source: FakeSource;
let store: Store;
let loader: Loader;

const asked = (key: string) => source.waiting.filter((one) => one.refs.some((ref) => refKey(ref) === key)).at(-1);

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

async function start(): Promise<void> {
  loader = new Loader(source, store);
  loader.start();
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  source = new FakeSource();
  store = new Store();
  store.drawn.value = true;
});

afterEach(() => {
  loader.dispose();
  vi.useRealTimers();
});

const shownSteps = (): string[] => [...(loader.pictures.value.value?.overviews.keys() ?? [])];

describe("the first picture", () => {
  it("is waited for until it is here or has failed, and by all else until it is drawn", async () => {
    store.drawn.value = false;
    source.current = index({ a: [series({ id: "a", steps: [0, 100], examples: 8 })] });
    await start();
    expect(loader.opening.value).toBe(true);
    asked("a.1.0")?.answer();
    await settle();
    expect(loader.opening.value).toBe(false);
    expect(source.scalars).not.toHaveBeenCalled();
    expect(source.waiting).toHaveLength(1);
    store.drawn.value = true;
    await settle();
    expect(source.scalars).toHaveBeenCalledOnce();
    expect(source.waiting).toHaveLength(2);
  });

  it("is not waited for where its request failed", async () => {
    await start();
    asked("a.1.0")?.fail("The server is gone.");
    await settle();
    expect(loader.opening.value).toBe(false);
  });

  it("is not waited for where there is nothing to draw", async () => {
    source.current = index({});
    await start();
    expect(loader.opening.value).toBe(false);
    source.current = index({ a: [series({ id: "a", kind: Kind.ATTRIBUTION })] });
    loader.dispose();
    await start();
    expect(loader.opening.value).toBe(false);
  });
});

describe("pictures", () => {
  it("are those of the newest selection, in whatever order the answers come", async () => {
    await start();
    store.update({ step: 0 });
    asked("a.0.0")?.answer();
    await settle();
    expect(shownSteps()).toEqual(["a.0.0"]);
    asked("a.1.0")?.answer();
    await settle();
    expect(shownSteps()).toEqual(["a.0.0"]);
    expect(loader.pictures.value.busy).toBe(false);
  });

  it("stay beside a failure, which says why and can be tried again", async () => {
    await start();
    asked("a.1.0")?.answer();
    await settle();
    store.update({ step: 0 });
    asked("a.0.0")?.fail("The server is gone.");
    await settle();
    expect(shownSteps()).toEqual(["a.1.0"]);
    expect(loader.pictures.value.error).toBe("The server is gone.");
    loader.retry();
    asked("a.0.0")?.answer();
    await settle();
    expect(shownSteps()).toEqual(["a.0.0"]);
    expect(loader.pictures.value.error).toBeNull();
  });

  it("are not asked for where no picture is shown", async () => {
    source.current = index({ a: [series({ id: "a" }), series({ id: "s", kind: Kind.ATTRIBUTION, name: "t", examples: 1 })] });
    store.update({ view: "attributions" });
    await start();
    expect(loader.pictures.value).toEqual({ value: undefined, busy: false, error: null });
    expect(source.attributions).toHaveBeenCalledWith("s", 0, expect.anything());
  });
});

describe("names of examples", () => {
  it("come in every view, from the maps if there are any", async () => {
    source.current = index({ a: [series({ id: "a" }), series({ id: "s", kind: Kind.ATTRIBUTION, name: "t" })] });
    store.update({ view: "attributions" });
    await start();
    expect(source.waiting.flatMap((one) => one.refs).map(refKey)).toEqual(["a.2.0", "a.2.1"]);
    expect(loader.exampleText(1)).toBeUndefined();
    source.waiting[0]?.answer();
    await settle();
    expect(loader.previews.value).toBe(1);
    expect(loader.exampleText(1)?.tokens).toBe(tokens);
  });

  it("come for all of them where the pictures are of other steps", async () => {
    store.update({ difference: true, b: { run: "a", step: 0 } });
    await start();
    asked("a.0.0")?.answer();
    await settle();
    const refs = source.waiting.flatMap((one) => one.refs).map(refKey);
    expect(refs).toContain("a.1.0");
    expect(refs).toContain("a.1.1");
  });

  it("come from the attributions of a run without maps", async () => {
    source.current = index({ a: [series({ id: "s", kind: Kind.ATTRIBUTION, name: "t", examples: 2 })] });
    await start();
    await settle();
    expect(loader.exampleText(0)?.tokens).toBe(tokens);
    expect(loader.exampleText(1)?.tokens).toBe(tokens);
  });

  it("stay while the selection moves on", async () => {
    await start();
    source.waiting.forEach((one) => one.answer());
    await settle();
    source.waiting.forEach((one) => one.answer());
    await settle();
    expect(loader.exampleText(1)).toBeDefined();
    store.update({ step: 0 });
    expect(loader.exampleText(1)).toBeDefined();
  });
});

describe("previews of other examples", () => {
  const answerAll = async (): Promise<void> => {
    source.waiting.forEach((one) => one.answer());
    await settle();
  };
  const others = (): string[] => source.waiting.flatMap(({ refs }) => refs.filter((ref) => ref.example > 0).map(refKey));

  beforeEach(async () => {
    source.current = index({ a: [series({ id: "a", steps: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90], examples: 8 })] });
    store.update({ step: 0 });
    await start();
    source.waiting[0]?.answer();
    await settle();
  });

  it("are not asked for at steps that are played, and given up when playing begins", async () => {
    expect(others()).toHaveLength(7);
    const first = source.waiting.at(-1);
    store.playing.value = true;
    expect(first?.signal?.aborted).toBe(true);
    for (let step = 1; step < 10; step++) {
      store.moveStep(1);
      await answerAll();
    }
    expect(others()).toHaveLength(7);
    store.playing.value = false;
    expect(others().slice(7)).toEqual([1, 2, 3, 4, 5, 6, 7].map((example) => `a.9.${example}`));
  });

  it("are asked for once, and another step's give way", async () => {
    const first = source.waiting.at(-1);
    store.update({ filter: "x" });
    await settle();
    expect(others()).toHaveLength(7);
    expect(first?.signal?.aborted).toBe(false);
    store.update({ step: 10 });
    asked("a.1.0")?.answer();
    await settle();
    expect(first?.signal?.aborted).toBe(true);
    expect(others().slice(7)).toHaveLength(7);
  });

  it("are asked for again after a failure, when something changes", async () => {
    source.waiting.at(-1)?.fail("The server is gone.");
    await settle();
    store.update({ filter: "x" });
    expect(others()).toHaveLength(14);
  });
});

describe("the index", () => {
  it("is read again and again, and a failure neither ends that nor loses what was there", async () => {
    await start();
    source.index.mockRejectedValueOnce(new Error("No answer."));
    await vi.advanceTimersByTimeAsync(3000);
    expect(store.indexError.value).toBe("No answer.");
    expect(store.index.value.runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3000);
    expect(store.indexError.value).toBeNull();
    loader.dispose();
    const calls = source.index.mock.calls.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.index.mock.calls.length).toBe(calls);
  });

  it("is asked for less often when that takes long", async () => {
    await start();
    const slow = (): Promise<typeof source.current> =>
      new Promise((resolve) => setTimeout(() => resolve(source.current), 2000));
    source.index.mockImplementation(slow);
    await vi.advanceTimersByTimeAsync(5000);
    const calls = source.index.mock.calls.length;
    await vi.advanceTimersByTimeAsync(19_000);
    expect(source.index.mock.calls.length).toBe(calls);
    await vi.advanceTimersByTimeAsync(2000);
    expect(source.index.mock.calls.length).toBe(calls + 1);
  });
});
