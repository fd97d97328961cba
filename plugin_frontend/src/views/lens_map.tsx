// Another way to see the head in focus, beside its raw weights.
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { formatNumber } from "../base/format";
import type { LensData, ServerLens } from "../data/lens";
import type { HeadMap, Overview } from "../data/types";
import { useApp } from "../frame/context";
import { Failure } from "../frame/failure";
import { peakOf } from "../render/focus_raster";
import type { FocusData } from "../render/types";
import { layerOf, niceCeil, usable, type Weights } from "../state/facts";
import { isOf, withEdges, type Loaded } from "../state/focus_weights";
import type { LensName } from "../state/lens";
import { lensKey } from "../state/lens_loader";
import { countsRange, likeRaw, onAxesOf, sameTexts, valueWeighted } from "../state/lens_weights";
import { refKey } from "../state/resolve";
import type { HeadAt, PanelSpec } from "../state/store";
import { t, type TextKey } from "../text/table";
import type { Origin } from "./exporting";
import { focusData } from "./focus_data";
import { FocusHost } from "./focus_host";

export type ShownLens = Exclude<LensName, "none">;

const TITLES: Readonly<Record<ShownLens, TextKey>> = { value: "valueTitle", mean: "meanTitle", rollout: "rolloutTitle" };
const FORMULAS: Readonly<Record<ShownLens, TextKey>> = { value: "valueFormula", mean: "meanFormula", rollout: "rolloutFormula" };

/** Pixels: a title and axes, and enough of the map below them to be seen. */
const LEAST_IN_SIGHT = 200;

interface Props {
  readonly panel: PanelSpec;
  readonly side: Loaded;
  /** The A side, in the difference panel only. */
  readonly against: Loaded | undefined;
  readonly at: HeadAt;
  readonly lens: ShownLens;
  readonly origin: Origin;
  readonly onPadding: boolean;
}

/** A map seen through a lens, the reason why there is none, or neither yet. */
interface Seen {
  readonly weights?: Weights;
  readonly reason?: string;
  readonly data?: LensData;
}

function seenThrough(lens: ShownLens, { overview, map }: Loaded, answer: LensData | undefined, sinks: boolean): Seen {
  const raw = usable(map);
  if (raw === undefined || map === undefined) return {};
  const aside = sinks ? (layerOf(overview, map.layer)?.aside ?? []) : [];
  if (lens === "value") {
    const product = valueWeighted(raw);
    if (product !== undefined) return { weights: likeRaw(product, aside, false) };
    return { reason: t(raw.pool === null ? "valueMissing" : "lensBlocks") };
  }
  if (answer === undefined) return {};
  if (answer.error !== null) return { reason: answer.error, data: answer };
  const found = onAxesOf(raw, answer);
  return found === undefined ? { reason: t("lensShape"), data: answer } : { weights: likeRaw(found, aside, true), data: answer };
}

function minus(b: Weights, a: Weights): Weights | undefined {
  if (a.values.length !== b.values.length || a.keyAxis.cells !== b.keyAxis.cells) return undefined;
  const mass = a.aside?.mass !== null && b.aside?.mass?.map((share, i) => share - (a.aside?.mass?.[i] ?? NaN));
  return {
    ...b,
    values: b.values.map((value, i) => value - (a.values[i] ?? NaN)),
    ...(b.aside === undefined ? {} : { aside: { ...b.aside, mass: mass === undefined || mass === false ? null : mass } }),
  };
}

function useSeen(lens: ShownLens, side: Loaded | undefined, at: HeadAt): Seen {
  const { store, lens: loader } = useApp();
  const aside = store.selection.value.lens.sinks === "aside";
  const map: HeadMap | undefined = isOf(side?.map, at) ? side?.map : undefined;
  const overview: Overview | undefined = side?.overview;
  const answer =
    map === undefined || lens === "value" ? undefined : loader.answers.value.value?.get(lensKey(refKey(map.ref), at.layer, at.head, lens satisfies ServerLens));
  return useMemo(() => seenThrough(lens, { overview, map }, answer, aside), [lens, overview, map, answer, aside]);
}

