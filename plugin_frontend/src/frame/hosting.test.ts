import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Store } from "../state/store";
import { index, series } from "../state/testing";
import { followHash, hostRuns } from "./hosting";
import { FakeWindow } from "./testing";

let host: FakeWindow;
let own: FakeWindow;
let store: Store;

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeWindow();
  own = new FakeWindow(host);
  store = new Store();
  store.index.value = index({ a: [series({ id: "a" })], b: [series({ id: "b" })] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const start = (hash = "#llmdebug"): void => {
  host.location.hash = hash;
  host.entries[0] = { hash };
  followHash(own.asWindow, store);
  vi.advanceTimersByTime(500);
};

describe("followHash", () => {
  it("opens what the host's address names, and leaves the host's own part alone", () => {
    start("#llmdebug&p.llmdebug.view=heads&p.llmdebug.step=100");
    expect(store.selection.value).toMatchObject({ view: "heads", step: 100 });
    store.update({ step: 200 });
    vi.advanceTimersByTime(500);
    expect(host.location.hash).toBe("#llmdebug&p.llmdebug.view=heads&p.llmdebug.step=200");
    expect(own.location.hash).toBe("");
  });

  it("of a saved page opens what it holds, and says where the address names another view or example", () => {
    const said = (hash: string): (string | null | number)[] => {
      store.toast.value = null;
      host.location.hash = hash;
      host.dispatchEvent(new Event("hashchange"));
      vi.advanceTimersByTime(500);
      const { view, example, step } = store.selection.value;
      return [store.toast.value, view, example, step, host.location.hash];
    };
    store.saved.value = { title: "", when: "", view: "heads", example: 1, preview: "" };
    start("#p.llmdebug.view=anomalies");
    const missing = "This file holds only what was on screen when it was saved.";
    const address = "#p.llmdebug.view=heads&p.llmdebug.example=1";
    expect([store.toast.value, host.location.hash]).toEqual([missing, address]);
    expect(said(`${address}&p.llmdebug.step=100`)).toEqual([null, "heads", 1, 100, `${address}&p.llmdebug.step=100`]);
    expect(said("#p.llmdebug.example=0")).toEqual([missing, "heads", 1, null, address]);
    expect(said("#p.llmdebug.view=attention")).toEqual([missing, "heads", 1, null, address]);
    // Which of them is meant is left unsaid.
    expect(said("")).toEqual([null, "heads", 1, null, address]);
  });

  it("makes an entry for each place, and none for steps", () => {
    start();
    store.update({ step: 100 });
    store.update({ step: 0 });
    store.update({ view: "heads" });
    store.update({ step: 100 });
    store.update({ example: 1 });
    vi.advanceTimersByTime(500);
    expect(host.entries.map(({ hash }) => hash.replace("#llmdebug", "").replaceAll("&p.llmdebug.", " "))).toEqual([
      " step=0",
      " view=heads step=100",
      " view=heads example=1 step=100",
    ]);
  });

  it("makes no entry while a map is moved about, and has where it came to rest in the address", () => {
    start();
    for (const key of [10, 20, 30]) {
      store.viewports.move({ key, query: 0, keys: 16, queries: 16 });
      vi.advanceTimersByTime(500);
    }
    expect(host.entries).toHaveLength(1);
    expect(decodeURIComponent(host.location.hash)).toBe("#llmdebug&p.llmdebug.part=30,0,16,16");
  });

  it("goes back and forward through them, and back is not a new entry", () => {
    start();
    store.update({ view: "heads" });
    store.update({ difference: true });
    host.go(-1);
    expect(store.selection.value).toMatchObject({ view: "heads", difference: false });
    vi.advanceTimersByTime(500);
    host.go(-1);
    expect(store.selection.value).toMatchObject({ view: "attention", difference: false });
    vi.advanceTimersByTime(500);
    host.go(2);
    expect(store.selection.value).toMatchObject({ view: "heads", difference: true });
    vi.advanceTimersByTime(500);
    expect(host.entries).toHaveLength(3);
  });

  it("a step that was still to be written stays with the entry that is left", () => {
    start();
    store.update({ step: 100 });
    store.update({ view: "heads" });
    host.go(-1);
    expect(store.selection.value).toMatchObject({ view: "attention", step: 100 });
  });

  it("takes a row of moves to other heads for one", () => {
    start();
    for (let head = 0; head < 5; head += 1) {
      store.update({ layer: 0, head });
      vi.advanceTimersByTime(200);
    }
    vi.advanceTimersByTime(2000);
    expect(host.entries).toHaveLength(2);
    expect(host.location.hash).toContain("head=4");
    store.update({ layer: 1, head: 0 });
    expect(host.entries).toHaveLength(3);
  });

  it("does not follow when the frame is gone", () => {
    start();
    own.dispatchEvent(new Event("pagehide"));
    host.location.hash = "#llmdebug&p.llmdebug.view=heads";
    host.dispatchEvent(new Event("hashchange"));
    expect(store.selection.value.view).toBe("attention");
  });

  it("works in a window of its own", () => {
    followHash(host.asWindow, store);
    store.update({ view: "heads" });
    expect(host.location.hash).toBe("#p.llmdebug.view=heads");
    host.dispatchEvent(new Event("pagehide"));
    host.go(-1);
    expect(store.selection.value.view).toBe("attention");
  });
});

describe("hostRuns", () => {
  const answer = (response: () => Promise<Response>) => vi.stubGlobal("fetch", vi.fn(response));
  const base = new URL("http://host/data/plugin/llmdebug/");

  it("asks TensorBoard for its runs", async () => {
    answer(() => Promise.resolve(Response.json(["b", "a", 3])));
    expect(await hostRuns(base)).toEqual(["b", "a"]);
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe("http://host/data/runs");
  });

  it("does without them", async () => {
    answer(() => Promise.reject(new Error("gone")));
    expect(await hostRuns(base)).toEqual([]);
    answer(() => Promise.resolve(new Response("<html>", { status: 404 })));
    expect(await hostRuns(base)).toEqual([]);
    answer(() => Promise.resolve(Response.json({ runs: 1 })));
    expect(await hostRuns(base)).toEqual([]);
  });
});
