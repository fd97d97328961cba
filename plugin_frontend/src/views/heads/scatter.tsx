// Statistics against each other: one dot per head.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useApp } from "../../frame/context";
import { cssColour, cssGradient, sequential, type ColourMap } from "../../render/colormap";
import { ScatterPlot, type Dot, type ScatterAxis } from "../../render/scatter_plot";
import { extentOf, MOMENTS, valueAtStep, type Extent, type Moment, type Quantity, type RunHeads } from "../../state/heads";
import type { HeadAt } from "../../state/store";
import { statisticDefinition, statisticName, t } from "../../text/table";
import { useExport } from "../exporting";
import { formatStatistic } from "../head_facts";
import { Choice } from "../toolbar";
import { useDrawing } from "../use_drawing";
import { scatterEntry } from "./figures";
import { useChange, type HeadsShown } from "./focus";

const quantityName = ({ statistic, moment }: Quantity): string =>
  moment === "now" ? statisticName(statistic) : t("quantityAt", { statistic: statisticName(statistic), pin: moment.toUpperCase() });

interface AxisProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly value: Quantity;
  readonly testId: string;
  readonly onChange: (value: Quantity) => void;
}

function AxisChoice({ label, names, value, testId, onChange }: AxisProps): preact.JSX.Element {
  return (
    <span class="axis-choice" title={statisticDefinition(value.statistic)}>
      <Choice label={label} value={value.statistic} options={withChosen(names, value.statistic)} name={statisticName} testId={testId}
        onChange={(statistic) => onChange({ ...value, statistic })} />
      <Choice label={t("when", { axis: label })} quiet value={value.moment} options={MOMENTS} testId={`${testId}-when`}
        name={(moment) => (moment === "now" ? t("momentNow") : t("momentAt", { pin: moment.toUpperCase() }))}
        onChange={(moment) => onChange({ ...value, moment })} />
    </span>
  );
}

export const withChosen = (names: readonly string[], chosen: string): readonly string[] =>
  names.includes(chosen) ? names : [...names, chosen];

type Pins = Readonly<Record<"a" | "b", { run: string; step: number }>> | undefined;

/** Where a run's value of a moment is read. */
function momentsOf(moment: Moment, run: RunHeads, shown: HeadsShown, all: ReadonlyMap<string, RunHeads>, pins: Pins): { run: RunHeads; step: number } | undefined {
  if (moment === "now") return { run, step: shown.step };
  const pin = pins?.[moment];
  const at = pin === undefined ? undefined : all.get(pin.run);
  return pin === undefined || at === undefined ? undefined : { run: at, step: pin.step };
}

function colourOf(value: number, { low, high }: Extent, table: ColourMap): string {
  return Number.isNaN(value) ? "#808080" : cssColour(table, Math.min(1, Math.max(0, (value - low) / (high - low))));
}

interface Made {
  readonly dots: readonly Dot[];
  readonly range: Extent | null;
}

interface Sources {
  readonly all: ReadonlyMap<string, RunHeads> | undefined;
  readonly pins: Pins;
  readonly colours: ReadonlyMap<string, string>;
  readonly dark: boolean;
}

function dotsOf(shown: HeadsShown, { all, pins, colours, dark }: Sources): Made {
  const { runs, rows, state, worker } = shown;
  const { x, y, colour } = state;
  if (all === undefined) return { dots: [], range: null };
  const table = sequential(dark);
  const range =
    colour === "run" ? null : colour === "layer" ? { low: rows[0]?.layer ?? 0, high: Math.max(1, rows[rows.length - 1]?.layer ?? 1) } : extentOf(runs, colour);
  // Two pins hold for every run alike: then each head is one dot.
  const fixed = x.moment !== "now" && y.moment !== "now";
  const sources = fixed ? runs.slice(0, 1) : runs;
  const dots: Dot[] = [];
  for (const run of sources) {
    const across = momentsOf(x.moment, run, shown, all, pins);
    const up = momentsOf(y.moment, run, shown, all, pins);
    if (across === undefined || up === undefined) continue;
    const owner = fixed ? up.run : run;
    for (const { layer, heads: list } of rows) {
      for (const head of list) {
        const at: HeadAt = { layer, head };
        const [vx, vy] = [valueAtStep(across.run, across.step, at, x.statistic, worker), valueAtStep(up.run, up.step, at, y.statistic, worker)];
        if (!Number.isFinite(vx) || !Number.isFinite(vy)) continue;
        const shade = range === null ? NaN : colour === "layer" ? layer : valueAtStep(owner, fixed ? up.step : shown.step, at, colour, worker);
        dots.push({ ...at, run: owner.run, x: vx, y: vy, colour: range === null ? (colours.get(owner.run) ?? "#808080") : colourOf(shade, range, table) });
      }
    }
  }
  return { dots, range };
}

