import { describe, expect, it } from "vitest";
import { completeness, scalesOf, scoreColour, stretches } from "./strips";

describe("scalesOf", () => {
  const strips = [new Float32Array([1, -4]), new Float32Array([2, NaN, Infinity])];

  it("divides by the step's own peak or by the peak over all, and never by NaN or infinity", () => {
    expect(scalesOf(strips, "step")).toEqual([4, 2]);
    expect(scalesOf(strips, "all")).toEqual([4, 4]);
    expect(scalesOf([], "all")).toEqual([]);
  });

  it("has room for more strips than a call has for arguments", () => {
    expect(scalesOf(Array.from({ length: 200_000 }, () => [1]), "all").slice(-1)).toEqual([1]);
  });
});

describe("stretches", () => {
  const lengths = (texts: string[] | undefined, scores: number[]): number[] =>
    stretches(texts === undefined ? null : { text: texts, special: new Uint8Array() }, scores).map((one) => one.length);

  it("folds padding, and nothing that has a score or is another token", () => {
    expect(lengths(["p", "p", "p", "a", "b"], [0, 0, 0, 1, 0])).toEqual([3, 1, 1]);
    expect(lengths(["p", "p", "p"], [0, 0.1, 0])).toEqual([1, 1, 1]);
    expect(lengths(["a", "b", "c"], [0, 0, 0])).toEqual([1, 1, 1]);
    expect(lengths(["p", "p"], [0, 0])).toEqual([1, 1]);
    expect(lengths(undefined, [0, 0, 0])).toEqual([1, 1, 1]);
  });

  it("folds special tokens with their sum, whatever they score, but hides no NaN", () => {
    const tokens = { text: ["p", "p", "p", "p", "a", "a", "a"], special: Uint8Array.of(1, 1, 1, 1, 0, 0, 0) };
    expect(stretches(tokens, [0.5, -0.25, 0, 1, 2, 2, 2])).toEqual([
      { start: 0, length: 4, score: 1.25 },
      { start: 4, length: 1, score: 2 },
      { start: 5, length: 1, score: 2 },
      { start: 6, length: 1, score: 2 },
    ]);
    expect(stretches(tokens, [1, NaN, 1, 1, 0, 0, 0]).map((one) => one.length)).toEqual([1, 1, 1, 1, 3]);
    expect(stretches(tokens, [1, 1, 1, 1, 0, 0, 0], false)).toHaveLength(7);
  });
});

describe("completeness", () => {
  it("measures delta against what is to be explained and against the scores", () => {
    const found = completeness([1, -1], 0.02, 1, 0.5);
    expect(found?.ofOutput).toBeCloseTo(0.04);
    expect(found?.ofScores).toBeCloseTo(0.01);
    expect(found?.verdict).toBe("good");
  });

  it("says nothing when delta was not logged", () => {
    expect(completeness([1], null, 1, 0)).toBeUndefined();
    expect(completeness([1], NaN, 1, 0)).toBeUndefined();
  });

  it("judges", () => {
    expect(completeness([1], 0.1, 1, 0)?.verdict).toBe("fair");
    expect(completeness([1], -0.5, 1, 0)?.verdict).toBe("poor");
    expect(completeness([1], 0.5, 1, 1)?.ofOutput).toBeUndefined();
  });
});

describe("scoreColour", () => {
  it("has two signs, nothing at zero, and no colour for what is not a number", () => {
    expect(scoreColour(1, 1, false)).not.toBe(scoreColour(-1, 1, false));
    expect(scoreColour(0, 1, false)).toMatch(/ \/ 0\.000\)$/);
    expect(scoreColour(NaN, 1, false)).toBe("transparent");
    expect(scoreColour(5, 1, true)).toBe(scoreColour(1, 1, true));
  });
});
