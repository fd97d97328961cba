import { beforeAll, describe, expect, it } from "vitest";
import { MapState } from "../gen/tb_llmdebug/wire/record_pb";
import { decodeMaps, transferables } from "./maps";
import { bytesOf, headTiles, mapsBody, zstd } from "./testing";
import { loadUnzstd, type Unzstd } from "./zstd";

let unzstd: Unzstd;
beforeAll(async () => {
  unzstd = await loadUnzstd();
});

const ref = { series: "s", ordinal: 3, example: 0 };
const other = { series: "t", ordinal: 0, example: 1 };

function decode(body: ArrayBuffer, head: { layer: number; head: number } | null = null, refs = [ref]) {
  return decodeMaps(new Uint8Array(body), { refs, head, pool: "max" }, unzstd);
}

const layer = {
  layer: 4,
  heads: [0, 2],
  queries: 2,
  keys: 3,
  statistics: bytesOf(Float32Array.from([1, 2, 3, 4])),
  thumbRows: 2,
  thumbCols: 3,
  pooled: 1,
  thumbPeak: 1,
  thumbs: zstd([1, 2, 3, 4, 5, 6, 0, 0, 9, 0, 0, 0]),
  notFinite: Uint8Array.from([0, 1]),
};

describe("decodeMaps", () => {
  it("decodes an overview", () => {
    const body = mapsBody({
      maps: [
        {
          step: -7n,
          mapState: MapState.FULL,
          statistics: ["entropy", "max"],
          layers: [layer],
          queryTokens: { text: ["a", "b"], ids: [5, 6] },
          keyMask: Uint8Array.from([0, 1, 1]),
          causal: false,
        },
      ],
    });
    const overview = decode(body).maps[0]?.overview;
    expect(overview).toMatchObject({ ref, error: null, step: -7, statisticNames: ["entropy", "max"], causal: false });
    expect(overview?.queryTokens?.text).toEqual(["a", "b"]);
    expect(overview?.keyTokens).toBeNull();
    expect(overview?.queryMask).toBeNull();
    expect([...(overview?.keyMask ?? [])]).toEqual([0, 1, 1]);
    const decoded = overview?.layers[0];
    expect([...(decoded?.thumbs ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 9, 0, 0, 0]);
    expect([...(decoded?.headPeaks ?? [])]).toEqual([6, 9]);
    expect([...(decoded?.notFinite ?? [])]).toEqual([0, 1]);
    expect([...(decoded?.statistics ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it("keeps a layer without a stored map", () => {
    const bare = { ...layer, thumbs: new Uint8Array(0) };
    const overview = decode(mapsBody({ maps: [{ statistics: ["entropy", "max"], layers: [bare] }] })).maps[0]?.overview;
    expect(overview?.layers[0]?.thumbs).toBeNull();
    expect(overview?.layers[0]?.headPeaks).toHaveLength(2);
  });

  it("says what is wrong with one map and still gives the others", () => {
    const body = mapsBody({
      maps: [
        { statistics: ["entropy"], layers: [layer] },
        { error: "There is no such step." },
      ],
    });
    const { maps } = decode(body, null, [ref, other]);
    expect(maps[0]?.overview?.error).toBe("Layer 4 has 16 bytes of statistics where 8 belong.");
    expect(maps[0]?.overview?.layers).toEqual([]);
    expect(maps[1]?.overview?.error).toBe("There is no such step.");
  });

  it("decodes a head, or says why not", () => {
    const head = { layer: 1, head: 2 };
    const tiles = headTiles({ queries: 1, keys: 2, tiles: [zstd(bytesOf(Float32Array.from([0.5, 0.5])))] });
    const { maps } = decode(mapsBody({ maps: [{ head: tiles }, {}] }), head, [ref, other]);
    expect(maps[0]?.head).toMatchObject({ ref, layer: 1, head: 2, error: null, quantised: false });
    expect([...(maps[0]?.head?.values ?? [])]).toEqual([0.5, 0.5]);
    expect(maps[1]?.head).toMatchObject({ ref: other, error: "No map of layer 1 head 2 was stored." });
  });

  it("names the maps of a comparison and refuses one of maps that were not asked for", () => {
    const comparison = { a: 1, b: 0, layers: [{ layer: 4, heads: [0], distance: [0.5], floor: 0.01 }] };
    const body = mapsBody({ maps: [{}, {}], comparisons: [comparison] });
    expect(decode(body, null, [ref, other]).comparisons[0]).toMatchObject({ a: other, b: ref, error: null });
    const wrong = mapsBody({ maps: [{}], comparisons: [comparison] });
    expect(() => decode(wrong)).toThrow("not asked for");
  });

  it("refuses an answer of another length", () => {
    expect(() => decode(mapsBody({ maps: [] }))).toThrow("0 maps where 1 were asked for");
  });

  it("moves the large arrays, each buffer once", () => {
    const decoded = decode(mapsBody({ maps: [{ statistics: ["entropy", "max"], layers: [layer] }] }));
    const buffers = transferables(decoded);
    expect(buffers).toHaveLength(2);
    expect(structuredClone(decoded, { transfer: buffers }).maps[0]?.overview?.layers[0]?.thumbs).toHaveLength(12);
  });
});
