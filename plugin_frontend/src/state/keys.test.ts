import { describe, expect, it } from "vitest";
import { actionOf, capsOf, moveHead, SHORTCUTS, type KeyFacts } from "./keys";

const press = (key: string, patch: Partial<KeyFacts> = {}): string | undefined =>
  actionOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, target: "page", ...patch });

describe("actionOf", () => {
  it("knows the keys that UX.md names", () => {
    expect(["[", "]", "a", "B", "d", " ", "?", "Escape", "ArrowUp"].map((key) => press(key))).toEqual([
      "stepBack",
      "stepForward",
      "pinA",
      "pinB",
      "difference",
      "play",
      "help",
      "release",
      "layerUp",
    ]);
  });

  it("leaves the browser its own shortcuts", () => {
    expect(press("a", { ctrlKey: true })).toBeUndefined();
    expect(press("d", { metaKey: true })).toBeUndefined();
  });

  it("leaves text being typed alone, except for Escape", () => {
    expect(press("a", { target: "text" })).toBeUndefined();
    expect(press("Escape", { target: "text" })).toBe("release");
  });

  it("leaves a control the keys that operate it", () => {
    expect(press(" ", { target: "control" })).toBeUndefined();
    expect(press("ArrowDown", { target: "control" })).toBeUndefined();
    expect(press("]", { target: "control" })).toBe("stepForward");
    expect(press("ArrowLeft", { target: "slider" })).toBeUndefined();
    expect(press(" ", { target: "slider" })).toBe("play");
  });

  it("gives no key two meanings", () => {
    const keys = SHORTCUTS.flatMap(({ keys, shift = false }) => keys.map((key) => `${shift ? "Shift " : ""}${key}`));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("tells arrows with Shift from those without, and letters never", () => {
    expect(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => press(key, { shiftKey: true }))).toEqual(["panLeft", "panRight", "panUp", "panDown"]);
    expect(press("ArrowLeft", { shiftKey: true, target: "slider" })).toBeUndefined();
    expect(press("A", { shiftKey: true })).toBe("pinA");
    expect(press("?", { shiftKey: true })).toBe("help");
  });

  it("prints Shift on a key cap of its own", () => {
    expect(SHORTCUTS.filter(({ action }) => ["headLeft", "panLeft"].includes(action)).map(capsOf)).toEqual([["←"], ["Shift", "←"]]);
  });
});

describe("moveHead", () => {
  const rows = [
    { layer: 0, heads: [0, 1, 2, 3] },
    { layer: 2, heads: [0, 5] },
  ];

  it("stays inside the grid", () => {
    expect(moveHead(rows, { layer: 0, head: 0 }, "headLeft")).toEqual({ layer: 0, head: 0 });
    expect(moveHead(rows, { layer: 2, head: 5 }, "headRight")).toEqual({ layer: 2, head: 5 });
    expect(moveHead(rows, { layer: 0, head: 1 }, "layerUp")).toEqual({ layer: 0, head: 1 });
  });

  it("moves by place where layers have different heads", () => {
    expect(moveHead(rows, { layer: 0, head: 1 }, "layerDown")).toEqual({ layer: 2, head: 5 });
    expect(moveHead(rows, { layer: 0, head: 3 }, "layerDown")).toEqual({ layer: 2, head: 5 });
    expect(moveHead(rows, { layer: 2, head: 0 }, "headRight")).toEqual({ layer: 2, head: 5 });
  });

  it("does nothing without a grid", () => {
    expect(moveHead([], { layer: 1, head: 1 }, "headRight")).toEqual({ layer: 1, head: 1 });
  });
});
