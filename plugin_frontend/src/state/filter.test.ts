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
});
