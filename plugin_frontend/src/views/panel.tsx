// One column of the Attention view: a run at a step (or A, B, B - A), its grid and the head in focus.
import { useMemo } from "preact/hooks";
import { formatCount } from "../base/format";
import { MapState, type ComparisonInfo, type HeadMap, type Overview, type Pool } from "../data/types";
import { headDifference } from "../data/difference";
import { Failure } from "../frame/failure";
import { useApp } from "../frame/context";
import type { FocusData } from "../render/types";
import { distanceOf, layerOf, usable, weightsFromThumb, type Weights } from "../state/facts";
import { withoutPaddingRows } from "../state/padding";
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

function caption(overview: Overview, pool: Pool, examples: number): string[] {
  const layer = overview.layers.find((one) => one.thumbs !== null);
  const parts: string[] = [];
  if (layer !== undefined) {
    parts.push(t("captionSize", { queries: formatCount(layer.queries), keys: formatCount(layer.keys) }));
    parts.push(
      layer.pooled > 1
        ? t("captionPooled", { pool: t(pool === "max" ? "poolMax" : "poolMean"), n: layer.pooled })
        : t("captionEvery"),
    );
  }
  if (overview.queryMask?.includes(0) === true) parts.push(t("captionPadding"));
  if (examples < overview.batch) parts.push(t("captionBatch", { shown: examples, batch: overview.batch }));
  if (overview.reduction !== "") parts.push(overview.reduction);
  return parts;
}

function Header({ panel, overview }: { readonly panel: PanelSpec; readonly overview: Overview | undefined }): preact.JSX.Element {
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
  const parts = overview === undefined ? [] : caption(overview, store.selection.value.pool, record?.series.examples ?? 1);
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
      </h2>
      <p class="caption muted" dir="auto" title={parts.join(" · ")} data-testid="caption">
        {panel.side === "difference" ? `${t("frameMeaning")} · ${t("hatchMeaning")}` : parts.join(" · ")}
      </p>
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
  return withoutPaddingRows({
    queries: weights.queries,
    keys: weights.keys,
    firstQuery: 0,
    values: weights.values,
    signed,
    queryTokens: overview.queryTokens,
    keyTokens: overview.keyTokens,
    queryMask: overview.queryMask,
    keyMask: overview.keyMask,
    // With a cache there are more keys than queries: the last query sees the last key.
    diagonal: overview.causal === true ? weights.keys - weights.queries : null,
  });
}

function difference(side: Side, against: Side): Weights | undefined {
  const [a, b] = [usable(against.map), usable(side.map)];
  if (a === undefined || b === undefined || against.map === undefined || side.map === undefined) return undefined;
  const values = headDifference(against.map, side.map);
  return values === null ? undefined : { queries: b.queries, keys: b.keys, values };
}

export function weightsFor(side: Side, at: HeadAt | null): Weights | undefined {
  if (at === null) return undefined;
  const { map } = side;
  const fits = map !== undefined && map.layer === at.layer && map.head === at.head;
  return (fits ? usable(map) : undefined) ?? weightsFromThumb(side.overview, at) ?? usable(map);
}

function Focus(props: Props & { readonly at: HeadAt | null }): preact.JSX.Element | null {
  const { panel, side, against, at, differenceLimit, comparison } = props;
  const { store, loader } = useApp();
  const signed = against !== undefined;
  const weights = useMemo(
    () => (signed ? difference(side, against) : weightsFor(side, at)),
    [signed, side.map, side.overview, against?.map, at?.layer, at?.head],
  );
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
  if (signed && weights === undefined && usable(side.map) !== undefined && usable(against.map) !== undefined) {
    return <p class="placeholder">{t("cannotCompare", { reason: t("shapesDiffer") })}</p>;
  }
  const exact = side.map !== undefined && side.map.layer === at.layer && side.map.head === at.head;
  return (
    <>
      <FocusHost
        label={`${signed ? t("panelDifference") : panel.run}, ${t("focus", { ...at })}`}
        data={data}
        differenceLimit={differenceLimit}
        stale={!exact}
        note={distanceOf(comparison, at)?.belowFloor === true ? t("belowFloor") : undefined}
      />
      {exactMissing}
      {!signed && (
        <RunningText run={panel.run} overview={side.overview} weights={weights}
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
  const uncomparable = against === undefined ? null : (comparison?.error ?? null);
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
      <Header panel={panel} overview={overview} />
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
