// What the plots of the Heads view enter for the export menu: each as a figure, with the numbers behind it.
import { formatCount } from "../../base/format";
import { leastAndMost } from "../../base/numbers";
import type { TableCell } from "../../exports/csv";
import type { Bar, LegendItem } from "../../exports/figure_page";
import type { Exportable } from "../../exports/registry";
import { sequential } from "../../render/colormap";
import { packedColours } from "../../render/grid_canvas2d";
import type { ScatterData } from "../../render/scatter_plot";
import type { SparkRun } from "../../render/spark_curves";
import type { SparkData } from "../../render/spark_grid";
import type { Extent, RunHeads } from "../../state/heads";
import type { HeadAt, Store } from "../../state/store";
import { niceLabels } from "../../state/timeline";
import { elideMiddle, formatTick, shownText } from "../../text/format";
import { statisticName, t } from "../../text/table";
import { darkFor } from "../exporting";
import { formatStatistic } from "../head_facts";
import { sameHead, type HeadsShown } from "./focus";
import type { TrendLine } from "./trend_lines";

export const MOST_NAME = 60;

/** "decoder · example 0 · step 50": what the values are of. */
export function placeText(store: Store, { state, step }: HeadsShown, withStep: boolean): string {
  const { name, example, examples } = store.resolved.peek();
  const of = state.mean && examples > 1 ? t("headsMean", { n: examples }) : t("headsExample", { n: example });
  return [shownText(name ?? ""), of, ...(withStep ? [t("step", { step: formatCount(step) })] : [])].join(" · ");
}

function fileParts(store: Store, { runs, step }: HeadsShown, ...what: readonly string[]): string[] {
  return [...runs.map(({ run }) => run), store.resolved.peek().name ?? "", `step ${step}`, ...what];
}

function legendOf(colours: ReadonlyMap<string, string>, runs: readonly string[]): LegendItem[] {
  return runs.map((run) => ({ text: elideMiddle(run, MOST_NAME), colour: colours.get(run) ?? "#808080" }));
}

export interface RunCurves {
  readonly run: RunHeads;
  readonly ordinals: readonly number[];
}

export function sparkData(curves: readonly RunCurves[], { rows, state }: HeadsShown, { low, high }: Extent, colours: ReadonlyMap<string, string>, dark: boolean): SparkData {
  const drawn: SparkRun[] = curves.map(({ run: { run, data }, ordinals }) => ({
    colour: colours.get(run) ?? "#808080",
    steps: ordinals.map((ordinal) => data.steps[ordinal] ?? 0),
    ordinals,
    values: data.values,
    places: data.places,
    column: data.names.indexOf(state.statistic),
    columns: data.names.length,
  }));
  const firsts = drawn.flatMap(({ steps }) => steps.slice(0, 1));
  const lasts = drawn.flatMap(({ steps }) => steps.slice(-1));
  const [first, last] = firsts.length === 0 ? [0, 0] : [leastAndMost(firsts)[0], leastAndMost(lasts)[1]];
  return { rows, runs: drawn, low, high, first, last, dark };
}

/** What the heights and the width of the cells stand for. */
export function scaleText(statistic: string, { low, high, first, last }: Pick<SparkData, "low" | "high" | "first" | "last">): string {
  return t(first === last ? "headsScaleOne" : "headsScale", {
    low: formatStatistic(statistic, low),
    high: formatStatistic(statistic, high),
    first: formatCount(first),
    last: formatCount(last),
  });
}

interface MatrixShown {
  readonly curves: readonly RunCurves[];
  readonly extent: Extent;
  readonly locked: HeadAt | null;
  readonly other: HeadAt | null;
}

export function matrixEntry(store: Store, shown: HeadsShown, { curves, extent, locked, other }: MatrixShown): Exportable {
  const { state, step, runs } = shown;
  const statistic = statisticName(state.statistic);
  const title = t("headsMatrix", { statistic });
  return {
    id: "1 matrix",
    section: "grid",
    title,
    parts: fileParts(store, shown, state.statistic, "all heads"),
    figure: async (measure) => {
      const { sparkFigure } = await import("../../exports/figure_spark");
      const dark = darkFor(store, store.dark.peek());
      const colours = store.coloursOn(dark);
      const data = sparkData(curves, shown, extent, colours, dark);
      const marked = data.last > data.first ? [t("exportStepMarked", { step: formatCount(step) })] : [];
      return sparkFigure(
        {
          data,
          step,
          locked,
          other,
          heading: { title, subtitle: placeText(store, shown, false), caption: [scaleText(state.statistic, data), ...marked].join(" · ") },
          legend: legendOf(colours, runs.map(({ run }) => run)),
          headTitle: t("head"),
          layerTitle: t("layer"),
        },
        measure,
      );
    },
  };
}

