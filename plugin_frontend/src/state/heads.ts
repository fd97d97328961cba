// What the Heads view shows, as its part of the selection and of the URL, and the arithmetic behind it.
import { ranksOf } from "../base/numbers";
import { isBelowFloor } from "../data/distance";
import { headName, type ChangesData, type HeadMatchInfo, type HeadsData, type LayerHeads } from "../data/heads";
import type { HeadRef, SeriesInfo } from "../data/types";
import { ordinalAt, recordsByStep } from "./catalog";

export type HeadsTool = "scatter" | "find" | "alike" | "changes" | "matches";
export const HEADS_TOOLS: readonly HeadsTool[] = ["scatter", "find", "alike", "changes", "matches"];

/** When a statistic is taken: at the step on screen, or at a pin. */
export type Moment = "now" | "a" | "b";
export const MOMENTS: readonly Moment[] = ["now", "a", "b"];

export interface Quantity {
  readonly statistic: string;
  readonly moment: Moment;
}

export const TOP_COUNTS: readonly number[] = [10, 25, 100];

export interface HeadsState {
  readonly statistic: string;
  readonly tool: HeadsTool;
  /** Means over all examples, not the chosen one. */
  readonly mean: boolean;
  readonly x: Quantity;
  readonly y: Quantity;
  /** A statistic, or "run" or "layer". */
  readonly colour: string;
  readonly ascending: boolean;
  /** One line per layer in the finder. */
  readonly folded: boolean;
  readonly top: number;
  /** The head of B beside the locked one, of the same layer. */
  readonly other: number | null;
}

export const DEFAULT_HEADS: HeadsState = {
  statistic: "entropy",
  tool: "scatter",
  mean: false,
  x: { statistic: "entropy", moment: "now" },
  y: { statistic: "first_token", moment: "now" },
  colour: "run",
  ascending: false,
  folded: false,
  top: 10,
  other: null,
};

const writeQuantity = ({ statistic, moment }: Quantity): string => (moment === "now" ? statistic : `${statistic}@${moment}`);

export function readQuantity(text: string): Quantity | undefined {
  const at = text.lastIndexOf("@");
  const moment = at < 0 ? "now" : MOMENTS.find((one) => one === text.slice(at + 1));
  const statistic = at < 0 ? text : text.slice(0, at);
  return moment === undefined || !isName(statistic) ? undefined : { statistic, moment };
}

/** As the names of statistics are written. */
export const isName = (text: string): boolean => /^[\w. -]{1,64}$/.test(text);

function textsOf(state: HeadsState): Readonly<Record<string, string>> {
  const texts: Readonly<Record<keyof HeadsState, string>> = {
    statistic: state.statistic,
    tool: state.tool,
    mean: String(state.mean),
    x: writeQuantity(state.x),
    y: writeQuantity(state.y),
    colour: state.colour,
    ascending: String(state.ascending),
    folded: String(state.folded),
    top: String(state.top),
    other: String(state.other),
  };
  return texts;
}

/** `statistic=distance;tool=find`, default values left out; null = all are. */
export function writeHeads(state: HeadsState): string | null {
  const standard = textsOf(DEFAULT_HEADS);
  const parts = Object.entries(textsOf(state)).filter(([key, text]) => text !== standard[key] && isWritable(text));
  return parts.length === 0 ? null : parts.map(([key, text]) => `${key}=${text}`).join(";");
}

const isWritable = (text: string): boolean => !/[;=]/.test(text);

