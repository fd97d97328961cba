// Geometry of the scrubber: the loss curve and the ticks as SVG paths.
import { leastAndMost } from "../base/numbers";
import { MapState, Severity } from "../data/types";
import { axisPlace, type Tick } from "../state/timeline";

export interface Span {
  readonly first: number;
  readonly last: number;
  readonly width: number;
  readonly height: number;
}

const MOST_POINTS = 600;

function finitePoints(steps: readonly number[], values: readonly number[], span: Span): [number, number][] {
  const inside = steps.flatMap((step, i): [number, number][] => {
    const value = values[i];
    return value !== undefined && Number.isFinite(value) && step >= span.first && step <= span.last
      ? [[step, value]]
      : [];
  });
  const stride = Math.ceil(inside.length / MOST_POINTS);
  return inside.filter((_, i) => i % stride === 0 || i === inside.length - 1);
}

/** The path of a curve stretched over the height; empty with fewer than two points. */
export function curvePath(steps: readonly number[], values: readonly number[], span: Span): string {
  const points = finitePoints(steps, values, span);
  if (points.length < 2) return "";
  const [low, high] = leastAndMost(points.map(([, value]) => value));
  const y = (value: number): number => (high > low ? (1 - (value - low) / (high - low)) * span.height : span.height / 2);
  const x = (step: number): number => axisPlace(step, span.first, span.last) * span.width;
  return points.map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

/** The value of a curve at the last point at or before a step. */
export function valueAt(steps: readonly number[], values: readonly number[], step: number): number | undefined {
  let found: number | undefined;
  steps.forEach((one, i) => {
    if (one <= step) found = values[i];
  });
  return found;
}

/** One path per kind of tick, and in it one stroke per pixel: many steps stay a handful of elements. */
export function tickPaths(ticks: readonly Tick[], span: Span): ReadonlyMap<MapState, string> {
  const paths = new Map<MapState, { strokes: string[]; column: number }>();
  for (const tick of ticks) {
    if (!tick.stop) continue;
    const x = axisPlace(tick.step, span.first, span.last) * span.width;
    const column = Math.floor(x);
    const path = paths.get(tick.presence) ?? { strokes: [], column: -1 };
    paths.set(tick.presence, path);
    if (column === path.column) continue;
    path.column = column;
    const top = tick.presence === MapState.STATISTICS_ONLY ? span.height / 2 : 0;
    path.strokes.push(`M${x.toFixed(1)} ${top}V${span.height}`);
  }
  return new Map([...paths].map(([presence, { strokes }]) => [presence, strokes.join("")]));
}

/** Steps with an anomaly that share one mark. */
export interface Mark {
  readonly x: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** The worst of them. */
  readonly severity: Severity;
}

/** Marks at least `apart` pixels from each other, each where its first step is. */
export function marksOf(ticks: readonly Tick[], span: Span, apart: number): Mark[] {
  const marks: Mark[] = [];
  for (const { step, severity } of ticks) {
    if (severity <= Severity.INFO) continue;
    const x = axisPlace(step, span.first, span.last) * span.width;
    const before = marks[marks.length - 1];
    if (before === undefined || x - before.x >= apart) marks.push({ x, count: 1, first: step, last: step, severity });
    else marks[marks.length - 1] = { ...before, count: before.count + 1, last: step, severity: severity > before.severity ? severity : before.severity };
  }
  return marks;
}
