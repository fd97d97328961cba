import { describe, expect, it } from "vitest";
import { elide, isolate, tokenGlyphs } from "./tokens";

describe("tokenGlyphs", () => {
  it.each([
    [" the", "␣the"],
    ["\n\n", "↵↵"],
    ["\t", "⇥"],
    ["", "∅"],
    ["<s>", "<s>"],
    ["\u0000", "⟨0000⟩"],
    ["a\u202eb", "a⟨202E⟩b"],
    ["\u200b", "⟨200B⟩"],
    ["\ud800", "⟨D800⟩"],
    ["👩‍👧", "👩‍👧"],
    ["\u200d", "⟨200D⟩"],
    [`a${"\u0301".repeat(50)}b`, `a${"\u0301".repeat(6)}b`],
    ["\u200d\u200c", "⟨200D⟩⟨200C⟩"],
  ])("%j is %s", (text, shown) => expect(tokenGlyphs(text)).toBe(shown));

  it("looks at the start of a token of a million letters only", () => {
    expect(tokenGlyphs("x".repeat(1_000_000)).length).toBeLessThan(2_000);
  });

  it("numbers the pieces of a character", () => {
    expect(tokenGlyphs("中", 1, 3)).toBe("中 1/3");
    expect(tokenGlyphs("中", 0, 0)).toBe("中");
    expect(tokenGlyphs("中", 1, 1)).toBe("中");
  });
});

describe("elide", () => {
  it("counts characters as a reader does", () => {
    expect(elide("abcdef", 4)).toBe("abc…");
    expect(elide("abcd", 4)).toBe("abcd");
    expect(elide("👩‍👧👩‍👧👩‍👧", 2)).toBe("👩‍👧…");
  });

  it("is quick on a token of a million characters", () => {
    const start = performance.now();
    expect(elide("x".repeat(1_000_000), 8)).toBe("xxxxxxx…");
    expect(performance.now() - start).toBeLessThan(100);
  });
});

it("isolates text in either direction", () => {
  expect(isolate("שלום")).toBe("\u2068שלום\u2069");
});
