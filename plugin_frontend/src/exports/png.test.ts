import { describe, expect, it } from "vitest";
import { crc32, withResolution } from "./png";

describe("withResolution", () => {
  it("puts a whole chunk behind the header", () => {
    const png = Uint8Array.from({ length: 60 }, (_, i) => i);
    const made = withResolution(png, 300);
    expect(Array.from(made.subarray(0, 33))).toEqual(Array.from(png.subarray(0, 33)));
    expect(Array.from(made.subarray(54))).toEqual(Array.from(png.subarray(33)));
    const view = new DataView(made.buffer, 33);
    expect(view.getUint32(0)).toBe(9);
    expect(new TextDecoder().decode(made.subarray(37, 41))).toBe("pHYs");
    expect([view.getUint32(8), view.getUint32(12), view.getUint8(16)]).toEqual([11811, 11811, 1]);
    expect(view.getUint32(17)).toBe(crc32(made.subarray(37, 50)));
  });

  it("sums as the standard's own check value says", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
});
