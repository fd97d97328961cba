import { beforeEach, describe, expect, it } from "vitest";
import { Store } from "./store";
import { index, series } from "./testing";

let store: Store;

beforeEach(() => {
  store = new Store();
  store.index.value = index({ a: [series({ id: "a" })], b: [series({ id: "b", steps: [100, 300] })] });
  store.headRows.value = [
    { layer: 0, heads: [0, 1] },
    { layer: 1, heads: [0, 1] },
  ];
});

describe("hover previews, click locks, Esc releases", () => {
  it("shows the first head, then the locked one, then the hovered one", () => {
    expect(store.head.value).toEqual({ layer: 0, head: 0 });
    store.lockHead({ layer: 1, head: 1 });
    expect(store.head.value).toEqual({ layer: 1, head: 1 });
    store.setHover({ layer: 0, head: 1 });
    expect(store.head.value).toEqual({ layer: 0, head: 1 });
    store.setHover({});
    expect(store.head.value).toEqual({ layer: 1, head: 1 });
  });

  it("ignores a head from a link that no shown run has", () => {
    store.update({ layer: 77, head: 3 });
    expect(store.head.value).toEqual({ layer: 0, head: 0 });
  });

  it("releases one lock at a time, the innermost first", () => {
    store.update({ layer: 1, head: 0, query: 3, key: 2, difference: true });
    const locked = (): unknown[] => {
      const { layer, query, key, difference } = store.selection.value;
      return [key, query, difference, layer];
    };
    store.release();
    expect(locked()).toEqual([null, 3, true, 1]);
    store.release();
    expect(locked()).toEqual([null, null, true, 1]);
    store.release();
    expect(locked()).toEqual([null, null, false, 1]);
    store.release();
    expect(locked()).toEqual([null, null, false, null]);
  });

  it("releases by clicking the same thing again", () => {
    store.lockToken(4, null);
    store.lockToken(4, null);
    expect(store.selection.value.query).toBeNull();
    store.lockHead({ layer: 1, head: 0 });
    store.lockHead({ layer: 1, head: 0 });
    expect(store.selection.value.layer).toBeNull();
  });
});

describe("steps", () => {
  it("means the newest at the right end, so that a growing run is followed", () => {
    store.goToStep(100);
    expect(store.selection.value.step).toBe(100);
    store.moveStep(Infinity);
    expect(store.selection.value.step).toBeNull();
    store.index.value = index({ a: [series({ steps: [0, 100, 200, 900] })] });
    expect(store.step.value).toBe(900);
  });

  it("keeps a chosen step, head and pins when the index grows", () => {
    store.update({ step: 100, layer: 1, head: 1, a: { run: "a", step: 0 } });
    store.index.value = index({ a: [series({ steps: [0, 100, 900] })], b: [series({ steps: [100] })] });
    expect(store.step.value).toBe(100);
    expect(store.head.value).toEqual({ layer: 1, head: 1 });
    expect(store.pins.value?.a).toEqual({ run: "a", step: 0 });
  });
});

describe("panels", () => {
  it("show each run at its last record up to the step", () => {
    store.update({ step: 200 });
    expect(store.panels.value.map((panel) => [panel.run, panel.record?.step])).toEqual([
      ["a", 200],
      ["b", 100],
    ]);
    store.update({ step: 0 });
    expect(store.panels.value[1]?.record).toBeUndefined();
  });

  it("become A, B and B - A for a difference", () => {
    store.update({ difference: true, a: { run: "a", step: 0 }, b: { run: "b", step: 300 } });
    expect(store.panels.value.map((panel) => [panel.side, panel.run, panel.record?.step])).toEqual([
      ["A", "a", 0],
      ["B", "b", 300],
      ["difference", "b", 300],
    ]);
  });
});

describe("runs and pins", () => {
  it("never hides the last run", () => {
    store.toggleRun("a");
    expect(store.resolved.value.runs).toEqual(["b"]);
    store.toggleRun("b");
    expect(store.resolved.value.runs).toEqual(["b"]);
  });

  it("pins what is shown, and releases the same pin", () => {
    store.update({ step: 100 });
    store.pin("a");
    expect(store.selection.value.a).toEqual({ run: "a", step: 100 });
    store.pin("a");
    expect(store.selection.value.a).toBeNull();
  });
});

it("does not dim the others for a run that vanished under the pointer", () => {
  store.setHover({ run: "b" });
  expect(store.hoveredRun.value).toBe("b");
  store.index.value = index({ a: [series({ id: "a" })] });
  expect(store.hoveredRun.value).toBeUndefined();
});

describe("previews of the rail", () => {
  const resolved = () => store.resolved.value;

  it("show an example, a name or a run without choosing it, and touch neither choice nor address", () => {
    store.index.value = index({
      a: [series({ id: "a", examples: 3 }), series({ id: "a2", name: "zweit" })],
      b: [series({ id: "b" })],
    });
    store.update({ runs: ["a"] });
    const before = store.selection.value;
    store.setHover({ example: 2 });
    expect([resolved().example, store.settled.value.example]).toEqual([2, 0]);
    store.setHover({ name: "zweit" });
    expect([resolved().name, store.settled.value.name, resolved().example]).toEqual(["zweit", "probe", 0]);
    store.setHover({ run: "b" });
    expect([resolved().runs, store.settled.value.runs]).toEqual([["a", "b"], ["a"]]);
    expect(store.hoveredRun.value).toBe("b");
    store.setHover({ run: "a" });
    expect(resolved()).toBe(store.settled.value);
    expect(store.selection.value).toBe(before);
    store.setHover({ example: 2 });
    store.release();
    // Esc gave up the preview, and nothing that was chosen.
    expect([resolved().example, store.selection.value]).toEqual([0, before]);
  });

  it("a run is chosen by its own box, not by its preview", () => {
    store.update({ runs: ["a"] });
    store.setHover({ run: "b" });
    store.toggleRun("b");
    expect(store.selection.value.runs).toEqual(["a", "b"]);
    store.toggleRun("b");
    expect(store.selection.value.runs).toEqual(["a"]);
  });

  it("Escape gives up one choice after the other, down to the defaults", () => {
    store.update({ runs: ["b"], run: "b", name: "probe", example: 1, step: 100 });
    const left = (): unknown[] => {
      const { step, example, name, runs } = store.selection.value;
      return [step, example, name, runs?.length ?? null];
    };
    const seen = [left()];
    for (let press = 0; press < 4; press += 1) {
      store.release();
      seen.push(left());
    }
    expect(seen).toEqual([[100, 1, "probe", 1], [null, 1, "probe", 1], [null, 0, "probe", 1], [null, 0, null, 1], [null, 0, null, null]]);
  });
});

it("a saved page has one view and one example; where another view is looked for, it says that it is not there", () => {
  store.saved.value = { title: "", when: "", view: "heads", example: 1, preview: "" };
  expect([store.resolved.value.views, store.resolved.value.view, store.resolved.value.example, store.examples.value]).toEqual([["heads"], "heads", 1, [1]]);
  store.update({ view: "heads", step: 100 });
  expect(store.toast.value).toBeNull();
  store.update({ view: "attention", step: 0, example: 0 });
  expect(store.toast.value).toBe("This file holds only what was on screen when it was saved.");
  expect([store.selection.value.view, store.resolved.value.view, store.resolved.value.step, store.resolved.value.example]).toEqual(["heads", "heads", 0, 1]);
});
