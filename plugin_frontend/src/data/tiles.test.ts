import { beforeAll, describe, expect, it } from "vitest";
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";
import { DataError } from "./errors";
import { bytesOf, float16, headTiles, zstd } from "./testing";
import { axesOf, decodeHead } from "./tiles";
import { declaredSize, loadUnzstd, type Unzstd } from "./zstd";

let unzstd: Unzstd;
beforeAll(async () => {
  unzstd = await loadUnzstd();
});

function numbers(values: Float32Array): number[] {
  return Array.from(values, (value) => Math.round(value * 1e6) / 1e6);
}

describe("decodeHead", () => {
  it("puts tiles of a ragged grid in their places", () => {
    // 3 x 5 weights in tiles of 2: 2 x 3 tiles, the last ones smaller, one of them all zero.
    const whole = Float32Array.from({ length: 15 }, (_, i) => i);
    whole[4] = 0;
    whole[9] = 0;
    const cut = (rows: number[], cols: number[]): Uint8Array =>
      zstd(bytesOf(Float32Array.from(rows.flatMap((row) => cols.map((col) => whole[row * 5 + col]!)))));
    const tiles = headTiles({
      queries: 3,
      keys: 5,
      tile: 2,
      tiles: [
        cut([0, 1], [0, 1]),
        cut([0, 1], [2, 3]),
        new Uint8Array(0),
        cut([2], [0, 1]),
        cut([2], [2, 3]),
        cut([2], [4]),
      ],
    });
    expect(numbers(decodeHead(tiles, unzstd))).toEqual([...whole]);
  });

  it("takes its slot of a frame that holds all heads, larger than a tile or not", () => {
    const frame = zstd(bytesOf(Float32Array.from([1, 2, 3, 4, 5, 6])));
    const tiles = headTiles({ queries: 1, keys: 3, tile: 2, frameHeads: 2, frameSlot: 1, tiles: [frame] });
    expect(numbers(decodeHead(tiles, unzstd))).toEqual([4, 5, 6]);
  });

  it("squares 8-bit weights and makes each row sum to its stored sum, across tiles", () => {
    const tiles = headTiles({
      codec: Codec.SQRT_U8,
      peak: 1,
      queries: 2,
      keys: 3,
      tile: 2,
      rowSums: float16([1, 0.5]),
      tiles: [zstd([100, 200, 0, 0]), zstd([0, 50])],
    });
    expect(numbers(decodeHead(tiles, unzstd))).toEqual([0.2, 0.8, 0, 0, 0, 0.5]);
  });

  it("takes the largest or mean of blocks as it is: rows of blocks have no sum to keep", () => {
    // 5 x 7 weights in blocks of 2 x 4: 3 x 2 cells, in tiles of 2.
    const tiles = headTiles({
      codec: Codec.SQRT_U8,
      peak: 0.5,
      queries: 5,
      keys: 7,
      tile: 2,
      pooledRows: 2,
      pooledKeys: 4,
      tiles: [zstd([255, 0, 51, 102]), zstd([0, 255])],
    });
    const { query, key } = axesOf(tiles);
    expect([query.cells, key.cells]).toEqual([3, 2]);
    expect(numbers(decodeHead(tiles, unzstd))).toEqual([0.5, 0, 0.02, 0.08, 0, 0.5]);
  });

  it("has as many rows as were chosen", () => {
    const rows = { queries: 32_768, keys: 3, rows: [9, 700], rowSums: float16([1, 0.5]) };
    const tiles = headTiles({ codec: Codec.SQRT_U8, peak: 1, ...rows, tiles: [zstd([0, 0, 255, 255, 0, 0])] });
    expect(axesOf(tiles).query.chosen).toEqual([9, 700]);
    expect(numbers(decodeHead(tiles, unzstd))).toEqual([0, 0, 1, 0.5, 0, 0]);
    const short = headTiles({ codec: Codec.SQRT_U8, peak: 1, ...rows, rowSums: float16([1]), tiles: [zstd([0])] });
    expect(() => decodeHead(short, unzstd)).toThrow("1 row sums where 2 belong");
  });

  it("leaves rows of zeros at zero and never lets a row with a sum that is no number look healthy", () => {
    const tiles = headTiles({
      codec: Codec.SQRT_U8,
      peak: 1,
      queries: 2,
      keys: 2,
      rowSums: float16([1, NaN]),
      tiles: [zstd([0, 0, 255, 255])],
    });
    expect([...decodeHead(tiles, unzstd)]).toEqual([0, 0, NaN, NaN]);
  });

  it("reads float16 with its special values", () => {
    const row = [0.25, 0.75, NaN, Infinity, -Infinity, 0];
    const tiles = headTiles({ codec: Codec.F16, queries: 1, keys: 6, tiles: [zstd(float16(row))] });
    expect([...decodeHead(tiles, unzstd)]).toEqual(row);
  });

  it.each([
    ["too many weights", { queries: 1 << 14, keys: 1 << 14, tiles: [zstd([1])] }, "more than the page can hold"],
    ["missing tiles", { queries: 3, keys: 3, tile: 2, tiles: [zstd([1]), zstd([1])] }, "2 tiles where 4 belong"],
    ["no tile size", { queries: 3, keys: 3, tile: 0, tiles: [] }, "no tile size"],
    ["a slot outside", { queries: 1, keys: 1, frameHeads: 2, frameSlot: 2, tiles: [zstd([1])] }, "number 2 of 2"],
    ["a short frame", { queries: 1, keys: 2, tiles: [zstd([1, 2, 3, 4])] }, "declares 4 bytes where 8 belong"],
    ["an unknown codec", { codec: Codec.CODEC_UNKNOWN, queries: 1, keys: 1, tiles: [zstd([1])] }, "update tb_llmdebug"],
    ["missing row sums", { codec: Codec.SQRT_U8, queries: 1, keys: 1, tiles: [zstd([1])] }, "0 row sums where 1"],
    ["no zstd", { queries: 1, keys: 1, tiles: [Uint8Array.from([1, 2, 3, 4, 5, 6, 7])] }, "not a zstd frame"],
  ])("refuses %s with a sentence", (_, fields, sentence) => {
    expect(() => decodeHead(headTiles(fields), unzstd)).toThrow(DataError);
    expect(() => decodeHead(headTiles(fields), unzstd)).toThrow(sentence);
  });

  it("refuses a damaged frame wherever a byte is changed in its header, or decodes what was meant", () => {
    const good = zstd(bytesOf(Float32Array.from([1, 2, 3, 4])));
    for (let at = 0; at < Math.min(good.length, 8); at += 1) {
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ 0x41;
      try {
        expect(decodeHead(headTiles({ queries: 2, keys: 2, tiles: [bad] }), unzstd)).toHaveLength(4);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});

describe("declaredSize", () => {
  it.each([10, 300, 70_000])("reads the size of a frame of %i bytes", (size) => {
    expect(declaredSize(zstd(new Uint8Array(size)))).toBe(size);
  });

  it("reads a hostile size without allocating", () => {
    const frame = new Uint8Array(16);
    new DataView(frame.buffer).setUint32(0, 0xfd2fb528, true);
    frame[4] = 0xe0;
    new DataView(frame.buffer).setBigUint64(5, 1n << 40n, true);
    expect(declaredSize(frame)).toBe(2 ** 40);
    expect(() => unzstd(frame, 8)).toThrow("declares 1099511627776 bytes where 8 belong");
  });
});
