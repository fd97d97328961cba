import { expect, it } from "vitest";
import { HeadsResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { Budget, mostBytes, Recorder } from "../data/answers";
import type { Fetch } from "../data/transport";
import { HeadsClient } from "../data/heads";
import { LensClient } from "../data/lens";
import { MultiplesClient } from "../data/multiples";
import { PluginClient } from "../data/client";
import { SimilarClient } from "../data/similar";
import { Kind } from "../data/types";
import { VectorsClient } from "../data/vectors";
import { HeadsLoader } from "../state/heads_loader";
import { LensLoader } from "../state/lens_loader";
import { Loader } from "../state/loader";
import { MultiplesLoader } from "../state/multiples_loader";
import { DEFAULT_SELECTION, type Selection } from "../state/selection";
import { SimilarLoader } from "../state/similar_loader";
import { Store } from "../state/store";
import { TeachingLoader } from "../state/teaching_loader";
import { index, series } from "../state/testing";
import type { App } from "./context";
import { askAgain } from "./page_parts";

const base = new URL("http://host/data/plugin/llmdebug/");

/** Two runs with maps and attributions. */
function appOf(selection: Partial<Selection>): App {
  const store = new Store();
  const of = (run: string) => [series({ id: `maps-${run}` }), series({ id: `strips-${run}`, kind: Kind.ATTRIBUTION })];
  store.index.value = index({ bad: of("bad"), good: of("good") });
  store.selection.value = { ...DEFAULT_SELECTION, runs: ["bad", "good"], ...selection };
  const loader = new Loader(new PluginClient({ base }), store);
  return {
    store,
    loader,
    heads: new HeadsLoader(new HeadsClient(base), store, loader),
    teaching: new TeachingLoader(new VectorsClient(base), store, loader),
    lens: new LensLoader(new LensClient(base), store, loader),
    similar: new SimilarLoader(new SimilarClient(base), store, loader),
    multiples: new MultiplesLoader(new MultiplesClient(base)),
    base,
  };
}

const refusing: Fetch = async (url) => {
  if (url.includes("bad")) return new Response("It cannot be read.", { status: 500, headers: { "content-type": "text/plain" } });
  // What can be answered comes after the refusal.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const end = Number(new URL(url).searchParams.get("to") ?? 0);
  return new Response(new Uint8Array(HeadsResponse.encode(HeadsResponse.fromPartial({ end })).finish()));
};

async function kept(selection: Partial<Selection>, ask = refusing, budget = new Budget(), signal = new AbortController().signal): Promise<string[]> {
  const recorder = new Recorder(base, (_, ordinal) => ordinal, budget, ask);
  await askAgain(appOf(selection), recorder, signal);
  return Object.entries(recorder.answers).map(([key, answer]) => `${key} ${answer instanceof Uint8Array ? "answered" : `${answer.status} ${answer.sentence}`}`).sort();
}

it("keeps a run's refusal beside the answers of the other", async () => {
  expect(await kept({ view: "attributions" })).toEqual([
    "attributions?series=strips-bad&example=0 500 It cannot be read.",
    "attributions?series=strips-good&example=0 answered",
  ]);
});

it("asks for the means too after a refusal, and for the matches", async () => {
  const pins = { a: { run: "bad", step: 0 }, b: { run: "good", step: 100 } };
  const answers = await kept({ view: "heads", heads: { ...DEFAULT_SELECTION.heads, tool: "changes" }, ...pins });
  expect(answers.filter((one) => one.includes("maps-good") && one.startsWith("heads"))).toHaveLength(3);
  expect(answers.filter((one) => one.startsWith("changes"))).toHaveLength(2);
  expect(answers.filter((one) => one.includes("maps-bad")).every((one) => one.endsWith("500 It cannot be read."))).toBe(true);
});

it("stops where the page is full, where the reader gives it up, and where nobody answers", async () => {
  const full = new Budget();
  full.take(mostBytes);
  const answering: Fetch = () => Promise.resolve(new Response(Uint8Array.of(1)));
  await expect(kept({ view: "attributions" }, answering, full)).rejects.toThrow("show fewer runs");
  // Beside a refusal too.
  const refusingOne: Fetch = (url, init) => (url.includes("bad") ? refusing(url, init) : answering(url, init));
  await expect(kept({ view: "attributions" }, refusingOne, full)).rejects.toThrow("show fewer runs");
  const given = AbortSignal.abort(new Error("given up"));
  await expect(kept({ view: "attributions" }, () => Promise.reject(new Error("given up")), new Budget(), given)).rejects.toThrow("given up");
  await expect(kept({ view: "attributions" }, () => Promise.reject(new TypeError("no network")))).rejects.toThrow("TensorBoard does not answer");
});
