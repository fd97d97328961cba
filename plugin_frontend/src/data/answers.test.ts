import { expect, it } from "vitest";
import { AnomaliesResponse, ChangesResponse, LensResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { assertOpens, Budget, longestText, mostBytes, recorded, Recorder, replay } from "./answers";
import { DataError } from "./errors";
import { HeadsClient } from "./heads";
import { LensClient } from "./lens";
import { base64Pieces, gunzip, gzip, pack, unpack } from "./pack";
import { Readings } from "./readings";
import { Transport } from "./transport";

const server = new URL("http://host/data/plugin/llmdebug/");
const file = new URL("https://saved.invalid/");
const at = { series: "s", ordinal: 7, example: 3 };
const head = { layer: 1, head: 2 };

function respond(url: string): Promise<Response> {
  const { pathname, searchParams } = new URL(url);
  const route = pathname.split("/").pop();
  const bodies: Readonly<Record<string, Uint8Array>> = {
    lens: LensResponse.encode(LensResponse.fromPartial({ error: `of ${searchParams.get("at") ?? ""}` })).finish(),
    changes: ChangesResponse.encode(ChangesResponse.fromPartial({ examples: 5 })).finish(),
    anomalies: AnomaliesResponse.encode(AnomaliesResponse.fromPartial({ groups: [{ run: "r" }] })).finish(),
  };
  const body = bodies[route ?? ""];
  return Promise.resolve(body === undefined ? new Response("no such route", { status: 404, headers: { "content-type": "text/plain" } }) : new Response(new Uint8Array(body)));
}

const recorder = (): Recorder => new Recorder(server, (series, ordinal) => (series === "s" ? ordinal - 6 : ordinal), new Budget(), respond);

it("gives the answers that were recorded, from a file, to the same clients; records have the numbers of the file", async () => {
  const kept = recorder();
  const lens = await new LensClient(server, kept.fetch).lens(at, head, "mean");
  await new HeadsClient(server, kept.fetch).changes("s.7", "s.9", false);
  await new Readings(new Transport(server, kept.fetch)).anomalies();
  expect(lens.error).toBe("of s.7.3.1.2");
  expect(Object.keys(kept.answers)).toEqual(["lens?at=s.1.3.1.2&lens=mean", "changes?a=s.7&b=s.9&match=0", "anomalies?"]);
  const bytes = await gzip(pack(kept.answers));
  const fetch = replay(file, unpack(await gunzip(bytes)) as typeof kept.answers);
  expect(await new LensClient(file, fetch).lens({ ...at, ordinal: 1 }, head, "mean")).toEqual(lens);
  expect((await new HeadsClient(file, fetch).changes("s.7", "s.9", false)).examples).toBe(5);
  expect((await new Readings(new Transport(file, fetch)).anomalies()).map(({ run }) => run)).toEqual(["r"]);
});

it("says of anything else that it is not in the file", async () => {
  const kept = recorder();
  await new HeadsClient(server, kept.fetch).changes("s.7", "s.9", false);
  const client = new HeadsClient(file, replay(file, kept.answers));
  const missing = "This file holds only what was on screen when it was saved.";
  await expect(client.changes("s.7", "s.9", true)).rejects.toThrow(missing);
  await expect(new LensClient(file, replay(file, kept.answers)).lens(at, head, "rollout")).rejects.toThrow(missing);
});

it("keeps a refusal as it was, passes it on, and gives it again", async () => {
  const kept = recorder();
  const refusal = { name: "DataError", message: "no such route", status: 404 };
  await expect(new HeadsClient(server, kept.fetch).heads("s", 1, null, [])).rejects.toMatchObject(refusal);
  const answers = unpack(await gunzip(await gzip(pack(kept.answers)))) as typeof kept.answers;
  await expect(new HeadsClient(file, replay(file, answers)).heads("s", 1, null, [])).rejects.toMatchObject(refusal);
});

it("takes a refusal for an answer, and nothing else that goes wrong", async () => {
  await recorded(Promise.reject(new DataError("no such route", 404)));
  await expect(recorded(Promise.reject(new DataError("too large")))).rejects.toThrow("too large");
  await expect(recorded(Promise.reject(new DOMException("given up", "AbortError")))).rejects.toThrow("given up");
});

it("lets a page grow to the longest text that V8 can hold, in base64", () => {
  const base64Length = (bytes: number): number => 4 * Math.ceil(bytes / 3);
  expect(base64Pieces(new Uint8Array(1000)).join("")).toHaveLength(base64Length(1000));
  expect(base64Length(mostBytes)).toBeLessThanOrEqual(longestText);
  expect(base64Length(mostBytes + 1)).toBeGreaterThan(longestText);
  // Of the V8 that runs this.
  expect("a".repeat(longestText)).toHaveLength(longestText);
  expect(() => "a".repeat(longestText + 1)).toThrow(RangeError);
  expect(() => assertOpens(mostBytes)).not.toThrow();
  expect(() => assertOpens(mostBytes + 1)).toThrow(DataError);
});

it("stops where no browser would open the page, and says so", async () => {
  const budget = new Budget();
  budget.take(mostBytes);
  const kept = new Recorder(server, (_, ordinal) => ordinal, budget, respond);
  const asked = new Readings(new Transport(server, kept.fetch)).anomalies();
  await expect(asked).rejects.toBeInstanceOf(DataError);
  await expect(asked).rejects.toThrow("What is shown makes a file of more than 512 MiB: show fewer runs.");
});
