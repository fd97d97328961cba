// One column of the Attention view: a run at a step (or A, B, B - A), its grid and the head in focus.
import { useMemo } from "preact/hooks";
import { formatCount } from "../base/format";
import { distanceOf } from "../data/distance";
import { MapState, type ComparisonInfo, type HeadMap, type Overview } from "../data/types";
import { obstacleOf } from "../data/difference";
import { Failure, Refusal } from "../frame/failure";
import { useApp } from "../frame/context";
import type { Extent } from "../render/grid_layout";
import { layerOf, sameBlocks, type Weights } from "../state/facts";
import { asideDiffers, differenceWeights, headWeights, isOf, loadedWeights, withChangedEdges, withEdges } from "../state/focus_weights";
import type { LensState } from "../state/lens";
import type { HeadAt, PanelSpec } from "../state/store";
import { elideMiddle } from "../text/format";
import { language, t } from "../text/table";
import { groupsText, HeadNotes, useExtent, withoutMapText, withoutMapTitle } from "./architecture";
import type { Origin } from "./exporting";
import { focusData } from "./focus_data";
import { FocusHost } from "./focus_host";
import { GridHost } from "./grid_host";
import { GridTable } from "./grid_table";
import { LensMap } from "./lens_map";
import { exportCaption, Header } from "./panel_header";
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
  /** In some panel the head in focus has weight on padding. */
  readonly onPadding: boolean;
}

function whyNoMap(panel: PanelSpec, overview: Overview | undefined, name: string): string | null {
  if (panel.record === undefined) {
    const run = elideMiddle(panel.run, 60);
    return panel.logged
      ? t("nothingYet", { run, step: formatCount(panel.wantedStep) })
      : t("noSuchName", { run, name: elideMiddle(name, 60) });
  }
  if (overview === undefined) return null;
  if (overview.mapState === MapState.DROPPED) return t("mapDropped");
  if (overview.mapState === MapState.STATISTICS_ONLY) return t("mapStatisticsOnly");
  return null;
}

/** Why A and B have no difference, in words; null while there is one or it is not known yet. */
function obstacle(side: Side, against: Side | undefined, lens: LensState): string | null {
  const [a, b] = [against?.map, side.map];
  if (against === undefined || a === undefined || b === undefined) return null;
  const blocks = ({ queryAxis, keyAxis }: HeadMap): string => `${queryAxis.block} × ${keyAxis.block}`;
  switch (obstacleOf(a, b)) {
    case "size":
      return t("shapesDiffer");
    case "rows":
      return t("rowsDiffer");
    case "blocks":
      return t("blocksDiffer", { a: blocks(a), b: blocks(b) });
    default:
      return asideDiffers(side, against, lens) ? t("asideDiffers") : null;
  }
}

/**
 * The weights of the head in focus, and those to be drawn: of the last head until the new ones have come. The
 * edges apart, so that the slider does not have the sinks set aside anew.
 */
function useFocusWeights({ side, against, at }: Props & { readonly at: HeadAt | null }, lens: LensState): [Weights | undefined, Weights | undefined] {
  const own = useMemo(
    () => (at === null || against !== undefined ? undefined : headWeights(side, at, lens)),
    [side.map, side.overview, against === undefined, at?.layer, at?.head, lens.sinks],
  );
  const last = useMemo(
    () => (own !== undefined || against !== undefined ? own : loadedWeights(side, lens)),
    [own, side.map, side.overview, against === undefined, lens.sinks],
  );
  const change = useMemo(
    () => (against === undefined ? undefined : differenceWeights(side, against, lens)),
    [side.map, side.overview, against?.map, against?.overview, lens.sinks],
  );
  const shown = useMemo(
    () => (change !== undefined ? withChangedEdges(change, lens) : last === undefined ? undefined : withEdges(last, lens)),
    [change, last, lens.mass],
  );
  return [change === undefined && own === undefined ? undefined : shown, shown];
}

