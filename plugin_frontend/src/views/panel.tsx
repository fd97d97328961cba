// One column of the Attention view: a run at a step (or A, B, B - A), its grid and the head in focus.
import { useMemo } from "preact/hooks";
import { formatCount } from "../base/format";
import { cellMask } from "../base/axis";
import { MapState, type ComparisonInfo, type HeadMap, type Overview, type OverviewLayer } from "../data/types";
import { headDifference, obstacleOf } from "../data/difference";
import { Failure } from "../frame/failure";
import { useApp } from "../frame/context";
import type { FocusData } from "../render/types";
import { distanceOf, layerOf, sameBlocks, usable, weightsFromThumb, type Weights } from "../state/facts";
import { workersOf } from "../state/catalog";
import { withoutPaddingRows } from "../state/padding";
import type { RecordRef } from "../state/resolve";
import type { HeadAt, PanelSpec } from "../state/store";
import { elideMiddle, shownText } from "../text/format";
import { t } from "../text/table";
import { FocusHost } from "./focus_host";
import { GridHost } from "./grid_host";
import { GridTable } from "./grid_table";
import { RunningText } from "./running_text";

export interface Side {
  readonly overview: Overview | undefined;
  readonly map: HeadMap | undefined;
  /** The picture is of another step or example; the right one is on its way. */
  readonly stale: boolean;
}

const FAILED_SIDE: Side = { overview: undefined, map: undefined, stale: false };

interface Props {
  readonly panel: PanelSpec;
  readonly side: Side;
  /** The A side, in the difference panel only. */
  readonly against: Side | undefined;
  readonly comparison: ComparisonInfo | null;
  readonly differenceLimit: number;
  readonly busy: boolean;
}

/** How the pictures of a layer relate to its weights. */
function fineness(layer: OverviewLayer, pool: string): string[] {
  const { keptRows, keptKeys, pooledRows, pooled } = layer;
  const parts: string[] = [];
  if (keptRows * keptKeys > 1) parts.push(t("captionKept", { pool, rows: keptRows, keys: keptKeys }));
  const same = pooledRows === keptRows && pooled === keptKeys;
  if (pooledRows * pooled > 1 && !same) parts.push(t("captionPooled", { pool, rows: pooledRows, keys: pooled }));
  return parts.length > 0 ? parts : [t("captionEvery")];
}

function caption(overview: Overview, examples: number): string[] {
  const layer = overview.layers.find((one) => one.thumbs !== null);
  const parts: string[] = [];
  if (layer !== undefined) {
    const [queries, keys] = [formatCount(layer.queries), formatCount(layer.keys)];
    const chosen = layer.rows.length > 0;
    parts.push(t(chosen ? "captionRows" : "captionSize", { n: formatCount(layer.rows.length), queries, keys }));
    parts.push(...fineness(layer, t(overview.pool === "max" ? "poolMax" : "poolMean")));
  }
  if (overview.queryMask?.includes(0) === true) parts.push(t("captionPadding"));
  if (examples < overview.batch) parts.push(t("captionBatch", { shown: examples, batch: overview.batch }));
  return parts;
}

/** Which process of a distributed run; nothing where there is only one. */
function WorkerChoice({ record }: { readonly record: RecordRef }): preact.JSX.Element | null {
  const { store } = useApp();
  const workers = workersOf(record.series);
  if (workers.length < 2) return null;
  const shown = record.series.workers[record.ordinal] ?? 0;
  const logged = record.series.workers.filter((_, i) => record.series.steps[i] === record.step);
  return (
    <select
      class="worker"
      value={String(shown)}
      aria-label={t("worker", { run: record.run })}
      title={t("workerTitle", { n: new Set(logged).size, all: workers.length })}
      data-testid="worker"
      onChange={(event) => store.update({ worker: Number(event.currentTarget.value) })}
    >
      {workers.map((worker) => (
        <option key={worker} value={String(worker)} disabled={!logged.includes(worker)}>
          {t("workerNumber", { n: worker })}
        </option>
      ))}
    </select>
  );
}

interface HeaderProps {
  readonly panel: PanelSpec;
  readonly overview: Overview | undefined;
  /** A difference of blocks: there is no distance of the weights. */
  readonly blocksOnly: boolean;
}

function differenceCaption(overview: Overview | undefined, blocksOnly: boolean): string {
  if (!blocksOnly) return `${t("frameMeaning")} · ${t("hatchMeaning")}`;
  const layer = overview?.layers[0];
  return t("blocksCompared", { n: `${layer?.keptRows ?? 1} × ${layer?.keptKeys ?? 1}` });
}

