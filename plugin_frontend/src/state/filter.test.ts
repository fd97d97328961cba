import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter";

describe("compileFilter", () => {
  it("matches as TensorBoard does: anywhere, whatever the case", () => {
    const filter = compileFilter("LR=.*3");
    expect([filter.matches("run/lr=1e-3"), filter.matches("run")]).toEqual([true, false]);
  });

  it("says what is wrong and hides nothing", () => {
    const filter = compileFilter("(");
    expect(filter.error).toMatch(/group/i);
    expect(filter.matches("anything")).toBe(true);
  });

  it("of a link cannot hang the page", () => {
    expect(compileFilter("(.+)+§").matches("lr=1e-3,seed=2/".repeat(50))).toBe(false);
  });

  it("is looked for as it stands where it asks for more than is done", () => {
    const filter = compileFilter("(?!Seed)");
    expect(filter).toMatchObject({ error: null, asText: true });
    expect([filter.matches("a(?!seed)b"), filter.matches("lr")]).toEqual([true, false]);
  });
});
