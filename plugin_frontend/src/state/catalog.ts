// Looking things up in the index: runs, their sessions, series by kind and name, records by step.
import { lastAtOrBefore } from "../base/numbers";
import { Kind, type IndexData, type RunInfo, type SeriesInfo } from "../data/types";
import { compareNames } from "./palette";

export interface SessionInfo {
  readonly id: string;
  readonly start: number;
  readonly newest: boolean;
}

export const EMPTY_INDEX: IndexData = { generation: "", scanning: true, runs: [], problems: [] };

/**
 * Oldest first. More than one: the run was restarted, and there is a choice between what was logged twice.
 * What only one of several workers logged has a session of its own, but leaves nothing to choose.
 */
export function sessionsOf(series: readonly SeriesInfo[]): SessionInfo[] {
  const byId = new Map<string, SessionInfo>();
  const again = (one: SeriesInfo): boolean =>
    series.some((other) => other.kind === one.kind && other.name === one.name && other.session !== one.session);
  const choices = series.some(again) ? series.filter(again) : series.slice(0, 1);
  for (const one of choices) {
    const known = byId.get(one.session);
    byId.set(one.session, {
      id: one.session,
      start: Math.min(known?.start ?? Infinity, one.sessionStart),
      newest: (known?.newest ?? false) || one.newest,
    });
  }
  return [...byId.values()].sort((a, b) => a.start - b.start || compareNames(a.id, b.id));
}

export function findRun(index: IndexData, run: string): RunInfo | undefined {
  return index.runs.find((one) => one.name === run);
}

/** The series of a run for a kind and name: of the session asked for, else of the newest one. */
export function findSeries(
  index: IndexData,
  run: string,
  kind: Kind,
  name: string,
  session?: string,
): SeriesInfo | undefined {
  const all = (findRun(index, run)?.series ?? []).filter((s) => s.kind === kind && s.name === name);
  return (
    all.find((s) => s.session === session) ??
    all.find((s) => s.newest) ??
    [...all].sort((a, b) => b.sessionStart - a.sessionStart)[0]
  );
}

/** Logged names of a kind over the given runs, sorted. */
export function namesOf(index: IndexData, kind: Kind, runs?: readonly string[]): string[] {
  const names = new Set<string>();
  for (const run of index.runs) {
    if (runs !== undefined && !runs.includes(run.name)) continue;
    for (const series of run.series) if (series.kind === kind) names.add(series.name);
  }
  return [...names].sort(compareNames);
}

/** The workers of a distributed run that logged a series, ascending. */
export function workersOf(series: Pick<SeriesInfo, "workers">): number[] {
  return [...new Set(series.workers)].sort((a, b) => a - b);
}

type Records = Pick<SeriesInfo, "steps" | "workers">;

interface ByStep {
  readonly ordinals: ReadonlyMap<number, number>;
  readonly ascending: Float64Array;
}

/** Series never change once they are read, and every look at a step asks for this. */
const known = new WeakMap<Records, Map<number | null, ByStep>>();

function byStep(series: Records, worker: number | null): ByStep {
  const ofSeries = known.get(series) ?? new Map<number | null, ByStep>();
  known.set(series, ofSeries);
  const found = ofSeries.get(worker) ?? sortByStep(series, worker);
  ofSeries.set(worker, found);
  return found;
}

function sortByStep(series: Records, worker: number | null): ByStep {
  const best = new Map<number, number>();
  const rank = (ordinal: number): number => {
    const own = series.workers[ordinal] ?? 0;
    return own === worker ? -1 : own;
  };
  series.steps.forEach((step, ordinal) => {
    const before = best.get(step);
    // <= so that of a step that one worker logged twice, the later record wins.
    if (before === undefined || rank(ordinal) <= rank(before)) best.set(step, ordinal);
  });
  return { ordinals: best, ascending: Float64Array.from(best.keys()).sort() };
}

/**
 * Ordinal of the record that shows a series at a step: the latest at or before it, or -1. Of several workers
 * that logged the step, the wanted one, else the first.
 */
export function ordinalAt(series: Records, step: number, worker: number | null = null): number {
  const { ordinals, ascending } = byStep(series, worker);
  return ordinals.get(ascending[lastAtOrBefore(ascending, step)] ?? NaN) ?? -1;
}

/**
 * The record of each step. Of several that were logged at one step, the one that shows it: the wanted worker's,
 * else the first worker's, and of one worker's the later.
 */
export function recordsByStep(series: Records, worker: number | null = null): ReadonlyMap<number, number> {
  return byStep(series, worker).ordinals;
}

export function holdsData(run: RunInfo): boolean {
  return run.series.some((series) => series.steps.length > 0);
}