function Header({ panel, overview, blocksOnly }: HeaderProps): preact.JSX.Element {
  const { store } = useApp();
  const { record, wantedStep } = panel;
  const colour = store.colours.value.get(panel.run);
  const step = record?.step;
  const when =
    step === undefined
      ? ""
      : step === wantedStep
        ? t("captionStep", { step: formatCount(step) })
        : t("captionEarlier", { step: formatCount(step), wanted: formatCount(wantedStep) });
  const parts = overview === undefined ? [] : caption(overview, record?.series.examples ?? 1);
  const title = panel.side === "difference" ? t("panelDifference") : shownText(panel.run);
  return (
    <header class="panel-head" style={{ "--run": panel.side === "difference" ? "transparent" : colour }}>
      <h2>
        {panel.side === "run" ? null : <b class="side">{panel.side === "difference" ? "" : panel.side}</b>}
        <bdi class="run-name" title={title}>
          {title}
        </bdi>
        <span class="when" data-testid="panel-step">
          {panel.side === "difference" ? "" : when}
        </span>
        {panel.side !== "difference" && record !== undefined && <WorkerChoice record={record} />}
      </h2>
      <p class="caption muted" dir="auto" title={parts.join(" · ")} data-testid="caption">
        {panel.side === "difference" ? differenceCaption(overview, blocksOnly) : parts.join(" · ")}
      </p>
      {panel.side !== "difference" && overview !== undefined && overview.reduction !== "" && (
        <p class="caption muted" dir="auto" data-testid="reduction">
          {shownText(overview.reduction)}
        </p>
      )}
    </header>
  );
}

function whyNoMap(panel: PanelSpec, overview: Overview | undefined, name: string): string | null {
  if (panel.record === undefined) {
    const run = elideMiddle(panel.run, 60);
    return panel.logged
      ? t("nothingYet", { run, step: formatCount(panel.wantedStep) })
      : t("noSuchName", { run, name: elideMiddle(name, 60) });
  }
  if (overview === undefined) return null;
  if (overview.error !== null) return overview.error;
  if (overview.mapState === MapState.DROPPED) return t("mapDropped");
  if (overview.mapState === MapState.STATISTICS_ONLY) return t("mapStatisticsOnly");
  return null;
}

interface FocusInput {
  readonly overview: Overview | undefined;
  readonly weights: Weights | undefined;
  readonly signed: boolean;
}

function focusData({ overview, weights, signed }: FocusInput): FocusData | null {
  if (overview === undefined || weights === undefined) return null;
  const { queryAxis, keyAxis, values, pool, valueNorms } = weights;
  return withoutPaddingRows({
    queries: queryAxis.cells,
    keys: keyAxis.cells,
    queryAxis,
    keyAxis,
    values,
    signed,
    pool,
    valueNorms: signed ? null : valueNorms,
    queryTokens: overview.queryTokens,
    keyTokens: overview.keyTokens,
    queryMask: cellMask(queryAxis, overview.queryMask),
    keyMask: cellMask(keyAxis, overview.keyMask),
    // With a cache there are more keys than queries: the last query sees the last key.
    diagonal: overview.causal === true ? keyAxis.size - queryAxis.size : null,
  });
}

function difference(side: Side, against: Side): Weights | undefined {
  if (against.map === undefined || side.map === undefined) return undefined;
  const values = headDifference(against.map, side.map);
  return values === null ? undefined : { ...side.map, values };
}

/** Why A and B have no difference, in words; null while there is one or it is not known yet. */
function obstacle(side: Side, against: Side | undefined): string | null {
  const [a, b] = [against?.map, side.map];
  if (a === undefined || b === undefined) return null;
  const blocks = ({ queryAxis, keyAxis }: HeadMap): string => `${queryAxis.block} × ${keyAxis.block}`;
  switch (obstacleOf(a, b)) {
    case "size":
      return t("shapesDiffer");
    case "rows":
      return t("rowsDiffer");
    case "blocks":
      return t("blocksDiffer", { a: blocks(a), b: blocks(b) });
    default:
      return null;
  }
}

function isOf(map: HeadMap | undefined, at: HeadAt | null): boolean {
  return at !== null && map?.layer === at.layer && map.head === at.head;
}

/** The weights of a head; undefined while only those of another one are here. */
function ownWeights(side: Side, at: HeadAt): Weights | undefined {
  return (isOf(side.map, at) ? usable(side.map) : undefined) ?? weightsFromThumb(side.overview, at);
}

