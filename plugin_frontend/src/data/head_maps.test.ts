import { beforeAll, describe, expect, it } from "vitest";
import { decodeHeads, transferables } from "./head_maps";
import { bytesOf, headTiles, mapsBody, zstd } from "./testing";
import { loadUnzstd, type Unzstd } from "./zstd";

let unzstd: Unzstd;
beforeAll(async () => {
  unzstd = await loadUnzstd();
});

const refs = [
  { series: "s", ordinal: 3, example: 0 },
  { series: "t", ordinal: 0, example: 1 },
];
const head = { layer: 1, head: 2 };
const tiles = headTiles({
  queries: 1,
  keys: 2,
  tiles: [zstd(bytesOf(Float32Array.from([0.5, 0.5])))],
  valueNorms: bytesOf(Float32Array.from([3, 4])),
});

function decode(body: ArrayBuffer) {
  return decodeHeads(new Uint8Array(body), { refs, head, pool: "max" }, unzstd);
}

describe("decodeHeads", () => {
  it("decodes a head, or says why not", () => {
    const [first, second] = decode(mapsBody({ maps: [{ head: tiles }, {}] }));
    expect(first).toMatchObject({ ref: refs[0], layer: 1, head: 2, error: null, quantised: false });
    expect([...(first?.values ?? [])]).toEqual([0.5, 0.5]);
    expect(second).toMatchObject({ ref: refs[1], error: "No map of layer 1 head 2 was stored." });
  });

  it("refuses an answer of another length", () => {
    expect(() => decode(mapsBody({ maps: [{}] }))).toThrow("1 maps where 2 were asked for");
  });

  it("moves the large arrays, each buffer once", () => {
    const body = new Uint8Array(mapsBody({ maps: [{ head: tiles }, {}] }));
    const heads = decodeHeads(body, { refs, head, pool: "max", aside: [[0], []] }, unzstd);
    const buffers = transferables(heads.slice(0, 1));
    expect(buffers).toHaveLength(4);
    const [moved] = structuredClone(heads, { transfer: buffers });
    expect([moved?.valueNorms?.length, moved?.ready?.rest.values.length, heads[0]?.ready?.rest.values.length]).toEqual([2, 1, 0]);
  });
});
