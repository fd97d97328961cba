import { describe, expect, it } from "vitest";
import { MapState } from "../gen/tb_llmdebug/wire/record_pb";
import { decodeOverviews } from "./maps";
import { bytesOf, mapsBody } from "./testing";

const ref = { series: "s", ordinal: 3, example: 0 };
const other = { series: "t", ordinal: 0, example: 1 };

function decode(body: ArrayBuffer, refs = [ref]) {
  return decodeOverviews(new Uint8Array(body), refs, { pool: "max", sinks: "shown" });
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
  thumbs: Uint8Array.from([1, 2, 3, 4, 5, 6, 0, 0, 9, 0, 0, 0]),
  notFinite: Uint8Array.from([0, 1]),
};

describe("decodeOverviews", () => {
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
    const overview = decode(body).overviews[0];
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
    const overview = decode(mapsBody({ maps: [{ statistics: ["entropy", "max"], layers: [bare] }] })).overviews[0];
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
    const { overviews } = decode(body, [ref, other]);
    expect(overviews[0]?.error).toBe("Layer 4 has 16 bytes of statistics where 8 belong.");
    expect(overviews[0]?.layers).toEqual([]);
    expect(overviews[1]?.error).toBe("There is no such step.");
  });

  it("refuses thumbnails of another size than it is told", () => {
    const short = { ...layer, thumbs: layer.thumbs.subarray(1) };
    const [overview] = decode(mapsBody({ maps: [{ statistics: ["entropy", "max"], layers: [short] }] })).overviews;
    expect(overview?.error).toBe("The thumbnails of layer 4 have 11 bytes where 12 belong.");
    expect(overview?.layers).toEqual([]);
  });

  it("keeps nothing of the answer's other maps", () => {
    const body = mapsBody({ maps: [{ statistics: ["entropy", "max"], layers: [layer] }] });
    expect(decode(body).overviews[0]?.layers[0]?.thumbs?.buffer.byteLength).toBe(12);
  });

  it("names the maps of a comparison and refuses one of maps that were not asked for", () => {
    const comparison = { a: 1, b: 0, layers: [{ layer: 4, heads: [0], distance: [0.5], floor: 0.01 }] };
    const body = mapsBody({ maps: [{}, {}], comparisons: [comparison] });
    expect(decode(body, [ref, other]).comparisons[0]).toMatchObject({ a: other, b: ref, error: null });
    const wrong = mapsBody({ maps: [{}], comparisons: [comparison] });
    expect(() => decode(wrong)).toThrow("not asked for");
  });

  it("refuses an answer of another length", () => {
    expect(() => decode(mapsBody({ maps: [] }))).toThrow("0 maps where 1 were asked for");
  });
});