interface FocusProps extends Props {
  readonly at: HeadAt | null;
  readonly origin: Origin;
  readonly extent: Extent | null;
}

function Focus(props: FocusProps): preact.JSX.Element | null {
  const { panel, side, against, at, differenceLimit, comparison, origin, extent, onPadding } = props;
  const { store, loader } = useApp();
  const signed = against !== undefined;
  const { lens } = store.selection.value;
  const [own, weights] = useFocusWeights(props, lens);
  const layer = at === null || side.overview === undefined ? undefined : layerOf(side.overview, at.layer);
  const data = useMemo(
    () => focusData({ overview: side.overview, weights, signed, layer, extent, onPadding }),
    [side.overview, weights, signed, layer, extent, onPadding],
  );
  if (at === null || side.overview === undefined) return null;
  const without = side.overview.withoutMap.find((other) => other.layer === at.layer);
  if (without !== undefined && layer === undefined) {
    return <p class="placeholder" title={withoutMapTitle(without)} data-testid="without-map">{withoutMapText(without)}</p>;
  }
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
  const reason = obstacle(side, against, lens);
  if (reason !== null) return <p class="placeholder">{t("cannotCompare", { reason })}</p>;
  const { pool } = store.selection.value;
  const exact = isOf(side.map, at) && (side.map?.pool ?? pool) === pool;
  return (
    <>
      <div class="focus-pair" data-lens={lens.lens}>
        <div class="focus-one">
          <HeadNotes overview={side.overview} layer={layer} at={at} />
          {lens.lens !== "none" && (
            <h3 class="focus-title" title={t("rawFormula")}>
              <span class="defined">{t("rawTitle")}</span>
            </h3>
          )}
          <FocusHost
            label={`${signed ? t("panelDifference") : panel.run}, ${t("focus", { ...at })}`}
            data={data}
            differenceLimit={differenceLimit}
            stale={!exact}
            foreign={signed ? !isOf(side.map, at) : own === undefined}
            belowFloor={signed && distanceOf(comparison, at)?.belowFloor === true}
            shownAs={{ origin, at }}
          />
        </div>
        {lens.lens !== "none" && <LensMap {...props} at={at} lens={lens.lens} />}
      </div>
      {exactMissing}
      {!signed && store.drawn.value && (
        <RunningText run={panel.run} overview={side.overview} weights={own}
          colour={store.colours.value.get(panel.run) ?? "gray"} />
      )}
    </>
  );
}

/** Of a matched pair, which head a panel shows. */
function PairTitle({ panel, at }: { readonly panel: PanelSpec; readonly at: HeadAt }): preact.JSX.Element | null {
  const { store } = useApp();
  const partner = store.partner.value;
  if (partner === null) return null;
  const text =
    panel.side === "difference"
      ? t("pairDifference", { layer: at.layer, head: at.head, other: partner.head })
      : t("pairTitle", { side: panel.side, ...(panel.side === "B" ? partner : at) });
  return <h3 class="pair-title" data-testid="pair-title">{text}</h3>;
}

/** For screen readers: of A and B of one run, which is which. */
function nameOf({ side, run }: PanelSpec): string {
  if (side === "difference") return t("panelDifference");
  return side === "run" ? run : `${side}: ${run}`;
}

interface GridProps extends Props {
  readonly extent: Extent | null;
  readonly origin: Origin;
  /** Why the two sides have no difference. */
  readonly uncomparable: string | null;
}

