import { describe, expect, it } from "vitest";
import { npy } from "./npy";

describe("npy", () => {
  it("is laid out as numpy.lib.format says", () => {
    const bytes = npy({ shape: [2, 3], values: Float32Array.of(0, 1, 2, NaN, -Infinity, 0.5) });
    expect(Array.from(bytes.subarray(0, 8))).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
    const length = bytes[8]! + 256 * bytes[9]!;
    expect((10 + length) % 64).toBe(0);
    const header = new TextDecoder().decode(bytes.subarray(10, 10 + length));
    expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
    const view = new DataView(bytes.buffer, 10 + length);
    expect(Array.from({ length: 6 }, (_, i) => view.getFloat32(4 * i, true))).toEqual([0, 1, 2, NaN, -Infinity, 0.5]);
    expect(bytes.length).toBe(10 + length + 24);
  });

  it("writes a tuple of one with its comma", () => {
    const text = new TextDecoder().decode(npy({ shape: [1], values: Float32Array.of(1) }).subarray(10, 70));
    expect(text).toContain("'shape': (1,)");
  });

  it("refuses values that do not fill the shape", () => {
    expect(() => npy({ shape: [2, 2], values: new Float32Array(3) })).toThrow(RangeError);
  });
});