export function readHeads(text: string): HeadsState {
  const given = new Map(text.slice(0, 1024).split(";").map((part) => [part.split("=")[0] ?? "", part.split("=")[1] ?? ""]));
  const name = (key: "statistic" | "colour"): string => {
    const found = given.get(key) ?? "";
    return isName(found) ? found : DEFAULT_HEADS[key];
  };
  const flag = (key: string): boolean => given.get(key) === "true";
  const other = given.get("other") ?? "";
  return {
    statistic: name("statistic"),
    tool: HEADS_TOOLS.find((one) => one === given.get("tool")) ?? DEFAULT_HEADS.tool,
    mean: flag("mean"),
    x: readQuantity(given.get("x") ?? "") ?? DEFAULT_HEADS.x,
    y: readQuantity(given.get("y") ?? "") ?? DEFAULT_HEADS.y,
    colour: name("colour"),
    ascending: flag("ascending"),
    folded: flag("folded"),
    top: TOP_COUNTS.find((count) => String(count) === given.get("top")) ?? DEFAULT_HEADS.top,
    other: /^\d{1,9}$/.test(other) ? Number(other) : null,
  };
}

/** One run's statistics and the series that they are of. */
export interface RunHeads {
  readonly run: string;
  readonly series: SeriesInfo;
  readonly data: HeadsData;
  /** Statistics that there are; of a very large series `data` holds only the chosen ones. */
  readonly names: readonly string[];
}

export function valueAt(data: HeadsData, ordinal: number, at: HeadRef, statistic: string): number {
  const place = data.places.get(headName(at));
  const column = data.names.indexOf(statistic);
  if (place === undefined || column < 0 || ordinal < 0) return NaN;
  return data.values[(ordinal * data.places.size + place) * data.names.length + column] ?? NaN;
}

export function spreadAt(data: HeadsData, ordinal: number, at: HeadRef, statistic: string): number {
  return data.spreads === null ? NaN : valueAt({ ...data, values: data.spreads }, ordinal, at, statistic);
}

/** The statistic of a head in the record that shows the run at a step. */
export function valueAtStep({ data, series }: RunHeads, step: number, at: HeadRef, statistic: string, worker: number | null = null): number {
  const ordinal = ordinalAt(series, step, worker);
  return ordinal < data.steps.length ? valueAt(data, ordinal, at, statistic) : NaN;
}

/** Ordinals by ascending step, one per step: of a step that was logged twice, the one that shows it. */
export function ordinalsByStep({ series, data }: RunHeads, worker: number | null = null): number[] {
  const best = recordsByStep({ steps: data.steps, workers: series.workers }, worker);
  return [...best].sort(([a], [b]) => a - b).map(([, ordinal]) => ordinal);
}

/** Layers and heads of all runs. */
export function headRows(runs: readonly RunHeads[]): LayerHeads[] {
  const rows = new Map<number, { label: string; heads: Set<number> }>();
  for (const { data } of runs) {
    for (const { layer, label, heads } of data.layers) {
      const row = rows.get(layer) ?? { label, heads: new Set<number>() };
      heads.forEach((head) => row.heads.add(head));
      rows.set(layer, row);
    }
  }
  return [...rows]
    .map(([layer, { label, heads }]) => ({ layer, label, heads: [...heads].sort((a, b) => a - b) }))
    .sort((a, b) => a.layer - b.layer);
}

export interface Extent {
  readonly low: number;
  readonly high: number;
}

/**
 * One scale for all heads, steps and runs of a statistic; it starts at 0 where nothing is negative. `spread`:
 * with room for the standard deviations of means.
 */
export function extentOf(runs: readonly RunHeads[], statistic: string, spread = false): Extent {
  const ranges = runs.map(({ data }) => rangeOf(data, statistic, spread));
  const low = ranges.reduce((least, range) => Math.min(least, range.low), 0);
  const high = ranges.reduce((most, range) => Math.max(most, range.high), -Infinity);
  return high > low ? { low, high } : { low, high: low + 1 };
}

/** Ranges that were looked for once: answers never change, and a large one takes millions of comparisons. */
const ranges = new WeakMap<HeadsData, Map<string, Extent>>();

