import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FocusView } from "../render/types";
import { readViewport, Viewports, writeViewport, type Movable } from "./viewport";

const part: FocusView = { key: 10, query: 20, keys: 30, queries: 40 };

describe("a part in the URL", () => {
  it("comes back, to less than a pixel", () => {
    expect(writeViewport({ key: 1 / 3, query: 0, keys: 100, queries: 64.5 })).toBe("0.333,0,100,64.5");
    expect(readViewport("0.333,0,100,64.5")).toEqual({ key: 0.333, query: 0, keys: 100, queries: 64.5 });
    expect(writeViewport(null)).toBeNull();
  });

  it("is never written as what would not be read", () => {
    const text = writeViewport({ key: 32_767.999_9, query: 1e-9, keys: 0.5, queries: 20 }) ?? "";
    expect(readViewport(text)).toEqual({ key: 32_768, query: 0, keys: 0.5, queries: 20 });
  });
});

describe("what is in sight", () => {
  const selected = signal<FocusView | null>(null);
  let views: Viewports;
  const select = vi.fn((view: FocusView | null) => (selected.value = view));

  beforeEach(() => {
    vi.useFakeTimers();
    selected.value = null;
    select.mockClear();
    views = new Viewports(selected, select);
  });

  afterEach(() => vi.useRealTimers());

  it("moves at once, and the selection once it rests", () => {
    for (const key of [10, 11, 12]) views.move({ ...part, key });
    expect(views.shown.value?.key).toBe(12);
    expect(select).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(select.mock.calls).toEqual([[{ ...part, key: 12 }]]);
    expect(views.shown.value?.key).toBe(12);
  });

  it("follows a link, which also ends a move", () => {
    views.move({ ...part, key: 11 });
    selected.value = part;
    vi.advanceTimersByTime(500);
    expect(views.shown.value).toBe(part);
    expect(select).not.toHaveBeenCalled();
  });

  it("has the largest map led by keys, the first of equals, and none once they are gone", () => {
    const map = (cells: number): (() => Movable) => {
      const one: Movable = { cells, zoom: () => undefined, pan: () => undefined };
      return () => one;
    };
    const [small, large, same] = [map(4), map(9), map(9)];
    const entries = [small, large, same].map((one) => views.add(one));
    expect(views.lead()).toBe(large());
    entries[1]?.dispose();
    expect(views.lead()).toBe(same());
    entries.forEach((entry) => entry.dispose());
    expect(views.lead()).toBeNull();
    views.add(map(0));
    expect(views.lead()).toBeNull();
  });
});