interface TrendShown {
  readonly lines: readonly TrendLine[];
  readonly extent: Extent;
  readonly first: number;
  readonly last: number;
  readonly at: HeadAt;
}

export function trendEntry(store: Store, shown: HeadsShown, { lines, extent, first, last, at }: TrendShown): Exportable {
  const { state, step } = shown;
  const statistic = statisticName(state.statistic);
  const title = t("exportTrend", { statistic, ...at });
  return {
    id: "1 trend",
    section: "focus",
    title,
    parts: fileParts(store, shown, state.statistic, `layer ${at.layer} head ${at.head}`),
    figure: async (measure) => {
      const { trendFigure } = await import("../../exports/figure_trend");
      const dark = darkFor(store, store.dark.peek());
      const colours = store.coloursOn(dark);
      const spread = lines.some(({ band }) => band.length > 1) ? [t("exportSpread")] : [];
      return trendFigure(
        {
          curves: lines.map(({ run, pieces, band }) => ({ colour: colours.get(run.run) ?? "#808080", pieces, band })),
          ...extent,
          first,
          last,
          step,
          steps: niceLabels(first, last, 8).map((one) => ({ at: one, text: formatTick(one) })),
          format: (value) => formatStatistic(state.statistic, value),
          statisticTitle: statistic,
          stepTitle: t("stepColumn"),
          heading: { title, subtitle: placeText(store, shown, false), caption: [t("exportStepMarked", { step: formatCount(step) }), ...spread].join(" · ") },
          // Of a pair the runs show heads of different numbers.
          legend: legendOf(colours, lines.map(({ run }) => run.run)).map((item, i) => {
            const head = lines[i]?.at ?? at;
            return sameHead(head, at) ? item : { ...item, text: `${item.text} ${t("headShort", { ...head })}` };
          }),
          dark,
        },
        measure,
      );
    },
    table: () => ({
      header: ["run", "layer", "head", "step", state.statistic, "spread"],
      rows: lines.flatMap(({ run, at: head, pieces, band }) => {
        const spreads = new Map(band.map((one) => [one.step, one.spread]));
        return pieces.flat().map(([at, value]): TableCell[] => [run.run, head.layer, head.head, at, value, spreads.get(at) ?? null]);
      }),
    }),
  };
}

/** Which records the pins are that an axis is taken at. */
function pinsText(store: Store, { state }: HeadsShown): string[] {
  const used = [state.x.moment, state.y.moment];
  const pins = store.pins.peek();
  return (["a", "b"] as const).flatMap((pin) => {
    const at = pins?.[pin];
    return at === undefined || !used.includes(pin) ? [] : [t("exportPin", { pin: pin.toUpperCase(), run: elideMiddle(at.run, MOST_NAME), step: formatCount(at.step) })];
  });
}

interface ScatterShown {
  readonly data: (dark: boolean) => ScatterData;
  readonly locked: HeadAt | null;
  readonly names: { readonly x: string; readonly y: string; readonly colour: string };
  /** The ends of the colours, in words; null = colours are runs. */
  readonly range: { readonly low: string; readonly high: string } | null;
}

export function scatterEntry(store: Store, shown: HeadsShown, { data, locked, names, range }: ScatterShown): Exportable {
  const title = t("exportScatter", names);
  const { state } = shown;
  return {
    id: "2 scatter",
    section: "grid",
    title,
    parts: fileParts(store, shown, `${state.x.statistic} ${state.y.statistic}`),
    figure: async (measure) => {
      const { scatterFigure } = await import("../../exports/figure_scatter");
      const dark = darkFor(store, store.dark.peek());
      const drawn = data(dark);
      const runs = [...new Set(drawn.dots.map(({ run }) => run))];
      const ticks = [{ at: 0, text: range?.low ?? "" }, { at: 1, text: range?.high ?? "" }];
      const bar: Bar = { label: names.colour, colours: Uint32Array.from(packedColours(sequential(dark))), ticks };
      const heading = {
        title,
        subtitle: [placeText(store, shown, true), ...(range === null ? [] : runs.map((run) => elideMiddle(run, MOST_NAME)))].join(" · "),
        caption: [t("exportDots", { n: drawn.dots.length }), ...pinsText(store, shown)].join(" · "),
      };
      return scatterFigure({ data: drawn, locked, heading, legend: range === null ? legendOf(store.coloursOn(dark), runs) : [], bar: range === null ? null : bar }, measure);
    },
    table: () => ({
      header: ["run", "layer", "head", names.x, names.y],
      rows: data(false).dots.map(({ run, layer, head, x, y }): TableCell[] => [run, layer, head, x, y]),
    }),
  };
}
