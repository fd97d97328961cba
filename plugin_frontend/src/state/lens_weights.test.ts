import { describe, expect, it } from "vitest";
import { tokenAxis } from "../base/axis";
import { lensData, LensClient } from "../data/lens";
import { LensResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { countsRange, likeRaw, onAxesOf, sameTexts, valueWeighted } from "./lens_weights";
import type { Weights } from "./facts";

const raw: Weights = {
  queryAxis: tokenAxis(2),
  keyAxis: tokenAxis(3),
  values: Float32Array.from([0.5, 0.5, 0, 0.25, 0.25, 0.5]),
  pool: null,
  valueNorms: Float32Array.from([0, 2, 4]),
};

const message = (patch: Partial<LensResponse>): LensResponse => LensResponse.fromPartial(patch);
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe("weight times norm of the value", () => {
  it("is what the public function returns", () => {
    expect(Array.from(valueWeighted(raw)?.values ?? [])).toEqual([0, 1, 0, 0, 0.5, 2]);
    expect(valueWeighted({ ...raw, valueNorms: null })).toBeUndefined();
    expect(valueWeighted({ ...raw, pool: "max" })).toBeUndefined();
  });

  it("stays what it is without the sinks, and says how much of it they had", () => {
    const product = valueWeighted({ ...raw, valueNorms: Float32Array.from([1, 2, 4]) });
    const found = product === undefined ? undefined : likeRaw(product, [0], false);
    expect(Array.from(found?.values ?? [])).toEqual([1, 0, 0.5, 2]);
    expect(found?.aside?.mass?.[0]).toBeCloseTo(1 / 3);
  });
});

describe("what the server computed", () => {
  it("is no difference between means over other texts", () => {
    const mean = (...inputs: number[]) => lensData(message({ rows: 1, keys: 1, values: floats(1), examples: 2, inputs: Uint8Array.from(inputs) }));
    expect([sameTexts(mean(1, 23), mean(1, 23)), sameTexts(mean(1, 23), mean(12, 3)), sameTexts(mean(1), mean())]).toEqual([true, false, false]);
    expect(sameTexts(undefined, mean(1))).toBe(true);
  });

  it("is decoded and put on the axes of the raw map", () => {
    const data = lensData(message({ rows: 2, keys: 3, values: floats(1, 0, 0, 0.5, 0.25, 0.25), examples: 3, counts: [3, 2] }));
    expect(data).toMatchObject({ error: null, examples: 3, counts: [3, 2] });
    expect(onAxesOf(raw, data)?.keyAxis).toBe(raw.keyAxis);
    expect(Array.from(onAxesOf(raw, data)?.values ?? [])).toEqual([1, 0, 0, 0.5, 0.25, 0.25]);
    expect(onAxesOf({ ...raw, keyAxis: tokenAxis(2) }, data)).toBeUndefined();
  });

  it("is refused where it is of another size than it says", () => {
    expect(() => lensData(message({ rows: 2, keys: 3, values: floats(1) }))).toThrow("another size");
    expect(() => lensData(message({ rows: 1, keys: 1, values: floats(1), counts: [1, 2] }))).toThrow("another size");
  });

  it("has rows of fewer examples, those of none not counted", () => {
    expect(countsRange([0, 0, 3, 3, 1])).toEqual([1, 3]);
    expect(countsRange([])).toEqual([0, 0]);
  });

  it("is asked for once, a rollout for all heads of a layer, a refusal each time", async () => {
    const asked: string[] = [];
    const body = (error: string): ArrayBuffer => {
      const bytes = LensResponse.encode(message({ error, rows: error === "" ? 1 : 0, keys: 1, values: error === "" ? floats(1) : new Uint8Array() })).finish();
      return bytes.slice().buffer;
    };
    const client = new LensClient(new URL("http://host/"), (url) => {
      asked.push(new URL(url).search);
      return Promise.resolve(new Response(body(url.includes("mean") ? "Only one." : "")));
    });
    const ref = { series: "s", ordinal: 1, example: 2 };
    await client.lens(ref, { layer: 3, head: 4 }, "rollout");
    await client.lens(ref, { layer: 3, head: 5 }, "rollout");
    expect(asked).toEqual(["?at=s.1.2.3.0&lens=rollout"]);
    expect((await client.lens(ref, { layer: 3, head: 4 }, "mean")).error).toBe("Only one.");
    await client.lens(ref, { layer: 3, head: 4 }, "mean");
    expect(asked.slice(1)).toEqual(["?at=s.1.2.3.4&lens=mean", "?at=s.1.2.3.4&lens=mean"]);
  });
});
