import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { tokenAxis } from "../base/axis";
import { Kind } from "../data/types";
import { Store } from "../state/store";
import { index, series } from "../state/testing";
import { listenToKeys } from "./keyboard";
import { FakeElement, FakeWindow, keyEvent } from "./testing";

let host: FakeWindow;
let own: FakeWindow;
let store: Store;

beforeEach(() => {
  vi.stubGlobal("Element", FakeElement);
  host = new FakeWindow();
  own = new FakeWindow(host);
  store = new Store();
  store.index.value = index({ a: [series({ id: "a", steps: [0, 100, 200] })] });
  store.headRows.value = [{ layer: 0, heads: [0, 1] }, { layer: 1, heads: [0, 1] }];
  listenToKeys(own.asWindow, store);
});

afterEach(() => vi.unstubAllGlobals());

function press(key: string, on: FakeElement = own.document.body, more: Partial<KeyboardEventInit> = {}): Event {
  const event = keyEvent(key, on, more);
  own.document.dispatchEvent(event);
  return event;
}

describe("listenToKeys", () => {
  it("moves through heads and steps, and keeps the page from scrolling", () => {
    expect(press("ArrowRight").defaultPrevented).toBe(true);
    expect(store.selection.value).toMatchObject({ layer: 0, head: 1 });
    press("[");
    expect(store.selection.value.step).toBe(100);
    press("{");
    expect(store.selection.value.step).toBe(0);
    press("}");
    expect(store.selection.value.step).toBeNull();
  });

  it("does what the keys of the help say", () => {
    press("a");
    expect(store.selection.value.a).toEqual({ run: "a", step: 200 });
    press("d");
    expect(store.selection.value.difference).toBe(true);
    press("t");
    expect(store.selection.value.table).toBe(true);
    press("m");
    expect(store.selection.value.pool).toBe("mean");
    press(" ");
    expect(store.playing.value).toBe(true);
    press("?");
    expect(store.helpOpen.value).toBe(true);
    press("Escape");
    expect(store.helpOpen.value).toBe(false);
    press("e");
    expect(store.exportOpen.value).toBe(true);
    press("Escape");
    expect(store.exportOpen.value).toBe(false);
  });

  it("moves through the tokens of the map in focus, by positions", () => {
    press("i");
    expect(store.selection.value.query).toBeNull();
    store.axes.value = { query: tokenAxis(100, 1, [5, 9, 20]), key: tokenAxis(12, 4) };
    press("k");
    press("k");
    expect(store.selection.value.query).toBe(9);
    press("K");
    press("k");
    expect(store.selection.value.query).toBe(20);
    press("i");
    press("l");
    press("l");
    expect(store.selection.value).toMatchObject({ query: 9, key: 4 });
    press("j");
    press("j");
    expect(store.selection.value.key).toBe(0);
    press("Escape");
    expect(store.selection.value).toMatchObject({ query: 9, key: null });
  });

  it("moves the large map, where there is one, and leaves Shift and arrows alone elsewhere", () => {
    const head = (): unknown => ({ layer: store.selection.value.layer, head: store.selection.value.head });
    const before = head();
    expect(press("ArrowRight", own.document.body, { shiftKey: true }).defaultPrevented).toBe(false);
    const map = { cells: 9, zoom: vi.fn(), pan: vi.fn() };
    store.viewports.add(() => map);
    press("+");
    press("-");
    expect(map.zoom.mock.calls).toEqual([[1.5], [1 / 1.5]]);
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
      expect(press(key, own.document.body, { shiftKey: true }).defaultPrevented).toBe(true);
    }
    expect(map.pan.mock.calls).toEqual([[-0.25, 0], [0.25, 0], [0, -0.25], [0, 0.25]]);
    expect(head()).toEqual(before);
    store.viewports.move({ key: 1, query: 1, keys: 2, queries: 2 });
    press("0");
    expect(store.viewports.shown.value).toBeNull();
  });

  it("leaves typing, buttons, browser shortcuts and what others have handled alone", () => {
    const before = store.selection.value;
    press("d", new FakeElement(["textarea"]));
    press(" ", new FakeElement(["button"]));
    press("ArrowRight", new FakeElement(["[role=slider]"]));
    press("ArrowDown", new FakeElement(["[data-keys=scroll]"]));
    press("a", own.document.body, { ctrlKey: true });
    const handled = keyEvent("d", own.document.body);
    handled.preventDefault();
    own.document.dispatchEvent(handled);
    expect(store.selection.value).toBe(before);
    expect(store.playing.value).toBe(false);
  });

  it("lets arrows scroll in views without heads", () => {
    store.index.value = index({ a: [series({ id: "a", kind: Kind.ATTRIBUTION, name: "n" })] });
    store.update({ view: "attributions" });
    const { view } = store.resolved.value;
    expect(view).toBe("attributions");
    expect(press("ArrowDown").defaultPrevented).toBe(false);
  });

  it("hears the host's keys while nothing there has the focus and the page is in front", () => {
    host.document.dispatchEvent(keyEvent("d", host.document.body));
    expect(store.selection.value.difference).toBe(true);
    host.document.dispatchEvent(keyEvent("d", new FakeElement()));
    expect(store.selection.value.difference).toBe(true);
    own.frameElement = { isConnected: true, getClientRects: () => [] };
    host.document.dispatchEvent(keyEvent("d", host.document.body));
    expect(store.selection.value.difference).toBe(true);
  });

  it("falls silent when the frame is thrown away", () => {
    own.dispatchEvent(new Event("pagehide"));
    host.document.dispatchEvent(keyEvent("d", host.document.body));
    expect(store.selection.value.difference).toBe(false);
  });
});
