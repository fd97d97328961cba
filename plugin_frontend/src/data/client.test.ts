import { describe, expect, it, vi } from "vitest";
import { IndexResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { PluginClient } from "./client";
import { InlineDecoder } from "./decoder";
import { DataError } from "./errors";
import { bytesOf, headTiles, mapsBody, zstd } from "./testing";

const a = { series: "s", ordinal: 0, example: 0 };
const b = { series: "s", ordinal: 1, example: 0 };

function setUp(answer: (url: URL, init: RequestInit) => Response | Promise<Response>) {
  const asked: string[] = [];
  const fetch = vi.fn((url: string, init: RequestInit) => {
    const parsed = new URL(url);
    asked.push(`${parsed.pathname}${parsed.search}`);
    return Promise.resolve(answer(parsed, init));
  });
  const base = new URL("http://host/data/plugin/llmdebug/");
  return { client: new PluginClient({ base, fetch, decoder: new InlineDecoder() }), asked, fetch };
}

function mapsAnswer(url: URL): Response {
  const maps = url.searchParams.getAll("at").map((_, i) => ({ step: BigInt(i), layers: [] }));
  const comparisons = url.searchParams.getAll("compare").map((pair) => {
    const [i = 0, j = 0] = pair.split(".").map(Number);
    return { a: i, b: j };
  });
  return new Response(mapsBody({ maps, comparisons }));
}

const route = "/data/plugin/llmdebug";

describe("PluginClient.overview", () => {
  it("asks once for everything, and then not again", async () => {
    const { client, asked } = setUp(mapsAnswer);
    const first = await client.overview([a, b], { compare: [[0, 1]] });
    const second = await client.overview([b, a], { compare: [[1, 0]] });
    expect(asked).toEqual([`${route}/maps?at=s.0.0&at=s.1.0&pool=max&compare=0.1`]);
    expect(second.overviews[1]).toBe(first.overviews[0]);
    expect(second.comparisons[0]).toBe(first.comparisons[0]);
    expect(client.cached(a)).toBe(first.overviews[0]);
  });

  it("asks for known maps again only to compare them, and keeps their objects", async () => {
    const { client, asked } = setUp(mapsAnswer);
    const [before] = (await client.overview([a, b])).overviews;
    const answer = await client.overview([a, b], { compare: [[0, 1]] });
    expect(asked[1]).toBe(`${route}/maps?at=s.0.0&at=s.1.0&pool=max&compare=0.1`);
    expect(answer.overviews[0]).toBe(before);
  });

  it("asks only for what is missing, and by pool", async () => {
    const { client, asked } = setUp(mapsAnswer);
    await client.overview([a]);
    await client.overview([a, b]);
    await client.overview([a], { look: { pool: "mean", sinks: "shown" } });
    expect(asked.slice(1)).toEqual([`${route}/maps?at=s.1.0&pool=max`, `${route}/maps?at=s.0.0&pool=mean`]);
  });

  it("does not keep a map that failed", async () => {
    const { client, fetch } = setUp(() => new Response(mapsBody({ maps: [{ error: "Gone." }] })));
    expect((await client.overview([a])).overviews[0]?.error).toBe("Gone.");
    await client.overview([a]);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("does not keep a map of which rows may come back", async () => {
    const tiles = headTiles({ queries: 1, keys: 2, tiles: [zstd(bytesOf(Float32Array.from([0.25, 0.75])))] });
    const { client, fetch } = setUp(() => new Response(mapsBody({ maps: [{ head: tiles, gap: "Unreadable.", gapMayPass: true }] })));
    expect((await client.overview([a])).overviews[0]?.gap).toBe("Unreadable.");
    await client.head([a], { layer: 1, head: 2 });
    await client.overview([a]);
    await client.head([a], { layer: 1, head: 2 });
    expect(fetch).toHaveBeenCalledTimes(4);
    expect(client.cached(a)).toBeUndefined();
  });

  it("refuses more maps than the server takes", async () => {
    const { client, fetch } = setUp(mapsAnswer);
    const refs = Array.from({ length: 65 }, (_, ordinal) => ({ ...a, ordinal }));
    await expect(client.overview(refs)).rejects.toThrow("64 is the most");
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("PluginClient.head", () => {
  it("gives the weights of each map and asks once", async () => {
    const tiles = headTiles({ queries: 1, keys: 2, tiles: [zstd(bytesOf(Float32Array.from([0.25, 0.75])))] });
    const { client, asked } = setUp(() => new Response(mapsBody({ maps: [{ head: tiles }] })));
    const [map] = await client.head([a, a], { layer: 1, head: 2 });
    expect([...(map?.values ?? [])]).toEqual([0.25, 0.75]);
    expect((await client.head([a], { layer: 1, head: 2 }))[0]).toBe(map);
    expect(asked).toEqual([`${route}/maps?at=s.0.0.1.2&pool=max`]);
  });

  it("gives the weights ready without the keys that their overview sets aside", async () => {
    const tiles = headTiles({ queries: 2, keys: 3, tiles: [zstd(bytesOf(Float32Array.from([0.5, 0.25, 0.25, 0.75, 0, 0.25])))] });
    const layers = [{ layer: 1, heads: [2], queries: 2, keys: 3, aside: [0] }];
    const { client } = setUp(({ searchParams }) =>
      new Response(mapsBody({ maps: searchParams.getAll("at").map((at) => (at.endsWith(".1.2") ? { head: tiles } : { layers })) })),
    );
    await client.overview([a], { look: { pool: "max", sinks: "aside" } });
    const [known, unknown] = await client.head([a, b], { layer: 1, head: 2 }, { sinks: "aside" });
    expect(known?.ready?.positions).toEqual([0]);
    expect([...(known?.ready?.rest.values ?? [])]).toEqual([0.5, 0.5, 0, 1]);
    expect([...(known?.ready?.rest.aside.mass ?? [])]).toEqual([0.5, 0.75]);
    expect([...(known?.values ?? [])]).toEqual([0.5, 0.25, 0.25, 0.75, 0, 0.25]);
    expect(unknown?.ready).toBeUndefined();
  });

  it("asks for blocks once per pooling, and for weights in one only", async () => {
    const head = { layer: 1, head: 2 };
    const weights = headTiles({ queries: 1, keys: 2, tiles: [zstd(bytesOf(Float32Array.from([0.25, 0.75])))] });
    const blocks = headTiles({ ...weights, queries: 2, keys: 4, pooledRows: 2, pooledKeys: 2 });
    for (const [tiles, requests] of [[weights, 1], [blocks, 2]] as const) {
      const { client, fetch } = setUp(() => new Response(mapsBody({ maps: [{ head: tiles }] })));
      for (const pool of ["max", "mean", "max", "mean"] as const) {
        const [map] = await client.head([a], head, { pool });
        expect(map?.pool).toBe(tiles === weights ? null : pool);
      }
      expect(fetch).toHaveBeenCalledTimes(requests);
    }
  });
});

describe("PluginClient.index", () => {
  const body = (generation: string) => IndexResponse.encode(IndexResponse.fromPartial({ generation })).finish().slice();

  it("sends the tag back and gives the same object on 304", async () => {
    const tags: (string | null)[] = [];
    const { client } = setUp((_, init) => {
      const tag = new Headers(init.headers).get("if-none-match");
      tags.push(tag);
      return tag === '"1"' ? new Response(null, { status: 304 }) : new Response(body("1"), { headers: { etag: '"1"' } });
    });
    const first = await client.index();
    expect(await client.index()).toBe(first);
    expect(tags).toEqual([null, '"1"']);
  });

  it("gives the same object for the same generation and a new one for another", async () => {
    let generation = "1";
    const { client } = setUp(() => new Response(body(generation)));
    const first = await client.index();
    expect(await client.index()).toBe(first);
    generation = "2";
    expect(await client.index()).not.toBe(first);
  });
});

describe("failures", () => {
  it("show the server's sentence", async () => {
    const refusal = () =>
      new Response("There is no run x.", { status: 404, headers: { "content-type": "text/plain; charset=utf-8" } });
    const { client } = setUp(refusal);
    await expect(client.scalars("x")).rejects.toMatchObject({ message: "There is no run x.", status: 404 });
  });

  it("never show a page of HTML", async () => {
    const { client } = setUp(() => new Response("<html>", { status: 500, headers: { "content-type": "text/html" } }));
    await expect(client.anomalies()).rejects.toThrow("TensorBoard answered with status 500.");
  });

  it("say that TensorBoard is gone", async () => {
    const { client } = setUp(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(client.anomalies()).rejects.toThrow(DataError);
    await expect(client.anomalies()).rejects.toThrow("check that it is still running");
  });

  it("say that an answer is not understood", async () => {
    const { client } = setUp(() => new Response(Uint8Array.from([255, 255, 255])));
    await expect(client.overview([a])).rejects.toThrow("could not be decoded");
    await expect(client.attributions("s", 0)).rejects.toThrow("could not be decoded");
  });

  it("leave an abort as it is, even when it comes while decoding", async () => {
    const controller = new AbortController();
    const { client } = setUp((url) => {
      queueMicrotask(() => controller.abort());
      return mapsAnswer(url);
    });
    await expect(client.overview([a], { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
