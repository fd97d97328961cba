// The head in focus over time: one row per run, one small map per step.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { formatCount, formatNumber } from "../../base/format";
import { useApp } from "../../frame/context";
import type { HeadPicture, Margins } from "../../data/multiples";
import { MapState, type Look, type Sinks } from "../../data/types";
import { Failure } from "../../frame/failure";
import { cssGradient, diverging, sequential } from "../../render/colormap";
import type { MultiplesCell } from "../../render/multiples_grid";
import { columnLeft, type MultiplesLayout, type PictureSize, type Place } from "../../render/multiples_layout";
import type { TileScale } from "../../render/multiples_tile";
import { dependOn } from "../../state/depend";
import { BLOCK } from "../../state/multiples";
import { commonMargins, sizeWithout, type CommonMargins } from "../../state/multiples_padding";
import type { StripWanted } from "../../state/multiples_loader";
import type { HeadAt } from "../../state/store";
import { elideMiddle, formatTick, shownText } from "../../text/format";
import { language, t } from "../../text/table";
import { useExport } from "../exporting";
import { multiplesEntries } from "./exporting";
import { basePicture, cellAt, lookKey, pictureAt, sentenceAt, useShown, type Shown } from "./rows";
import { useScale, type InSight } from "./scale";
import { StepTable } from "./table";
import { useGrid } from "./use_grid";

const MOVES: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
};

/** Records of what is in sight and of one more screen on each side, from the middle outwards; A before all. */
function wantedOf({ rows, steps, against }: Shown, { first, end }: InSight): StripWanted[] {
  // Before the first drawing nobody knows what is in sight.
  if (end <= first) return [];
  const margin = Math.max(end - first, BLOCK);
  const middle = (first + end) / 2;
  const columns: number[] = [];
  for (let column = Math.max(0, first - margin); column < Math.min(steps.length, end + margin); column += 1) columns.push(column);
  columns.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  const wanted = rows.flatMap(({ series, strip, byStep }): StripWanted[] => {
    if (series === undefined || strip === undefined) return [];
    const ordinals = columns.flatMap((column) => byStep.get(steps[column] ?? NaN) ?? []);
    return [{ strip, count: series.steps.length, ordinals }];
  });
  return against === null ? wanted : [{ strip: against.strip, count: against.count, ordinals: [against.ordinal] }, ...wanted];
}

/** The padding that no picture seen so far of this head needs: it only gets less, so that pictures grow at most. */
function useWithoutPadding(whole: Shown, { first, end }: InSight): Shown {
  const { multiples, store } = useApp();
  const known = useRef<{ readonly key: string; readonly margins: CommonMargins }>({ key: "", margins: whole.margins });
  const key = lookKey(whole, store.look.value);
  const columns = Array.from({ length: end - first }, (_, i) => first + i);
  const pictures = whole.rows.flatMap((_, row) => columns.flatMap((column) => pictureAt(multiples, whole, { row, column }) ?? []));
  const before = known.current.key === key ? known.current.margins : whole.margins;
  const margins = commonMargins(before, [...pictures, basePicture(multiples, whole) ?? []].flat());
  known.current = { key, margins };
  return { ...whole, margins };
}

/** Size of a row's pictures: the first that was seen, so that rows keep their height. */
function useSizes(whole: Shown, margins: CommonMargins, { first, end }: InSight): readonly (PictureSize | null)[] {
  const { multiples } = useApp();
  const known = useRef(new Map<string, PictureSize>());
  return whole.rows.map(({ run, strip }, row) => {
    const key = `${run} ${strip?.layer ?? ""} ${strip?.example ?? ""} ${strip?.look.sinks ?? ""}`;
    for (let column = first; !known.current.has(key) && column < end; column += 1) {
      const picture = pictureAt(multiples, whole, { row, column });
      if (picture !== undefined && picture.codes !== null) known.current.set(key, { rows: picture.rows, cols: picture.cols });
    }
    const size = known.current.get(key);
    return size === undefined ? null : sizeWithout(size, margins);
  });
}

/** Of a run without one picture in sight, why. */
function titleOf(shown: Shown, row: number, { first, end }: InSight, cell: (at: Place) => MultiplesCell, sentence: (at: Place) => string): string {
  const run = elideMiddle(shown.rows[row]?.run ?? "", 60);
  if (shown.rows[row]?.series === undefined) return `${run} – ${t("multiplesAbsent")}`;
  let failed: string | null = null;
  for (let column = first; column < end; column += 1) {
    const { state } = cell({ row, column });
    if (state === "picture" || state === "waiting") return run;
    if (state === "failed" || state === "incomparable") failed ??= sentence({ row, column });
  }
  return failed ?? run;
}

