import { expect, it } from "vitest";
import { readsLeftwards } from "./strips_figure";

it("a text is read from the right where its first letter is", () => {
  expect(readsLeftwards(["<s>", "123", "שלום"])).toBe(false);
  expect(readsLeftwards(["123", ".", "سلام", "a"])).toBe(true);
  expect(readsLeftwards(["the", "שלום"])).toBe(false);
  expect(readsLeftwards([])).toBe(false);
});