function Focus(props: Props & { readonly at: HeadAt | null }): preact.JSX.Element | null {
  const { panel, side, against, at, differenceLimit, comparison } = props;
  const { store, loader } = useApp();
  const signed = against !== undefined;
  const own = useMemo(
    () => (at === null ? undefined : signed ? difference(side, against) : ownWeights(side, at)),
    [signed, side.map, side.overview, against?.map, at?.layer, at?.head],
  );
  // The last head's picture stays until that of this one has come.
  const weights = own ?? (signed ? undefined : usable(side.map));
  const data = useMemo(() => focusData({ overview: side.overview, weights, signed }), [side.overview, weights, signed]);
  if (at === null || side.overview === undefined) return null;
  const layer = layerOf(side.overview, at.layer);
  if (layer?.heads.includes(at.head) !== true) {
    return <p class="placeholder">{t("noHead", { run: elideMiddle(panel.run, 60), ...at })}</p>;
  }
  const stored = side.overview.mapState === MapState.FULL || side.overview.mapState === MapState.REDUCED;
  if (!stored) return null;
  const failed = side.map?.error ?? loader.heads.value.error;
  const exactMissing = failed === null ? null : (
    <Failure text={t("headFailed", { reason: failed })} retry={() => loader.retry()} />
  );
  if (data === null && exactMissing !== null) return exactMissing;
  const reason = obstacle(side, against);
  if (reason !== null) return <p class="placeholder">{t("cannotCompare", { reason })}</p>;
  const { pool } = store.selection.value;
  const exact = isOf(side.map, at) && (side.map?.pool ?? pool) === pool;
  return (
    <>
      <FocusHost
        label={`${signed ? t("panelDifference") : panel.run}, ${t("focus", { ...at })}`}
        data={data}
        differenceLimit={differenceLimit}
        stale={!exact}
        foreign={signed ? !isOf(side.map, at) : own === undefined}
        note={distanceOf(comparison, at)?.belowFloor === true ? t("belowFloor") : undefined}
      />
      {exactMissing}
      {!signed && (
        <RunningText run={panel.run} overview={side.overview} weights={own}
          colour={store.colours.value.get(panel.run) ?? "gray"} />
      )}
    </>
  );
}

export function Panel({ side: given, ...props }: Props): preact.JSX.Element {
  const { panel, against, comparison, differenceLimit, busy } = props;
  const { store, loader } = useApp();
  const error = loader.pictures.value.error;
  // A picture of another step is worth showing for a moment, never beside a failure.
  const side = given.stale && error !== null ? FAILED_SIDE : given;
  const { overview } = side;
  const gridData = useMemo(
    () => ({
      a: against === undefined ? (overview ?? null) : (against.overview ?? null),
      b: overview ?? null,
      comparison,
    }),
    [overview, against?.overview, comparison],
  );
  const mode = against === undefined ? "A" : "diff";
  const problem = whyNoMap(panel, overview, store.resolved.value.name ?? "");
  // Blocks can be subtracted where weights, and so a distance of them, are not there.
  const blocksOnly = against !== undefined && sameBlocks(against.overview, overview);
  const uncomparable = against === undefined || blocksOnly ? null : (comparison?.error ?? null);
  const hasMaps = overview?.layers.some((layer) => layer.thumbs !== null) === true;
  const hovered = store.hoveredRun.value;
  const tabular = overview !== undefined && against === undefined && (store.selection.value.table || !hasMaps);
  return (
    <article
      class="panel"
      data-testid="panel"
      data-side={panel.side}
      data-run={panel.run}
      data-dim={hovered !== undefined && hovered !== panel.run}
      data-stale={side.stale}
      aria-busy={busy}
      aria-label={panel.side === "run" ? panel.run : panel.side === "difference" ? t("panelDifference") : `${panel.side}: ${panel.run}`}
    >
      <Header panel={panel} overview={overview} blocksOnly={blocksOnly} />
      <div class="panel-body">
        <div class="pictures">
          {problem !== null && <p class="placeholder" data-testid="no-map">{problem}</p>}
          {uncomparable !== null && <p class="placeholder" role="alert">{t("cannotCompare", { reason: uncomparable })}</p>}
          {overview === undefined && problem === null && error === null && <p class="placeholder">{t("loading")} …</p>}
          {overview === undefined && error !== null && (
            <Failure text={t("loadFailed", { reason: error })} retry={() => loader.retry()} />
          )}
          {tabular && <GridTable run={panel.run} overview={overview} />}
          {hasMaps && !tabular && uncomparable === null && (
            <GridHost label={t("gridLabel", { run: panel.run })} data={gridData} mode={mode} differenceLimit={differenceLimit} />
          )}
          {uncomparable === null && <Focus {...props} side={side} at={store.head.value} />}
        </div>
      </div>
    </article>
  );
}
