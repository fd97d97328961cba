// From what was asked for (Selection) to what can be shown: defaults filled in, unknown names and steps
// put aside and named, so that a link to something that is gone says so.
import { leastAndMost } from "../base/numbers";
import { Kind, Severity, type IndexData, type MapRef, type SeriesInfo } from "../data/types";
import { findRun, findSeries, holdsData, namesOf, ordinalAt } from "./catalog";
import { DEFAULT_VISIBLE_RUNS, defaultRuns } from "./default_runs";
import type { Pin, Selection, ViewName } from "./selection";
import { nearestStep, ticksOf, type Tick } from "./timeline";

export interface Missing {
  readonly what: "run" | "name" | "step";
  readonly value: string;
}

export interface Resolved {
  readonly runs: readonly string[];
  readonly run: string | null;
  readonly name: string | null;
  readonly attribution: string | null;
  readonly examples: number;
  readonly example: number;
  /** Axis of the scrubber for the view in front. */
  readonly ticks: readonly Tick[];
  /** Sorted steps at which something can be shown. */
  readonly steps: readonly number[];
  readonly step: number | null;
  readonly views: readonly ViewName[];
  readonly view: ViewName;
  readonly missing: readonly Missing[];
}

function visibleRuns(index: IndexData, selection: Selection): string[] {
  const known = index.runs.map((run) => run.name);
  const asked = selection.runs?.filter((name) => known.includes(name)) ?? [];
  if (asked.length > 0) return known.filter((name) => asked.includes(name));
  const filled = index.runs.filter(holdsData).map((run) => run.name);
  const name = pickName(index, Kind.ATTENTION, filled, selection.name);
  const logged = filled.flatMap((run) => {
    const series = name === null ? undefined : findSeries(index, run, Kind.ATTENTION, name);
    return series === undefined ? [] : [{ name: run, series }];
  });
  if (logged.length === 0) return filled.slice(0, DEFAULT_VISIBLE_RUNS);
  const chosen = defaultRuns(logged);
  return known.filter((run) => chosen.includes(run));
}

/** The name asked for if there is one, else the one that most of the runs have logged. */
function pickName(index: IndexData, kind: Kind, runs: readonly string[], wanted: string | null): string | null {
  const names = namesOf(index, kind, runs);
  if (wanted !== null && names.includes(wanted)) return wanted;
  let best: string | null = null;
  let most = 0;
  for (const name of names) {
    const count = runs.filter((run) => findSeries(index, run, kind, name) !== undefined).length;
    if (count > most) [best, most] = [name, count];
  }
  return best;
}

export function seriesFor(
  index: IndexData,
  selection: Selection,
  run: string,
  kind: Kind,
  name: string | null,
): SeriesInfo | undefined {
  if (name === null) return undefined;
  return findSeries(index, run, kind, name, selection.sessions[run]);
}

function viewsWithData(index: IndexData): ViewName[] {
  const views: ViewName[] = [];
  const any = (kind: Kind): boolean => namesOf(index, kind).length > 0;
  if (any(Kind.ATTENTION)) views.push("attention", "heads");
  if (any(Kind.ATTRIBUTION)) views.push("attributions");
  const flagged = index.runs.some((run) =>
    run.series.some((s) => s.kind === Kind.ANOMALY || s.severities.some((severity) => severity > Severity.NONE)),
  );
  if (flagged) views.push("anomalies");
  return views;
}

/** Whether a pin names a run that is not in the log directory; before that was read, nothing is known. */
export function isAbsent(index: IndexData, pin: Pin | null): boolean {
  return pin !== null && !index.scanning && findRun(index, pin.run) === undefined;
}

/** What is compared in place of a pin whose run is not there. */
export interface StandIn {
  readonly pin: "a" | "b";
  readonly wanted: Pin;
  readonly shown: Pin;
}

export function standIns(index: IndexData, selection: Selection, pins: Readonly<Record<"a" | "b", Pin>> | undefined): StandIn[] {
  return (["a", "b"] as const).flatMap((pin) => {
    const wanted = selection[pin];
    return pins === undefined || wanted === null || !isAbsent(index, wanted) ? [] : [{ pin, wanted, shown: pins[pin] }];
  });
}

function missingOf(index: IndexData, selection: Selection): Missing[] {
  if (index.scanning) return [];
  const missing: Missing[] = [];
  const asked = [selection.run, ...(selection.runs ?? []), selection.a?.run, selection.b?.run];
  for (const run of new Set(asked)) {
    if (typeof run === "string" && findRun(index, run) === undefined) missing.push({ what: "run", value: run });
  }
  if (selection.name !== null && !namesOf(index, Kind.ATTENTION).includes(selection.name)) {
    missing.push({ what: "name", value: selection.name });
  }
  if (selection.attribution !== null && !namesOf(index, Kind.ATTRIBUTION).includes(selection.attribution)) {
    missing.push({ what: "name", value: selection.attribution });
  }
  return missing;
}

interface Axis {
  readonly shown: readonly SeriesInfo[];
  readonly flags: readonly SeriesInfo[];
  readonly ticks: readonly Tick[];
  readonly steps: readonly number[];
}