function statesOf({ rows }: Shown, cell: (at: Place) => MultiplesCell, { first, end }: InSight): ReadonlySet<MultiplesCell["state"]> {
  const columns = Array.from({ length: end - first }, (_, i) => first + i);
  return new Set(rows.flatMap((_, row) => columns.map((column) => cell({ row, column }).state)));
}

function Legend({ states }: { readonly states: ReadonlySet<MultiplesCell["state"]> }): preact.JSX.Element {
  return (
    <>
      {states.has("dropped") && <span class="legend"><i class="hatched" />{t("legendDropped")}</span>}
      {states.has("statistics") && <span class="legend">{t("legendStatistics")}</span>}
      {states.has("incomparable") && <span class="legend">{t("legendIncomparable")}</span>}
    </>
  );
}

function scaleSentence({ against }: Shown): string {
  if (against === null) return t("multiplesScale");
  return [t("multiplesAgainst", { run: elideMiddle(against.run, 24), step: formatCount(against.step) }), t("hatchMeaning")].join(" · ");
}

function Caption({ shown, scale, notes, states }: { readonly shown: Shown; readonly scale: TileScale; readonly notes: readonly string[]; readonly states: ReadonlySet<MultiplesCell["state"]> }): preact.JSX.Element {
  const { against } = shown;
  const limit = formatNumber((against === null ? scale.peak : scale.differenceLimit) / scale.exposure);
  const low = against === null ? "0" : `−${limit}`;
  const said = scaleSentence(shown);
  return (
    <p class="caption muted" data-testid="multiples-caption">
      <span class="colour-bar" role="img" aria-label={t("colourBar", { low, high: limit })}>
        <i>{low}</i>
        <span style={{ background: cssGradient(against === null ? sequential(scale.dark) : diverging(scale.dark)) }} />
        <i>{against === null ? limit : `+${limit}`}</i>
      </span>
      <bdi>{said}</bdi>
      {notes.map((note) => <span key={note}>{note}</span>)}
      <Legend states={states} />
    </p>
  );
}

/** How fine the pictures in sight are, and what is not in them. */
function notesOf(shown: Shown, cell: (at: Place) => MultiplesCell, { first, end }: InSight, { pool, sinks }: Look): string[] {
  const found: HeadPicture[] = [];
  for (let row = 0; row < shown.rows.length; row += 1) {
    for (let column = first; column < end; column += 1) {
      const { picture } = cell({ row, column });
      if (picture !== null) found.push(picture);
    }
  }
  const pooled = found.find((picture) => picture.pooledRows * picture.pooledKeys > 1);
  const words = t(pool === "max" ? "poolMax" : "poolMean");
  return [
    ...asideNotes(found, sinks),
    ...paddingNotes([...shown.margins.values()]),
    ...(pooled === undefined ? [] : [t("multiplesPooled", { pool: words, rows: pooled.pooledRows, keys: pooled.pooledKeys })]),
  ];
}

function paddingNotes(margins: readonly Margins[]): string[] {
  if (margins.some(({ left, right }) => left + right > 0)) return [t("multiplesNoPadding")];
  return margins.some(({ top, bottom }) => top + bottom > 0) ? [t("multiplesPadding")] : [];
}

function asideNotes(found: readonly HeadPicture[], sinks: Sinks): string[] {
  if (sinks === "shown") return [];
  const without = found.some((picture) => picture.aside.length > 0) ? [t("multiplesAside")] : [];
  const blocks = found.some((picture) => picture.aside.length === 0 && picture.mapState === MapState.REDUCED);
  return blocks ? [...without, t("asideBlocks")] : without;
}

interface CursorProps {
  readonly shown: Shown;
  readonly at: Place;
  readonly layout: MultiplesLayout;
  readonly sentence: string;
  readonly move: (event: KeyboardEvent) => void;
}

