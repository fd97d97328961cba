import { expect, it } from "vitest";
import { MapsResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { Budget } from "./answers";
import { collect } from "./archive_writer";
import { mapsBody } from "./testing";
import { Transport } from "./transport";

const server = new URL("http://host/data/plugin/llmdebug/");
const damaged = "The record of step 5 is damaged.";
const layer = { layer: 0, heads: [0], queries: 1, keys: 1, thumbRows: 1, thumbCols: 1, thumbs: Uint8Array.of(9) };

/** The second record cannot be read. */
function respond(url: string): Promise<Response> {
  const asked = new URL(url).searchParams.getAll("at");
  const maps = asked.map((at) => (at.startsWith("s.1.") ? { error: damaged } : { layers: at.split(".").length === 3 ? [layer] : [] }));
  return Promise.resolve(new Response(mapsBody(MapsResponse.fromPartial({ maps }))));
}

it("keeps a map that cannot be read as it is answered, beside those that can", async () => {
  const refs = [0, 1].map((ordinal) => ({ series: "s", ordinal, example: 0 }));
  const { maps } = await collect(new Transport(server, respond), {
    refs: refs.map((ref) => ({ ref, as: ref })),
    looks: [[["pool", "max"]]],
    pair: null,
    progress: () => undefined,
    budget: new Budget(),
    signal: new AbortController().signal,
  });
  expect(Object.entries(maps).map(([key, { error }]) => [key, error])).toEqual([
    ["s.0.0?pool=max", ""],
    ["s.1.0?pool=max", damaged],
    ["s.0.0.0.0?pool=max", ""],
  ]);
});
