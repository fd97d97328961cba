import { describe, expect, it } from "vitest";
import { DEFAULT_LENS, readLens, writeLens, type LensState } from "./lens";

describe("the lens in the URL", () => {
  it("is not there while all is as by default", () => {
    expect(writeLens(DEFAULT_LENS)).toBeNull();
    expect(readLens("")).toEqual(DEFAULT_LENS);
  });

  it("comes back as it was written", () => {
    const states: LensState[] = [
      { sinks: "shown", mass: 1, lens: "rollout" },
      { ...DEFAULT_LENS, lens: "value" },
      { ...DEFAULT_LENS, mass: 90 },
    ];
    for (const state of states) expect(readLens(writeLens(state) ?? "")).toEqual(state);
    expect(writeLens({ ...DEFAULT_LENS, mass: 90 })).toBe("mass=90");
  });

  it("falls back where it is hostile", () => {
    for (const text of ["mass=0", "mass=101", "mass=1e2", "mass=-5", "sinks=__proto__", "lens=<b>", ";;=;=", "x".repeat(1e6)]) {
      expect(readLens(text)).toEqual(DEFAULT_LENS);
    }
    expect(readLens("mass=0;sinks=shown")).toEqual({ ...DEFAULT_LENS, sinks: "shown" });
  });
});
