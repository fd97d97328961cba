// The scrubber's axis: which steps exist over all shown series, and what each of them holds.
import { MapState, Severity, type SeriesInfo } from "../data/types";

export interface Tick {
  readonly step: number;
  /** The best that any shown series has at this step. */
  readonly presence: MapState;
  /** The worst anomaly at this step. */
  readonly severity: Severity;
  /** A shown series has a record here; else only an anomaly was noted. */
  readonly stop: boolean;
}

const RANK: Readonly<Record<MapState, number>> = {
  [MapState.NO_MAP]: 0,
  [MapState.DROPPED]: 1,
  [MapState.STATISTICS_ONLY]: 2,
  [MapState.REDUCED]: 3,
  [MapState.FULL]: 4,
};

/** One tick per step, ascending. Anomaly series mark steps but make no stops of their own. */
export function ticksOf(shown: readonly SeriesInfo[], marks: readonly SeriesInfo[] = []): Tick[] {
  const ticks = new Map<number, { presence: MapState; severity: Severity; stop: boolean }>();
  for (const series of shown) {
    series.steps.forEach((step, ordinal) => {
      const presence = series.mapStates[ordinal] ?? MapState.NO_MAP;
      const severity = series.severities[ordinal] ?? Severity.NONE;
      const tick = ticks.get(step);
      if (tick === undefined) ticks.set(step, { presence, severity, stop: true });
      else {
        if (RANK[presence] > RANK[tick.presence]) tick.presence = presence;
        if (severity > tick.severity) tick.severity = severity;
      }
    });
  }
  for (const series of marks) {
    series.steps.forEach((step, ordinal) => {
      const severity = series.severities[ordinal] ?? Severity.NONE;
      const tick = ticks.get(step);
      if (tick === undefined) ticks.set(step, { presence: MapState.NO_MAP, severity, stop: false });
      else if (severity > tick.severity) tick.severity = severity;
    });
  }
  return [...ticks].map(([step, tick]) => ({ step, ...tick })).sort((a, b) => a.step - b.step);
}

/** The step of the tick nearest to a place on the axis. */
export function nearestStep(steps: readonly number[], wanted: number): number | undefined {
  let best: number | undefined;
  for (const step of steps) {
    if (best === undefined || Math.abs(step - wanted) < Math.abs(best - wanted)) best = step;
  }
  return best;
}

/** The step `by` places away in a sorted list; stays inside unless `loop`. */
export function neighbourStep(
  steps: readonly number[],
  current: number,
  by: number,
  loop = false,
): number | undefined {
  if (steps.length === 0) return undefined;
  // Between two stops, one move leads to the next stop, not past it.
  let place = steps.findIndex((step) => step >= current);
  if (place < 0) place = steps.length;
  const exact = steps[place] === current;
  let target = exact || by < 0 ? place + by : place + by - 1;
  if (loop) target = ((target % steps.length) + steps.length) % steps.length;
  else target = Math.min(steps.length - 1, Math.max(0, target));
  return steps[target];
}

const SLIDER_MOVES: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity,
};

/** How many places a key moves a slider over steps; undefined: it is none of its keys, or the browser's. */
export function sliderMove(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): number | undefined {
  return event.ctrlKey || event.metaKey || event.altKey ? undefined : SLIDER_MOVES[event.key];
}

/** Place of a step on the axis, 0 to 1. A single step stands in the middle. */
export function axisPlace(step: number, first: number, last: number): number {
  return last > first ? (step - first) / (last - first) : 0.5;
}

/** Round labels for an axis: at most `count`, at 1, 2 or 5 times a power of ten. */
export function niceLabels(first: number, last: number, count: number): number[] {
  if (!(last > first) || count < 2) return [first];
  const rough = (last - first) / (count - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].map((m) => m * power).find((u) => u >= rough) ?? 10 * power;
  const step = Math.max(1, unit);
  const labels: number[] = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) labels.push(at);
  return labels;
}
