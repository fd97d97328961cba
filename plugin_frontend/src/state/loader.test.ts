import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Kind, MapState, type AttributionStepInfo, type MapRef, type Overview, type TokenList } from "../data/types";
import { Loader } from "./loader";
import { refKey } from "./resolve";
import { Store } from "./store";
import { index, series } from "./testing";

const NONE = new Uint8Array();
const tokens: TokenList = { text: ["word"], ids: [], special: NONE, part: NONE, parts: NONE };

function overview(ref: MapRef): Overview {
  return {
    ref,
    pool: "max",
    error: null,
    step: 0,
    mapState: MapState.FULL,
    layers: [],
    statisticNames: [],
    queryTokens: tokens,
    keyTokens: tokens,
    queryMask: null,
    keyMask: null,
    checks: [],
    anomalies: [],
    reduction: "",
    causal: null,
    batch: 1,
  };
}

/** A server whose answers to `overview` come when the test says so. */
class FakeSource {
  readonly waiting: { refs: MapRef[]; answer: () => void; fail: (reason: string) => void }[] = [];
  readonly held = new Map<string, Overview>();
  current = index({ a: [series({ id: "a", steps: [0, 100] })] });
  readonly attributions = vi.fn(() => Promise.resolve({ error: null, steps: [{ tokens } as AttributionStepInfo] }));
  readonly index = vi.fn(() => Promise.resolve(this.current));
  readonly anomalies = vi.fn(() => Promise.resolve([]));
  readonly scalars = vi.fn(() => Promise.resolve({ tags: [], tag: "", steps: [], values: [] }));
  readonly head = vi.fn(() => Promise.resolve([]));
  readonly prefetch = vi.fn();
  readonly cached = (ref: MapRef): Overview | undefined => this.held.get(refKey(ref));

  readonly overview = (refs: MapRef[]): Promise<{ overviews: Overview[]; comparisons: [] }> =>
    new Promise((resolve, reject) => {
      const answer = (): void => {
        const overviews = refs.map(overview);
        overviews.forEach((one) => this.held.set(refKey(one.ref), one));
        resolve({ overviews, comparisons: [] });
      };
      this.waiting.push({ refs, answer, fail: (reason) => reject(new Error(reason)) });
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
});

afterEach(() => {
  loader.dispose();
  vi.useRealTimers();
});

const shownSteps = (): string[] => [...(loader.pictures.value.value?.overviews.keys() ?? [])];

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
});