/** All heads at once: their pictures, or as a table where that was asked for or there are none. */
function Heads({ panel, side, against, comparison, differenceLimit, extent, origin, uncomparable }: GridProps): preact.JSX.Element | null {
  const { store } = useApp();
  const { overview } = side;
  const data = useMemo(
    () => ({
      a: against === undefined ? (overview ?? null) : (against.overview ?? null),
      b: overview ?? null,
      comparison,
      extent,
      withoutMap: { linear: t("linearLayer"), other: t("otherLayer") },
    }),
    [overview, against?.overview, comparison, extent, language.value],
  );
  if (overview === undefined) return null;
  const label = [t("gridLabel", { run: nameOf(panel) }), groupsText(overview)].filter(Boolean).join(", ");
  const hasMaps = overview.layers.some((layer) => layer.thumbs !== null);
  // Nothing of a broken record is known: neither its statistics nor its heads.
  if (overview.error === null && against === undefined && (store.selection.value.table || !hasMaps)) {
    return <GridTable run={panel.run} overview={overview} label={label} />;
  }
  if (!hasMaps || uncomparable !== null) return null;
  return (
    <GridHost label={label} data={data} mode={against === undefined ? "A" : "diff"} differenceLimit={differenceLimit}
      origin={side.stale ? null : origin} own={panel.side === "B" ? store.partner.value : null} />
  );
}

interface ObstaclesProps {
  readonly panel: PanelSpec;
  readonly overview: Overview | undefined;
  readonly uncomparable: string | null;
}

/** What stands in the place of pictures, or over them: why there are none. */
function Obstacles({ panel, overview, uncomparable }: ObstaclesProps): preact.JSX.Element {
  const { store, loader } = useApp();
  const { error } = loader.pictures.value;
  const problem = whyNoMap(panel, overview, store.resolved.value.name ?? "");
  const broken = overview?.error ?? null;
  const retry = (): void => loader.retry();
  return (
    <>
      {problem !== null && <p class="placeholder" data-testid="no-map">{problem}</p>}
      {broken !== null && <Failure text={t("mapFailed", { reason: broken })} retry={retry} />}
      {uncomparable !== null && <Refusal text={t("cannotCompare", { reason: uncomparable })} />}
      {overview === undefined && problem === null && error === null && <p class="placeholder">{t("loading")} …</p>}
      {overview === undefined && error !== null && <Failure text={t("loadFailed", { reason: error })} retry={retry} />}
    </>
  );
}

export function Panel({ side: given, ...props }: Props): preact.JSX.Element {
  const { panel, against, comparison, busy, onPadding } = props;
  const { store, loader } = useApp();
  const at = store.head.value;
  const partner = store.partner.value;
  // A picture of another step is worth showing for a moment, never beside a failure.
  const side = given.stale && loader.pictures.value.error !== null ? FAILED_SIDE : given;
  const { overview } = side;
  const seen = useExtent(overview);
  const extent = against === undefined ? seen : null;
  // Blocks can be subtracted where weights, and so a distance of them, are not there.
  const blocksOnly = against !== undefined && sameBlocks(against.overview, overview);
  const uncomparable = against === undefined || blocksOnly ? null : (comparison?.error ?? null);
  const hovered = store.hoveredRun.value;
  const origin: Origin = {
    panel,
    against: store.panels.value[0],
    caption: overview === undefined ? [] : exportCaption(panel, overview, blocksOnly, onPadding),
  };
  const focused = (overview?.error ?? null) === null && uncomparable === null;
  return (
    <article
      class="panel"
      data-testid="panel"
      data-side={panel.side}
      data-run={panel.run}
      data-dim={hovered !== undefined && hovered !== panel.run}
      data-stale={side.stale}
      aria-busy={busy}
      aria-label={nameOf(panel)}
    >
      <Header panel={panel} overview={overview} blocksOnly={blocksOnly} onPadding={onPadding} />
      <div class="panel-body">
        <div class="pictures">
          <Obstacles panel={panel} overview={overview} uncomparable={uncomparable} />
          <Heads {...props} side={side} extent={extent} origin={origin} uncomparable={uncomparable} />
          {focused && at !== null && <PairTitle panel={panel} at={at} />}
          {focused && (
            <Focus {...props} side={side} at={panel.side === "run" || panel.side === "A" ? at : (partner ?? at)} comparison={partner === null ? comparison : null} origin={origin} extent={extent} />
          )}
        </div>
      </div>
    </article>
  );
}
