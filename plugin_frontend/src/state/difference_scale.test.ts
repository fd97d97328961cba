import { effect, signal, type Signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { DifferenceScale, readDifferenceEnd } from "./difference_scale";
import { Store } from "./store";
import { decodeSelection, encodeSelection } from "./urlcodec";

const scaleOf = (end: Signal<number>): DifferenceScale => new DifferenceScale(end, (value) => (end.value = value));

describe("the scale of differences", () => {
  it("is one for all pictures and only grows until the difference is left", () => {
    const scale = scaleOf(signal(0));
    const seen: number[] = [];
    const stop = effect(() => void seen.push(scale.limit(0)));
    scale.include(0.27); // the panels
    scale.include(0.71); // a small map of another step
    scale.include(0.12);
    expect(seen).toEqual([1, 0.3, 0.8]);
    expect(scale.limit(0.12)).toBe(0.8);
    // What is on screen already is never beyond the end.
    expect(scale.limit(0.85)).toBe(1);
    scale.reset();
    expect(scale.limit(0.12)).toBe(0.15);
    stop();
  });

  it("goes through a link, though what it grew by is not on screen there", () => {
    const [store, other] = [new Store(), new Store()];
    store.update({ difference: true });
    store.differenceScale.include(0.71);
    other.selection.value = decodeSelection(encodeSelection(store.selection.value).join("&"));
    expect(other.differenceScale.limit(0.12)).toBe(0.8);
    store.differenceScale.reset();
    expect(encodeSelection(store.selection.value).join("&")).not.toContain("end=");
  });

  it.each([0.71, 0.012, 1.2e-6, 3e-8, 1])("reads every end that it can have: %d", (largest) => {
    const end = signal(0);
    scaleOf(end).include(largest);
    expect(readDifferenceEnd(String(end.value))).toBe(end.value);
  });
});
