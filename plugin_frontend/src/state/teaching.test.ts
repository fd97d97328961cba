import { describe, expect, it } from "vitest";
import { DEFAULT_TEACHING, queryOf, readTeaching, shownStep, stepAway, writeTeaching, type TeachingState } from "./teaching";
import { moveTeaching, toggleTeaching } from "./teaching_moves";
import { stepNames } from "../data/attention_steps";
import { DEFAULT_SELECTION, release } from "./selection";
import { Store } from "./store";

describe("the explanation in the URL", () => {
  it("is nothing while it is closed", () => {
    expect(writeTeaching(DEFAULT_TEACHING)).toBeNull();
  });

  it.each<TeachingState>([
    { step: "softmax", place: null },
    { step: "cap", place: 2 },
  ])("comes back: %o", (state) => {
    expect(readTeaching(writeTeaching(state) ?? "")).toEqual(state);
  });

  it.each(["", "everything", "softmax@", "softmax@-1", "softmax@999", "__proto__", "softmax@1@2", "product".repeat(1000)])(
    "falls back to closed for %s",
    (text) => {
      expect(readTeaching(text)).toEqual(DEFAULT_TEACHING);
    },
  );
});

describe("the step that is shown", () => {
  const plain = stepNames({ softcap: 0, bias: null });
  const all = stepNames({ softcap: 5, bias: new Float32Array(1) });

  it("is the one after where the model has no such step", () => {
    expect(shownStep(plain, "cap")).toBe("mask");
    expect(shownStep(all, "cap")).toBe("cap");
  });

  it("moves over what the model does not have", () => {
    expect(stepAway(plain, "scale", 1)).toBe("mask");
    expect(stepAway(plain, "mask", -1)).toBe("scale");
    expect(stepAway(plain, "product", -1)).toBeUndefined();
    expect(stepAway(all, "output", 1)).toBeUndefined();
  });

  it("moves with the keys, opens at the first and is released first", () => {
    const store = new Store();
    moveTeaching(store, 1);
    expect(store.selection.value.teaching.step).toBeNull();
    store.update({ teaching: { step: "product", place: 1 }, query: 3 });
    for (const name of ["scale", "mask", "softmax", "output", "output"]) {
      moveTeaching(store, 1);
      expect(store.selection.value.teaching).toEqual({ step: name, place: 1 });
    }
    const released = release(store.selection.value);
    expect(released.teaching).toEqual(DEFAULT_TEACHING);
    expect(released.query).toBe(3);
    toggleTeaching(store);
    expect(store.selection.value.teaching).toEqual(DEFAULT_SELECTION.teaching);
  });
});

describe("the query", () => {
  const mask = Uint8Array.of(0, 1, 1, 1, 0);

  it("is hovered, else locked, else the last real one", () => {
    expect(queryOf(2, 1, 5, [], mask)).toBe(2);
    expect(queryOf(undefined, 1, 5, [], mask)).toBe(1);
    expect(queryOf(undefined, null, 5, [], mask)).toBe(3);
    expect(queryOf(undefined, null, 5, [], null)).toBe(4);
    expect(queryOf(undefined, null, 5, [], new Uint8Array(5))).toBe(4);
  });

  it("is one that was looked at", () => {
    expect(queryOf(9, 7, 5, [], null)).toBe(4);
    expect(queryOf(2, 1, 5, [0, 1], null)).toBe(1);
    expect(queryOf(undefined, null, 9, [2, 6], null)).toBe(6);
  });
});
