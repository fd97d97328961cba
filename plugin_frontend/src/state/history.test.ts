import { describe, expect, it } from "vitest";
import { changeOf } from "./history";
import { DEFAULT_SELECTION, type Selection } from "./selection";

const from = (patch: Partial<Selection>) => changeOf(DEFAULT_SELECTION, { ...DEFAULT_SELECTION, ...patch });

describe("changeOf", () => {
  it("takes what a reader chose for a place", () => {
    const places: Partial<Selection>[] = [
      { view: "heads" }, { runs: ["a"] }, { run: "a" }, { name: "n" }, { attribution: "n" }, { example: 1 },
      { a: { run: "a", step: 0 } }, { b: { run: "a", step: 0 } }, { difference: true },
    ];
    expect(places.map(from)).toEqual(places.map(() => "place"));
    expect(from({ layer: 1, head: 2 })).toBe("head");
    expect(from({ layer: 1, head: 2, view: "heads" })).toBe("place");
  });

  it("does not take steps, tokens, colours or equal lists for one", () => {
    const same: Partial<Selection>[] = [{ step: 5 }, { query: 1, key: 2 }, { exposure: 4 }, { table: true }, { filter: "x" }];
    expect(same.map(from)).toEqual(same.map(() => "none"));
    const one = { ...DEFAULT_SELECTION, runs: ["a", "b"], a: { run: "a", step: 1 } };
    expect(changeOf(one, { ...one, runs: ["a", "b"], a: { run: "a", step: 1 } })).toBe("none");
  });
});