/** The dots of the page, and what makes those of a file, which may have another ground. */
function useDots(shown: HeadsShown): Made & { readonly on: (dark: boolean) => Made } {
  const { store, heads } = useApp();
  const all = heads.heads.value.value;
  const pins = store.pins.value;
  const [dark, colours] = [store.dark.value, store.colours.value];
  const { runs, rows, state, worker } = shown;
  const made = useMemo(
    () => dotsOf(shown, { all, pins, colours, dark }),
    [all, pins?.a.run, pins?.a.step, pins?.b.run, pins?.b.step, runs, rows, state.x, state.y, state.colour, worker, dark, shown.step, colours],
  );
  return { ...made, on: (ground) => dotsOf(shown, { all, pins, colours: store.coloursOn(ground), dark: ground }) };
}

interface ColourRangeProps {
  readonly name: string;
  readonly low: string;
  readonly high: string;
  readonly dark: boolean;
}

function ColourRange({ name, low, high, dark }: ColourRangeProps): preact.JSX.Element {
  return (
    <span class="colour-bar" role="img" aria-label={t("colourRange", { name, low, high })}>
      <i>{low}</i>
      <span style={{ background: cssGradient(sequential(dark)) }} />
      <i>{high}</i>
    </span>
  );
}

const axisOf = (extent: Extent, title: string, { statistic }: Quantity, unit = false): ScatterAxis => ({
  ...extent,
  title,
  format: (value) => formatStatistic(statistic, value, unit),
});

export function Scatter({ shown }: { readonly shown: HeadsShown }): preact.JSX.Element {
  const { store } = useApp();
  const change = useChange();
  const { state, names, runs } = shown;
  const { dots, range, on } = useDots(shown);
  const [pointed, setPointed] = useState<Dot | null>(null);
  const [host, plot] = useDrawing(
    (element) =>
      new ScatterPlot(element, {
        hover: (dot) => {
          setPointed(dot);
          store.setHover(dot === null ? {} : { layer: dot.layer, head: dot.head });
        },
        select: (at) => store.lockHead(at),
      }),
  );
  const same = state.x.statistic === state.y.statistic;
  // The scale of an axis is that of all steps, so that dots move and not the axes.
  const extents = useMemo(() => [extentOf(runs, state.x.statistic), extentOf(runs, state.y.statistic)] as const, [runs, state.x.statistic, state.y.statistic]);
  const [x, y] = [quantityName(state.x), quantityName(state.y)];
  const [hovered, locked, dark] = [store.hoveredHead.value, store.lockedHead.value, store.dark.value];
  const axes = useMemo(() => ({ x: axisOf(extents[0], x, state.x), y: axisOf(extents[1], y, state.y) }), [extents, x, y, state.x, state.y]);
  useEffect(() => plot?.set({ dots, ...axes, diagonal: same, dark }, hovered, locked), [plot, dots, axes, same, dark, hovered, locked]);
  const colourName = (name: string): string => (name === "run" ? t("colourRun") : name === "layer" ? t("colourLayer") : statisticName(name));
  const shade = (value: number): string => (state.colour === "layer" ? String(value) : formatStatistic(state.colour, value, false));
  useExport(
    dots.length === 0
      ? []
      : [
          scatterEntry(store, shown, {
            // A reader of a file cannot ask the page for the units.
            data: (ground) => ({ dots: on(ground).dots, x: axisOf(extents[0], x, state.x, true), y: axisOf(extents[1], y, state.y, true), diagonal: same, dark: ground }),
            locked,
            names: { x, y, colour: colourName(state.colour) },
            range: range === null ? null : { low: shade(range.low), high: shade(range.high) },
          }),
        ],
  );
  const read = pointed === null ? t("pointHere") : t("scatterDot", {
    head: t("headName", { layer: pointed.layer, head: pointed.head }),
    run: pointed.run,
    x: `${x} ${formatStatistic(state.x.statistic, pointed.x)}`,
    y: `${y} ${formatStatistic(state.y.statistic, pointed.y)}`,
  });
  return (
    <div class="scatter">
      <div class="group">
        <AxisChoice label={t("axisX")} names={names} value={state.x} testId="scatter-x" onChange={(next) => change({ x: next })} />
        <AxisChoice label={t("axisY")} names={names} value={state.y} testId="scatter-y" onChange={(next) => change({ y: next })} />
        <Choice label={t("axisColour")} value={state.colour} options={["run", "layer", ...names]} name={colourName} testId="scatter-colour"
          onChange={(colour) => change({ colour })} />
        {range !== null && <ColourRange name={colourName(state.colour)} low={shade(range.low)} high={shade(range.high)} dark={dark} />}
      </div>
      <div ref={host} class="scatter-canvas" role="img" aria-label={t("scatterLabel", { n: dots.length, x, y })} data-testid="scatter" data-dots={dots.length} />
      <output class="cell-readout muted" dir="auto" data-testid="scatter-readout">{dots.length === 0 ? t("scatterEmpty") : read}</output>
    </div>
  );
}
