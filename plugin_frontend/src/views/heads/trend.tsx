// The head in focus: its statistic over the steps, large, one line per run.
import { useMemo } from "preact/hooks";
import { formatCount } from "../../base/format";
import { leastAndMost } from "../../base/numbers";
import { useApp } from "../../frame/context";
import { useWidth } from "../../frame/scrubber";
import { axisTicks } from "../../render/scatter_plot";
import { stepShare } from "../../render/spark_curves";
import { valueAtStep, type Extent } from "../../state/heads";
import { ordinalAt } from "../../state/catalog";
import type { HeadAt } from "../../state/store";
import { niceLabels } from "../../state/timeline";
import { elideMiddle, formatTick } from "../../text/format";
import { statisticName, t } from "../../text/table";
import { useExport } from "../exporting";
import { formatStatistic } from "../head_facts";
import { trendEntry } from "./figures";
import { sameHead, type HeadsShown } from "./focus";
import { trendLine, trendPaths, type Scale, type TrendLine } from "./trend_lines";

const HEIGHT = 150;
const LEFT = 48;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 20;

interface Props {
  readonly shown: HeadsShown;
  readonly extent: Extent;
  readonly at: HeadAt;
}

/** The head that a run's line shows: of B, the other head of the pair. */
function headOf(run: string, at: HeadAt, other: number | null, runOfB: string | undefined, pair: boolean): HeadAt {
  return pair && other !== null && run === runOfB ? { layer: at.layer, head: other } : at;
}

/** What the lines are at the step on screen. */
function TrendValues({ shown, lines, at }: { readonly shown: HeadsShown; readonly lines: readonly TrendLine[]; readonly at: HeadAt }): preact.JSX.Element {
  const { store } = useApp();
  const { state, step, worker } = shown;
  return (
    <ul class="trend-values">
      {lines.map(({ run, at: head }) => {
        const value = valueAtStep(run, step, head, state.statistic, worker);
        const shownStep = run.data.steps[ordinalAt(run.series, step, worker)] ?? step;
        return (
          <li key={run.run} data-run={run.run} style={{ "--run": store.colours.value.get(run.run) }}>
            <bdi class="run-name" title={run.run}>{elideMiddle(run.run, 22)}</bdi>
            {!sameHead(head, at) && <span class="muted">{t("headShort", { ...head })}</span>}
            {shownStep !== step && <span class="muted">{t("trendLast", { step: formatCount(shownStep) })}</span>}
            <b data-testid="trend-value">{formatStatistic(state.statistic, value)}</b>
          </li>
        );
      })}
      <li class="muted">{t("step", { step: formatCount(step) })}</li>
    </ul>
  );
}

export function Trend({ shown, extent }: Omit<Props, "at">): preact.JSX.Element | null {
  const { store } = useApp();
  const at = store.head.value;
  return at === null ? null : <Chart shown={shown} extent={extent} at={at} />;
}

function Chart({ shown, extent, at }: Props): preact.JSX.Element {
  const { store } = useApp();
  const [host, width] = useWidth();
  const { runs, state, step, worker } = shown;
  const pins = store.pins.value;
  const pair = store.lockedHead.value !== null && store.hoveredHead.value === null;
  const [first, last] = useMemo(() => leastAndMost(runs.flatMap(({ data }) => data.steps)), [runs]);
  const scale: Scale = {
    x: (one) => LEFT + stepShare(one, first, last) * (width - LEFT - RIGHT),
    y: (value) => {
      const share = (Math.min(extent.high, Math.max(extent.low, value)) - extent.low) / (extent.high - extent.low);
      return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    },
  };
  const lines = useMemo(
    () => runs.map((run) => trendLine(run, headOf(run.run, at, state.other, pins?.b.run, pair), state.statistic, worker)),
    [runs, at.layer, at.head, state.statistic, state.other, worker, pair, pins?.b.run],
  );
  const paths = useMemo(
    () => lines.map((line) => ({ line, ...trendPaths(line, scale) })),
    [lines, extent.low, extent.high, first, last, width],
  );
  useExport([trendEntry(store, shown, { lines, extent, first, last, at })]);
  const why = store.hoveredHead.value !== null ? "preview" : store.lockedHead.value !== null ? "locked" : "byDefault";
  return (
    <section class="trend" data-testid="trend">
      <h2 data-testid="head-title">
        {t("focus", { layer: at.layer, head: at.head })} <small class="muted">{t(why)}</small>
        <small class="muted trend-name">{statisticName(state.statistic)}</small>
      </h2>
      <div ref={host}>
      <svg width={width} height={HEIGHT} role="img" aria-label={t("headsMatrix", { statistic: statisticName(state.statistic) })}>
        {axisTicks(extent.low, extent.high, 4).map((tick) => (
          <g key={tick}>
            <line class="rule" x1={LEFT} x2={width - RIGHT} y1={scale.y(tick)} y2={scale.y(tick)} />
            <text class="number" x={LEFT - 5} y={scale.y(tick) + 4}>{formatStatistic(state.statistic, tick, false)}</text>
          </g>
        ))}
        {niceLabels(first, last, Math.max(2, Math.floor(width / 70))).map((one) => (
          <text key={one} class="middle" x={scale.x(one)} y={HEIGHT - 5}>{formatTick(one)}</text>
        ))}
        {paths.map(({ line: { run }, path, dots, band }) => (
          <g key={run.run} style={{ "--run": store.colours.value.get(run.run) }}>
            {band !== "" && <path class="band" d={band} />}
            {path !== "" && <path class="line" d={path} />}
            {dots !== "" && <path class="dots" d={dots} />}
          </g>
        ))}
        <line class="cursor" x1={scale.x(step)} x2={scale.x(step)} y1={TOP} y2={HEIGHT - BOTTOM} />
      </svg>
      </div>
      <TrendValues shown={shown} lines={lines} at={at} />
    </section>
  );
}