/** One real cell over the pictures, for the keyboard and for screen readers. */
function Cursor({ shown, at, layout, sentence, move }: CursorProps): preact.JSX.Element | null {
  const place = layout.rows[at.row];
  if (place === undefined || at.column < 0) return null;
  const { layer, head } = shown.at;
  return (
    <div role="grid" class="multiples-aria" aria-label={`${t("multiplesLabel", { layer, head, n: shown.steps.length })}. ${t("multiplesHint")}`}
      aria-rowcount={shown.rows.length} aria-colcount={shown.steps.length}>
      <div role="row" aria-rowindex={at.row + 1}>
        <div
          role="gridcell"
          class="multiples-cursor"
          tabIndex={0}
          aria-colindex={at.column + 1}
          aria-selected="true"
          aria-label={sentence}
          data-testid="multiples-cursor"
          style={{ left: `${columnLeft(layout, at.column)}px`, top: `${place.y}px`, width: `${place.width}px`, height: `${place.height}px` }}
          onKeyDown={move}
        />
      </div>
    </div>
  );
}

function useMoves(shown: Shown, row: number): (event: KeyboardEvent) => void {
  const { store } = useApp();
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const down = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const run = down === 0 ? undefined : shown.rows[row + down]?.run;
    const by = MOVES[event.key];
    if (down === 0 && by === undefined) return;
    event.preventDefault();
    if (run !== undefined) store.update({ run });
    if (by !== undefined) store.moveStep(by);
  };
}

function Strip({ whole }: { readonly whole: Shown }): preact.JSX.Element {
  const { store, multiples } = useApp();
  dependOn(multiples.arrived.value);
  const now = useRef(whole);
  const { host, grid, inSight, hovered, layout, pointer } = useGrid(now);
  const shown = useWithoutPadding(whole, inSight);
  now.current = shown;
  const { steps, rows } = shown;
  const { step: chosen, run } = store.resolved.value;
  const current = chosen === null ? -1 : steps.indexOf(chosen);
  const row = Math.max(0, rows.findIndex((one) => one.run === run));
  const scale = useScale(shown, inSight);
  const sizes = useSizes(whole, shown.margins, inSight);
  const cell = (at: Place): MultiplesCell => cellAt(multiples, shown, at);
  const sentence = (at: Place): string => sentenceAt(multiples, shown, at);
  const labels = useMemo(() => steps.map((step) => formatTick(step)), [steps]);
  const titles = rows.map(({ run: name }, i) => ({
    text: titleOf(shown, i, inSight, cell, sentence),
    colour: store.colours.value.get(name) ?? "gray",
  }));
  const data = { titles, sizes, labels, cell, scale, current };
  useEffect(() => grid?.set({ ...data, hovered }));
  const notes = notesOf(shown, cell, inSight, store.look.value);
  const picture = (at: Place): HeadPicture | undefined => pictureAt(multiples, shown, at);
  useExport(multiplesEntries(store, shown, inSight, picture, { data, caption: [scaleSentence(shown), ...notes] }));
  const looked = pointer.inside || store.hover.value.step === undefined ? current : steps.indexOf(store.hover.value.step);
  useEffect(() => {
    // A click chose what is under the pointer: it must not move away.
    if (pointer.clicked !== chosen) grid?.centre(looked);
    pointer.clicked = null;
  }, [grid, looked, layout?.pitch, steps.length]);
  useEffect(() => multiples.want(wantedOf(shown, inSight)), [multiples, shown.rows, shown.against?.ordinal, shown.against?.strip.series, inSight, multiples.arrived.value]);
  const cursor = { row, column: current };
  const move = useMoves(shown, row);
  return (
    <>
      <Caption shown={shown} scale={scale} states={statesOf(shown, cell, inSight)} notes={notes} />
      <div ref={host} class="multiples-scroll" data-testid="multiples" data-first={inSight.first} data-end={inSight.end} data-current={current}>
        {layout !== null && <Cursor shown={shown} at={cursor} layout={layout} sentence={sentence(cursor)} move={move} />}
      </div>
      <output class="cell-readout muted" dir="auto" data-testid="multiples-readout">{hovered === null ? t("multiplesPoint") : sentence(hovered)}</output>
    </>
  );
}

export function Multiples({ at }: { readonly at: HeadAt }): preact.JSX.Element {
  const { store, multiples, loader } = useApp();
  const shown = useShown(at);
  const error = multiples.error.value;
  const attempt = loader.attempt.value;
  useEffect(() => multiples.retry(), [multiples, attempt]);
  useEffect(() => () => multiples.want([]), [multiples]);
  dependOn(language.value);
  return (
    <section class="multiples" aria-label={t("multiplesLabel", { layer: at.layer, head: at.head, n: shown.steps.length })}>
      {error !== null && <Failure text={t("multiplesFailed", { reason: shownText(error) })} retry={() => multiples.retry()} />}
      {store.selection.value.table ? <StepTable shown={shown} /> : <Strip whole={shown} />}
    </section>
  );
}
