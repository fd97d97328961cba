import { signal } from "@preact/signals";
import { beforeEach, expect, it, vi } from "vitest";
import type { HeadsData } from "../data/heads";
import { HeadsLoader } from "./heads_loader";
import { DEFAULT_SELECTION } from "./selection";
import { Store } from "./store";
import { index, series } from "./testing";

const NAMES = ["distance", "entropy", "max"];
/** So many heads that only the chosen statistics of 2,000 steps are asked for. */
const PLACES = new Map(Array.from({ length: 4000 }, (_, head) => [`0.${head}`, head] as const));
const STEPS = Array.from({ length: 2000 }, (_, step) => step);

const answer = { names: NAMES, places: PLACES } as unknown as HeadsData;
const heads = vi.fn<(...asked: unknown[]) => Promise<HeadsData>>(() => Promise.resolve(answer));

beforeEach(() => void heads.mockClear());

it.each([
  ["entropy", "nonsense", ["distance", "entropy"]],
  ["nonsense", "nonsense", ["distance"]],
])("asks of a large series for statistics that it has only: %s, coloured by %s", async (statistic, colour, expected) => {
  const store = new Store();
  store.index.value = index({ a: [series({ steps: STEPS })] });
  const quantity = { ...DEFAULT_SELECTION.heads.x, statistic: colour === statistic ? colour : "distance" };
  const chosen = { ...DEFAULT_SELECTION.heads, statistic, colour, x: quantity, y: quantity };
  store.selection.value = { ...DEFAULT_SELECTION, view: "heads", runs: ["a"], heads: chosen };
  const loader = new HeadsLoader({ heads, changes: () => Promise.reject(new Error()) }, store, { attempt: signal(0) });
  loader.start();
  await vi.waitFor(() => expect(heads).toHaveBeenCalledTimes(2));
  expect(heads.mock.calls.map((call) => call[3])).toEqual([[], expected]);
  loader.dispose();
});