function rangeOf(data: HeadsData, statistic: string, spread: boolean): Extent {
  const known = ranges.get(data) ?? new Map<string, Extent>();
  ranges.set(data, known);
  const key = `${spread ? "±" : ""}${statistic}`;
  const found = known.get(key) ?? lookForRange(data, statistic, spread);
  known.set(key, found);
  return found;
}

function lookForRange(data: HeadsData, statistic: string, spread: boolean): Extent {
  let low = 0;
  let high = -Infinity;
  const column = data.names.indexOf(statistic);
  for (let i = column; column >= 0 && i < data.values.length; i += data.names.length) {
    const value = data.values[i] ?? NaN;
    const around = spread ? (data.spreads?.[i] ?? 0) || 0 : 0;
    if (value < low && value > -Infinity) low = value;
    if (value + around > high && value + around < Infinity) high = value + around;
  }
  return { low, high };
}

export interface RankedHead extends HeadRef {
  readonly run: string;
  readonly value: number;
  /** 1 = the first in the chosen order; heads of equal value share one. */
  readonly rank: number;
  /** Heads with a value. */
  readonly of: number;
}

/** Heads of one run at a step in the order of a statistic; those without a value are left out. */
export function rankedHeads(run: RunHeads, step: number, statistic: string, ascending: boolean, worker: number | null = null): RankedHead[] {
  const ordinal = ordinalAt(run.series, step, worker);
  const all = run.data.layers.flatMap(({ layer, heads }) =>
    heads.map((head) => ({ layer, head, value: valueAt(run.data, ordinal, { layer, head }, statistic) })),
  );
  const known = all.filter(({ value }) => !Number.isNaN(value));
  const sign = ascending ? 1 : -1;
  known.sort((a, b) => (a.value === b.value ? 0 : a.value < b.value ? -sign : sign) || a.layer - b.layer || a.head - b.head);
  const ranks = ranksOf(known.map(({ value }) => value));
  return known.map((one, i) => ({ ...one, run: run.run, rank: ranks[i] ?? NaN, of: known.length }));
}

export interface ChangedHead extends HeadRef {
  readonly mean: number;
  readonly spread: number;
  readonly floor: number;
  readonly belowFloor: boolean;
  /** 1 = the most changed; heads of equal mean share one, those without have none. */
  readonly rank: number | null;
}

/** The most changed first; heads without a distance last. */
export function mostChanged(changes: ChangesData): ChangedHead[] {
  const all = changes.layers.flatMap(({ layer, heads, mean, spread, floor }) =>
    heads.map((head, i) => ({
      layer,
      head,
      mean: mean[i] ?? NaN,
      spread: spread[i] ?? NaN,
      floor,
      belowFloor: isBelowFloor(mean[i] ?? NaN, floor),
    })),
  );
  const order = (value: number): number => (Number.isNaN(value) ? -Infinity : value);
  all.sort((a, b) => order(b.mean) - order(a.mean) || a.layer - b.layer || a.head - b.head);
  const ranks = ranksOf(all.map(({ mean }) => mean));
  return all.map((one, i) => ({ ...one, rank: Number.isNaN(one.mean) ? null : (ranks[i] ?? null) }));
}

export interface MatchedHead extends HeadMatchInfo {
  readonly floor: number;
  readonly belowFloor: boolean;
}

/** In the order of the answer: by layer and head of A. */
export function matchedHeads({ layers, matches }: ChangesData): MatchedHead[] {
  const floors = new Map(layers.map(({ layer, floor }) => [layer, floor]));
  return matches.map((one) => {
    const floor = floors.get(one.layer) ?? 0;
    return { ...one, floor, belowFloor: isBelowFloor(one.distance, floor) };
  });
}

/** How many heads of A that were compared have none of B beside them. */
export function withoutMatch({ layers, matches }: ChangesData): number {
  const matched = new Set(matches.map(headName));
  return layers.reduce((sum, { layer, heads }) => sum + heads.filter((head) => !matched.has(headName({ layer, head }))).length, 0);
}
