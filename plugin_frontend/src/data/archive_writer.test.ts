import { expect, it } from "vitest";
import { MapsResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { Budget } from "./answers";
import { ArchiveSource, type Archive } from "./archive";
import { collect, type Collected } from "./archive_writer";
import { DataError } from "./errors";
import { mapsBody } from "./testing";
import { Transport, type Fetch } from "./transport";

const server = new URL("http://host/data/plugin/llmdebug/");
const damaged = "The record of step 5 is damaged.";
const asleep = "The disk is asleep.";
const layer = { layer: 0, heads: [0], queries: 1, keys: 1, thumbRows: 1, thumbCols: 1, thumbs: Uint8Array.of(9) };
const refs = [0, 1].map((ordinal) => ({ series: "s", ordinal, example: 0 }));

/** The second record cannot be read. */
const respond: Fetch = (url) => {
  const asked = new URL(url).searchParams.getAll("at");
  const maps = asked.map((at) => (at.startsWith("s.1.") ? { error: damaged } : { layers: at.split(".").length === 3 ? [layer] : [] }));
  return Promise.resolve(new Response(mapsBody(MapsResponse.fromPartial({ maps }))));
};

/** Nothing is answered to questions of which this is true. */
const refusing = (of: (query: URLSearchParams) => boolean): Fetch => (url, init) =>
  of(new URL(url).searchParams) ? Promise.resolve(new Response(asleep, { status: 503, headers: { "content-type": "text/plain" } })) : respond(url, init);

const collected = (fetch: Fetch, pair: readonly [number, number] | null = null): Promise<Collected> =>
  collect(new Transport(server, fetch), {
    refs: refs.map((ref) => ({ ref, as: ref })),
    looks: [[["pool", "max"]]],
    pair,
    progress: () => undefined,
    budget: new Budget(),
    signal: new AbortController().signal,
  });

const errorsOf = ({ maps }: Collected): string[][] => Object.entries(maps).map(([key, { error }]) => [key, error]);

/** The page that was saved. */
const opened = (found: Collected): ArchiveSource => new ArchiveSource({ ...found, answers: {} } as unknown as Archive);

it("keeps a map that cannot be read as it is answered, beside those that can", async () => {
  expect(errorsOf(await collected(respond))).toEqual([
    ["s.0.0?pool=max", ""],
    ["s.1.0?pool=max", damaged],
    ["s.0.0.0.0?pool=max", ""],
  ]);
});

it("keeps what the server refuses as the sentence that it was, beside all else", async () => {
  const first = await collected(refusing((query) => query.get("at") === "s.0.0"), [0, 1]);
  expect(errorsOf(first)).toEqual([["s.0.0?pool=max", asleep], ["s.1.0?pool=max", damaged]]);
  const page = opened(first);
  const { overviews, comparisons } = await page.overview(refs, { compare: [[0, 1]] });
  expect([...overviews.map(({ error }) => error), ...comparisons.map(({ error }) => error)]).toEqual([asleep, damaged, asleep]);
  // The heads alone, of which the page asks with either pooling.
  const heads = await collected(refusing((query) => query.get("at") === "s.0.0.0.0"));
  expect(errorsOf(heads)).toEqual([["s.0.0?pool=max", ""], ["s.1.0?pool=max", damaged], ["s.0.0.0.0?pool=max", asleep]]);
  for (const pool of ["max", "mean"] as const) {
    expect(await opened(heads).head(refs.slice(0, 1), { layer: 0, head: 0 }, { pool })).toMatchObject([{ error: asleep }]);
  }
});

it("stops where no server answers", async () => {
  await expect(collected(() => Promise.reject(new TypeError("gone")))).rejects.toThrow(DataError);
});
