import { describe, expect, it } from "vitest";
import { ByteLru } from "./lru";

describe("ByteLru", () => {
  it("lets the least recently used go first", () => {
    const gone: string[] = [];
    const lru = new ByteLru<string>(10, (value) => gone.push(value));
    lru.set("a", "A", 4);
    lru.set("b", "B", 4);
    lru.get("a");
    lru.set("c", "C", 4);
    expect(gone).toEqual(["B"]);
    expect(lru.get("a")).toBe("A");
    expect(lru.bytes).toBe(8);
  });

  it("keeps one entry that is over the budget alone, and counts a replaced one once", () => {
    const lru = new ByteLru<number>(10);
    lru.set("a", 1, 5);
    lru.set("a", 2, 6);
    expect(lru.bytes).toBe(6);
    lru.set("big", 3, 100);
    expect(lru.get("big")).toBe(3);
    expect(lru.get("a")).toBeUndefined();
    lru.clear();
    expect(lru.bytes).toBe(0);
  });
});
