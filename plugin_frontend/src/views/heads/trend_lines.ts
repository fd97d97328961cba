// The curve of one head of a run: pieces of steps and values, for the page and for a figure.
import type { Point } from "../../exports/figure";
import type { TrendBand } from "../../exports/figure_trend";
import { ordinalsByStep, spreadAt, valueAt, type RunHeads } from "../../state/heads";
import type { HeadAt } from "../../state/store";

export interface TrendLine {
  readonly run: RunHeads;
  readonly at: HeadAt;
  /** [step, value]; a new piece after each gap. */
  readonly pieces: readonly (readonly Point[])[];
  /** A standard deviation to each side, where values are means. */
  readonly band: readonly TrendBand[];
}

export function trendLine(run: RunHeads, at: HeadAt, statistic: string, worker: number | null): TrendLine {
  const pieces: Point[][] = [];
  const band: TrendBand[] = [];
  let open: Point[] = [];
  for (const ordinal of ordinalsByStep(run, worker)) {
    const value = valueAt(run.data, ordinal, at, statistic);
    const step = run.data.steps[ordinal] ?? 0;
    if (!Number.isFinite(value)) {
      open = [];
      continue;
    }
    if (open.push([step, value]) === 1) pieces.push(open);
    const spread = spreadAt(run.data, ordinal, at, statistic);
    if (Number.isFinite(spread)) band.push({ step, value, spread });
  }
  return { run, at, pieces, band };
}

/** Pixels on screen. */
export interface Scale {
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
}

export interface TrendPaths {
  readonly path: string;
  /** Pieces of one step. */
  readonly dots: string;
  readonly band: string;
}

export function trendPaths({ pieces, band }: TrendLine, { x, y }: Scale): TrendPaths {
  const place = (step: number, value: number): string => `${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
  const through = (piece: readonly Point[]): string => `M${piece.map(([step, value]) => place(step, value)).join("L")}`;
  const upper = band.map(({ step, value, spread }) => place(step, value + spread));
  const lower = band.map(({ step, value, spread }) => place(step, value - spread)).reverse();
  return {
    path: pieces.filter(({ length }) => length > 1).map(through).join(""),
    dots: pieces.filter(({ length }) => length === 1).map((piece) => `${through(piece)}h0.01`).join(""),
    band: band.length < 2 ? "" : `M${[...upper, ...lower].join("L")}Z`,
  };
}
