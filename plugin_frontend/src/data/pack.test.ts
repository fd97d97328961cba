import { expect, it } from "vitest";
import { base64Pieces, fromBase64, gunzip, gzip, pack, unpack } from "./pack";

async function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  return gunzip(fromBase64(base64Pieces(await gzip(parts)).join("")));
}

it("gives back what was packed, bytes, large integers and NaN among it", async () => {
  const value = {
    text: "</script><script>alert(1)</script>\u2028\ud800",
    list: [1, -0.5, NaN, Infinity, -Infinity, null, true],
    step: 9007199254740993n,
    bytes: Uint8Array.of(1, 2, 255),
    nested: { empty: new Uint8Array(0), deep: [{ a: Uint8Array.of(9) }] },
  };
  expect(unpack(await joined(pack(value)))).toEqual({ ...value });
});

it("a key that means something to JavaScript is a name like any other", async () => {
  const value: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}');
  const found = unpack(await joined(pack(value))) as Record<string, unknown>;
  expect(Object.keys(found)).toEqual(["__proto__", "constructor"]);
  expect("polluted" in {}).toBe(false);
});

it("keeps equal bytes once", async () => {
  const frame = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
  const other = frame.slice();
  other[5000] = 0;
  const size = (value: unknown): number => pack(value).reduce((sum, part) => sum + part.length, 0);
  const one = size([frame]);
  expect(size([frame, frame.slice(), frame.slice()])).toBeLessThan(one + 100);
  expect(size([frame, other])).toBeGreaterThan(2 * 10_000);
  expect(unpack(await joined(pack([frame, other])))).toEqual([frame, other]);
});

it("refuses what it has not made", async () => {
  const whole = await joined(pack([Uint8Array.of(1, 2, 3)]));
  expect(() => unpack(whole.subarray(0, whole.length - 1))).toThrow(RangeError);
  expect(() => unpack(new Uint8Array(40))).toThrow(RangeError);
});
