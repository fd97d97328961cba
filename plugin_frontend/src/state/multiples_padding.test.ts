import { describe, expect, it } from "vitest";
import type { HeadPicture } from "../data/multiples";
import { commonMargins, sizeWithout, withoutMargins } from "./multiples_padding";

/** Two rows and keys of padding before two real ones, and one key after them. */
const picture = (codes: readonly number[][], patch: Partial<HeadPicture> = {}): HeadPicture =>
  ({ strip: "s", ordinal: 0, rows: 4, cols: 5, codes: Uint8Array.from(codes.flat()), notFinite: false, padding: { top: 2, bottom: 0, left: 2, right: 1 }, ...patch }) as unknown as HeadPicture;
const CLEAN = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 8, 0]];
/** Some weight is on padding, too small for a level of its own: the server names no columns. */
const LEAKING = { padding: { top: 2, bottom: 0, left: 0, right: 0 } };
const NONE = new Map();

describe("padding of small maps", () => {
  it("is left out at both ends, even of keys without weight that are real", () => {
    const one = picture(CLEAN);
    const common = commonMargins(NONE, [one]);
    const shown = withoutMargins(one, common);
    expect([shown.rows, shown.cols, ...(shown.codes ?? [])]).toEqual([2, 2, 9, 0, 0, 8]);
    expect(sizeWithout({ rows: 4, cols: 5 }, common)).toEqual({ rows: 2, cols: 2 });
    // Kept as another picture than the whole one, and not made anew at every frame.
    expect(shown.strip).not.toBe(one.strip);
    expect(withoutMargins(one, common)).toBe(shown);
  });

  it("is shown in all pictures of a size where one looks at it, and in those of another size is not", () => {
    const [clean, leaking] = [picture(CLEAN), picture(CLEAN, { ...LEAKING, ordinal: 1 })];
    const other = picture([[0, 6]], { rows: 1, cols: 2, padding: { top: 0, bottom: 0, left: 1, right: 0 } });
    const common = commonMargins(commonMargins(NONE, [clean, other]), [leaking]);
    expect([clean, leaking, other].map((one) => withoutMargins(one, common).cols)).toEqual([5, 5, 1]);
    expect([clean, leaking].map((one) => withoutMargins(one, common).rows)).toEqual([2, 2]);
    expect(commonMargins(common, [clean])).toBe(common);
  });

  it("stays where there is a fault, and where there is nothing else", () => {
    for (const patch of [{ notFinite: true }, { padding: { top: 4, bottom: 0, left: 0, right: 0 } }]) {
      const one = picture(CLEAN, patch);
      expect(withoutMargins(one, commonMargins(NONE, [one]))).toBe(one);
    }
  });
});
