import { describe, expect, it } from "vitest";
import { runColours } from "./palette";

describe("runColours", () => {
  it("deals the palette in sorted order when the host lists nothing", () => {
    const colours = runColours(["b", "a"], [], false);
    expect([colours.get("a"), colours.get("b")]).toEqual(["#425066", "#12b5cb"]);
  });

  it("follows the host's order, counting runs that only the host has", () => {
    const colours = runColours(["a", "b", "z"], ["scalars only", "b"], true);
    expect([...colours.keys()]).toEqual(["b", "a", "z"]);
    expect([colours.get("b"), colours.get("a")]).toEqual(["#12b5cb", "#e52592"]);
  });

  it("starts again after the last colour", () => {
    const names = Array.from({ length: 8 }, (_, i) => `r${i}`);
    const colours = runColours(names, [], false);
    expect(colours.get("r7")).toBe(colours.get("r0"));
  });
});
