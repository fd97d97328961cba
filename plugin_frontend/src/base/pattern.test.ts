import { describe, expect, it } from "vitest";
import { compilePattern } from "./pattern";

/** The same numbers at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

const PIECES = ["a", "b", "B", "1", ".", "[ab]", "[^a-]", "[]", "[\\]a]", "\\d", "\\W", "\\.", "\\b", "\\B", "^", "$", "{", "]", "-", "\\x61", "é", "(?:", "(", ")", "|", "*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"];

describe("compilePattern", () => {
  it("finds what the browser's own engine finds", () => {
    const next = random(7);
    const pick = <T>(list: readonly T[] | string): T | string => list[Math.floor(next() * list.length)] ?? "";
    let [compared, matches] = [0, 0];
    for (let i = 0; i < 8000; i++) {
      const source = Array.from({ length: 1 + Math.floor(next() * 7) }, () => pick(PIECES)).join("");
      let own: RegExp;
      try {
        own = new RegExp(source, "i");
      } catch {
        continue;
      }
      const text = Array.from({ length: Math.floor(next() * 8) }, () => pick("aAb1 -.{]É\n")).join("");
      const found = compilePattern(source)?.(text);
      if (found !== own.test(text)) expect.fail(`${source} on ${JSON.stringify(text)}: ${found}`);
      compared += 1;
      matches += own.test(text) ? 1 : 0;
    }
    expect(Math.min(matches, compared - matches)).toBeGreaterThan(300);
  });

  it("says what is wrong as the browser does", () => {
    for (const source of ["(", "a**", "[", "{2}"]) expect(() => compilePattern(source)).toThrow(SyntaxError);
  });

  it("is done with what would take the browser years", () => {
    const name = "a".repeat(1000);
    for (const source of ["(.+)+§", "(a|a)*§", "(a*)*§", "(.*a){20}§", ".*".repeat(100) + "§", "(a?){99}a{99}§"]) {
      expect(compilePattern(source)?.(name), source).toBe(false);
    }
  });

  it("says what it does not do", () => {
    for (const source of ["(?=a)", "(?<!a)b", "(?<n>a)", "(a)\\1", "a{1000}", "(){999999999}", "((a{99}){99}){99}", "\\ca"]) {
      expect(compilePattern(source), source).toBeNull();
    }
  });
});
