import { expect, it } from "vitest";
import { bitsOf, isFault, strongest } from "./strongest";

const special = [0, -0, 1e-45, -1e-45, 0.25, -0.25, 0.5, 1, -1, 3e38, Infinity, -Infinity, NaN];
const bits = bitsOf(Float32Array.from(special));
const valueOf = (one: number): number => new Float32Array(Int32Array.of(one).buffer)[0] ?? 0;

it("is the larger in size of every two, the first of equals, and NaN before all", () => {
  special.forEach((a, i) => {
    special.forEach((b, j) => {
      const expected = Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.abs(b) > Math.abs(a) ? b : a;
      expect(valueOf(strongest(bits[i] ?? 0, bits[j] ?? 0)), `${a} and ${b}`).toBe(Math.fround(expected));
    });
  });
});

it("tells what is no number, in a part of a larger array too", () => {
  expect([...bits].map(isFault)).toEqual(special.map((value) => !Number.isFinite(value)));
  expect([...bitsOf(Float32Array.of(1, 0.5, 2).subarray(1, 2))]).toEqual([0x3f000000]);
});
