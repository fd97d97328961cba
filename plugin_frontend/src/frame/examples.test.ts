import { expect, it } from "vitest";
import type { TokenList } from "../data/types";
import { beginningOf } from "./examples";

function tokens(text: string[], patch: Partial<TokenList> = {}): TokenList {
  const none = new Uint8Array();
  return { text, ids: [], special: none, part: none, parts: none, ...patch };
}

it("names an example by its text without padding", () => {
  expect(beginningOf(tokens(["<pad>", "The", " for", " statement"]), Uint8Array.of(0, 1, 1, 1))).toBe("The for statement");
  expect(beginningOf(tokens(["<pad>", "a"], { special: Uint8Array.of(1, 0) }), null)).toBe("a");
});

it("counts a character that has several tokens once, and shows what cannot be seen", () => {
  const pieces = tokens(["语", "语", "语", "\u202e"], { part: Uint8Array.of(1, 2, 3, 0), parts: Uint8Array.of(3, 3, 3, 0) });
  expect(beginningOf(pieces, null)).toBe("语⟨202E⟩");
});

it("is short, whatever was logged", () => {
  expect(Array.from(beginningOf(tokens(["x".repeat(20_000)]), null)).length).toBeLessThanOrEqual(34);
});
