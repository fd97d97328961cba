import { describe, expect, it } from "vitest";
import { MultiplesResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { MultiplesClient } from "./multiples";
import { zstd } from "./testing";

const strip = { series: "s", example: 1, layer: 2, head: 3, look: { pool: "mean", sinks: "shown" } } as const;

function clientOf(response: Parameters<typeof MultiplesResponse.fromPartial>[0]) {
  const asked: string[] = [];
  const body = MultiplesResponse.encode(MultiplesResponse.fromPartial(response)).finish().slice().buffer;
  const fetch = (url: string): Promise<Response> => {
    asked.push(new URL(url).search);
    return Promise.resolve(new Response(body));
  };
  return { client: new MultiplesClient(new URL("http://host/x/"), fetch), asked };
}

const good = { step: 40, rows: 1, cols: 3, pooledRows: 1, pooledKeys: 1, thumb: zstd([0, 255, 7]), peak: 0.5, values: [1.5], input: Uint8Array.of(1, 2) };

describe("MultiplesClient", () => {
  it("decodes pictures and keeps those that could be read", async () => {
    const { client, asked } = clientOf({ first: 4, statistics: ["entropy"], pictures: [{ ...good, padding: [0, 0, 2, 0] }, { step: 50, error: "Damaged." }] });
    const [one, other] = await client.load(strip, 4, 6);
    expect(asked).toEqual(["?series=s&from=4&to=6&example=1&layer=2&head=3&pool=mean"]);
    expect([...(one?.codes ?? [])]).toEqual([0, 255, 7]);
    expect([one?.step, one?.values.get("entropy"), other?.error, other?.codes]).toEqual([40, 1.5, "Damaged.", null]);
    expect(client.cached(strip, 4)).toBe(one);
    expect(client.cached(strip, 5)).toBeUndefined();
    expect(client.cached({ ...strip, look: { pool: "max", sinks: "shown" } }, 4)).toBeUndefined();
    expect(one?.asideMass).toBeNaN();
    expect([one?.padding, other?.padding.left]).toEqual([{ top: 0, bottom: 0, left: 2, right: 0 }, 0]);
  });

  it("asks for pictures without sinks, and keeps them apart", async () => {
    const { client, asked } = clientOf({ first: 4, pictures: [{ ...good, aside: [0, 5], asideMass: 0.25 }] });
    const aside = { ...strip, look: { pool: "mean", sinks: "aside" } } as const;
    const [one] = await client.load(aside, 4, 5);
    expect(asked).toEqual(["?series=s&from=4&to=5&example=1&layer=2&head=3&pool=mean&sinks=aside"]);
    expect([one?.aside, one?.asideMass]).toEqual([[0, 5], 0.25]);
    expect(client.cached(aside, 4)).toBe(one);
    expect(client.cached(strip, 4)).toBeUndefined();
  });

  it("turns a picture that is not what it declares into a sentence", async () => {
    const { client } = clientOf({ first: 0, pictures: [{ ...good, cols: 4 }, { ...good, rows: 1 << 20, cols: 1 << 12 }] });
    const errors = (await client.load(strip, 0, 2)).map((one) => one.error ?? "");
    expect(errors[0]).toContain("4");
    expect(errors[1]).toContain("refused");
  });

  it("refuses an answer about other steps, and none at all", async () => {
    await expect(clientOf({ first: 1, pictures: [good] }).client.load(strip, 0, 1)).rejects.toThrow("other steps");
    await expect(clientOf({ first: 0 }).client.load(strip, 0, 1)).rejects.toThrow("left out");
  });
});
