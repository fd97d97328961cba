import { describe, expect, it } from "vitest";
import { SimilarResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { SimilarClient, similarData, similarKey } from "./similar";

const heads = [
  { layer: 0, head: 1, otherLayer: 2, otherHead: 3, distance: 0.25, floor: 0.01 },
  { layer: 1, head: 0, otherLayer: 0, otherHead: 0, distance: 0.005, floor: 0.01 },
  { layer: 2, head: 0, alone: true },
];

describe("the server's answer", () => {
  it("says of each head which is most similar, whether that can be told, and where there is none", () => {
    const found = similarData(SimilarResponse.fromPartial({ heads, examples: 2 }));
    expect(found).toMatchObject({ error: null, examples: 2 });
    expect(found.heads.get("0.1")).toMatchObject({ other: { layer: 2, head: 3 }, distance: 0.25, floor: expect.closeTo(0.01) as number, belowFloor: false });
    expect(found.heads.get("1.0")).toMatchObject({ other: { layer: 0, head: 0 }, belowFloor: true });
    expect(found.heads.get("2.0")).toMatchObject({ other: null, distance: NaN, belowFloor: false });
  });

  it("is asked for once, a refusal each time; an example is not the mean", async () => {
    const asked: string[] = [];
    let error = "";
    const client = new SimilarClient(new URL("http://host/"), (url) => {
      asked.push(new URL(url).search);
      return Promise.resolve(new Response(SimilarResponse.encode(SimilarResponse.fromPartial(error === "" ? { heads } : { error })).finish().slice().buffer));
    });
    const ref = { series: "s", ordinal: 4, example: 0 };
    await client.similar(ref);
    await client.similar(ref);
    error = "Too many.";
    const mean = { ...ref, example: null };
    expect(client.cached(mean)).toBeUndefined();
    expect((await client.similar(mean)).error).toBe("Too many.");
    await client.similar(mean);
    expect(asked).toEqual(["?at=s.4.0", "?at=s.4.all", "?at=s.4.all"]);
    expect(similarKey(mean)).toBe("s.4.all");
  });
});
