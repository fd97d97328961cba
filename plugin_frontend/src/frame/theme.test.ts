import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeWindow } from "./testing";
import { followTheme } from "./theme";

const observers: { notify: () => void; node: unknown; connected: boolean }[] = [];

beforeEach(() => {
  observers.length = 0;
  class Observer {
    private entry: (typeof observers)[number] | undefined;
    constructor(private readonly callback: () => void) {}
    observe(node: unknown): void {
      this.entry = { notify: this.callback, node, connected: true };
      observers.push(this.entry);
    }
    disconnect(): void {
      if (this.entry !== undefined) this.entry.connected = false;
    }
  }
  vi.stubGlobal("MutationObserver", Observer);
});

afterEach(() => vi.unstubAllGlobals());

it("is as TensorBoard is, whatever the system prefers", () => {
  const host = new FakeWindow();
  const own = new FakeWindow(host);
  own.preference.matches = true;
  const seen: boolean[] = [];
  const life = followTheme(own.asWindow, (dark) => seen.push(dark));
  expect(seen).toEqual([false]);
  host.document.body.classes.add("dark-mode");
  expect(observers.map(({ node }) => node)).toEqual([host.document.body]);
  observers[0]!.notify();
  expect(seen).toEqual([false, true]);
  life.dispose();
  expect(observers[0]!.connected).toBe(false);
});

it("is as the system prefers where there is no host", () => {
  const own = new FakeWindow();
  own.document.body.classes.add("dark-mode");
  const seen: boolean[] = [];
  const life = followTheme(own.asWindow, (dark) => seen.push(dark));
  own.preference.matches = true;
  own.preference.dispatchEvent(new Event("change"));
  life.dispose();
  own.preference.matches = false;
  own.preference.dispatchEvent(new Event("change"));
  expect(seen).toEqual([false, true]);
  expect(observers).toEqual([]);
});