/** "Mean of 6 examples (rows: 3–6)", "Rollout up to layer 3 (4 layers)" */
function titleOf(lens: ShownLens, at: HeadAt, data: LensData | undefined): string {
  if (lens === "mean" && data !== undefined && data.error === null) {
    const [least, most] = countsRange(data.counts);
    return least === most ? t("meanOf", { n: most }) : t("meanOfSome", { n: most, least });
  }
  return t(TITLES[lens], { layer: at.layer });
}

/** The end of the scale of a difference: of weights the one of all pictures, of products with norms their own. */
function useLimit(lens: ShownLens, data: FocusData | null): number {
  const { differenceScale } = useApp().store;
  const largest = useMemo(() => (data === null ? 0 : peakOf(data)), [data]);
  const ofWeights = lens === "value" ? 0 : largest;
  useLayoutEffect(() => differenceScale.include(ofWeights), [differenceScale, ofWeights]);
  const shared = differenceScale.limit(ofWeights);
  return lens === "value" ? niceCeilOf(largest) : shared;
}

export function LensMap({ panel, side, against, at, lens, origin, onPadding }: Props): preact.JSX.Element {
  const { store, loader, lens: lensLoader } = useApp();
  const state = store.selection.value.lens;
  const own = useSeen(lens, side, at);
  const other = useSeen(lens, against, at);
  const signed = against !== undefined;
  const fresh = useMemo((): FocusData | null => {
    const weights = !signed ? own.weights : own.weights === undefined || other.weights === undefined ? undefined : minus(own.weights, other.weights);
    // A change has no edges of its own: they are those of its two sides.
    const shown = weights === undefined || signed ? weights : withEdges(weights, state);
    return focusData({ overview: side.overview, weights: shown, signed, nameless: lens === "mean", onPadding });
  }, [own.weights, other.weights, signed, side.overview, lens, state.mass, onPadding]);
  const last = useRef<{ readonly lens: ShownLens; readonly data: FocusData } | null>(null);
  if (fresh !== null) last.current = { lens, data: fresh };
  const data = fresh ?? (last.current?.lens === lens ? last.current.data : null);
  const limit = useLimit(lens, signed ? data : null);
  const others = signed && !sameTexts(own.data, other.data) ? t("lensOtherTexts") : undefined;
  const reason = own.reason ?? other.reason ?? others;
  const error = lens === "value" ? null : lensLoader.answers.value.error;
  const title = titleOf(lens, at, own.data);
  const place = useRef<HTMLDivElement>(null);
  // Once there is something to show: before, what stands over it may have no height yet.
  const pending = data === null && reason === undefined && error === null;
  useEffect(() => {
    if (pending || store.lensChosen.peek() !== lens) return;
    store.lensChosen.value = "none";
    showBoth(place.current);
  }, [lens, pending]);
  return (
    <div ref={place} class="focus-one" data-testid="lens-map" data-lens={lens}>
      <h3 class="focus-title" title={t(FORMULAS[lens])}>
        <span class="defined">{title}</span>
      </h3>
      {reason !== undefined ? (
        <p class="placeholder" dir="auto" data-testid="no-lens">{reason}</p>
      ) : error !== null ? (
        <Failure text={t("lensFailed", { reason: error })} retry={() => loader.retry()} />
      ) : data === null ? (
        <p class="placeholder">{t("loading")} …</p>
      ) : (
        <FocusHost
          label={`${signed ? t("panelDifference") : panel.run}, ${t("focus", { ...at })}, ${title}`}
          data={data}
          differenceLimit={limit}
          ownScale={lens === "value"}
          stale={fresh === null}
          foreign={fresh === null}
          note={signed && lens === "value" ? t("valueScale", { limit: formatNumber(limit) }) : undefined}
          shownAs={{ origin, at, lens: title }}
        />
      )}
    </div>
  );
}

/** On a small screen the map that was just asked for is below what is in sight: both maps, then, not the grid. */
function showBoth(map: HTMLElement | null): void {
  const [view, pair] = [map?.closest(".view"), map?.parentElement];
  if (map === null || view === null || view === undefined || pair === null || pair === undefined) return;
  if (map.getBoundingClientRect().top > view.getBoundingClientRect().bottom - LEAST_IN_SIGHT) pair.scrollIntoView({ block: "start" });
}

/** Products with norms go beyond 1. */
function niceCeilOf(largest: number): number {
  if (largest <= 1) return niceCeil(largest);
  const power = 10 ** Math.floor(Math.log10(largest));
  return niceCeil(largest / (10 * power)) * 10 * power;
}