/** Most changes of the selection leave the axis as it is, and a long run's takes a while to make. */
let lastAxis: Axis = { shown: [], flags: [], ticks: [], steps: [] };

function axisOf(shown: readonly SeriesInfo[], flags: readonly SeriesInfo[]): Axis {
  const same = (a: readonly SeriesInfo[], b: readonly SeriesInfo[]): boolean => a.length === b.length && a.every((one, i) => one === b[i]);
  if (!same(shown, lastAxis.shown) || !same(flags, lastAxis.flags)) {
    const ticks = ticksOf(shown, flags);
    lastAxis = { shown, flags, ticks, steps: ticks.filter(({ stop }) => stop).map(({ step }) => step) };
  }
  return lastAxis;
}

export function resolve(index: IndexData, selection: Selection): Resolved {
  const runs = visibleRuns(index, selection);
  const run = selection.run !== null && runs.includes(selection.run) ? selection.run : (runs[0] ?? null);
  const nameIn = (kind: Kind, wanted: string | null): string | null =>
    pickName(index, kind, runs, wanted);
  const name = nameIn(Kind.ATTENTION, selection.name);
  const attribution = nameIn(Kind.ATTRIBUTION, selection.attribution ?? selection.name);
  const views = viewsWithData(index);
  const view = views.includes(selection.view) ? selection.view : (views[0] ?? "attention");

  const maps = runs.flatMap((one) => seriesFor(index, selection, one, Kind.ATTENTION, name) ?? []);
  const strips = runs.flatMap((one) => seriesFor(index, selection, one, Kind.ATTRIBUTION, attribution) ?? []);
  const flags = runs.flatMap((one) => findRun(index, one)?.series.filter((s) => s.kind === Kind.ANOMALY) ?? []);
  const shown = view === "attributions" || maps.length === 0 ? strips : maps;
  const { ticks, steps } = axisOf(shown, flags);
  const last = steps[steps.length - 1] ?? null;
  const step = selection.step === null ? last : (nearestStep(steps, selection.step) ?? null);
  const examples = Math.max(0, leastAndMost([...maps, ...strips].map((series) => series.examples))[1]);
  return {
    runs,
    run,
    name,
    attribution,
    examples,
    example: Math.min(selection.example, Math.max(0, examples - 1)),
    ticks,
    steps,
    step,
    views,
    view,
    missing: missingOf(index, selection),
  };
}

/** A record of a series: what a `maps` request names. */
export interface RecordRef {
  readonly run: string;
  readonly series: SeriesInfo;
  readonly ordinal: number;
  readonly step: number;
}

/** The record that shows a run at a step; undefined when the run logged nothing up to then. */
export function recordAt(
  index: IndexData,
  selection: Selection,
  run: string,
  kind: Kind,
  name: string | null,
  step: number | null,
): RecordRef | undefined {
  const series = seriesFor(index, selection, run, kind, name);
  if (series === undefined || step === null) return undefined;
  const ordinal = ordinalAt(series, step, selection.worker);
  const found = series.steps[ordinal];
  return found === undefined ? undefined : { run, series, ordinal, step: found };
}

/** The record whose tokens name the examples: the one shown, or any where none is shown yet. */
export function exampleRecord(
  index: IndexData,
  selection: Selection,
  { run, name, attribution, step }: Resolved,
): { readonly kind: Kind; readonly record: RecordRef } | undefined {
  if (run === null) return undefined;
  const find = (kind: Kind, logged: string | null): RecordRef | undefined =>
    recordAt(index, selection, run, kind, logged, step) ?? recordAt(index, selection, run, kind, logged, Infinity);
  const map = find(Kind.ATTENTION, name);
  if (map !== undefined) return { kind: Kind.ATTENTION, record: map };
  const strip = find(Kind.ATTRIBUTION, attribution);
  return strip === undefined ? undefined : { kind: Kind.ATTRIBUTION, record: strip };
}

/**
 * The two sides of a difference. A pin that was not set has a default that answers the usual question,
 * "what has changed since the start": A the first step of the run, B what is on screen.
 */
export function effectivePins(
  index: IndexData,
  selection: Selection,
  resolved: Resolved,
): { readonly a: Pin; readonly b: Pin } | undefined {
  const known = (pin: Pin | null): Pin | null =>
    pin !== null && findRun(index, pin.run) !== undefined ? pin : null;
  const { run, step } = resolved;
  if (run === null || step === null) return undefined;
  const series = seriesFor(index, selection, run, Kind.ATTENTION, resolved.name);
  const first = series === undefined || series.steps.length === 0 ? step : leastAndMost(series.steps)[0];
  return { a: known(selection.a) ?? { run, step: first }, b: known(selection.b) ?? { run, step } };
}

export function mapRef(record: RecordRef, example: number): MapRef {
  return { series: record.series.id, ordinal: record.ordinal, example };
}

export function refKey(ref: MapRef): string {
  return `${ref.series}.${ref.ordinal}.${ref.example}`;
}
