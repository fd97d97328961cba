// What the rows and columns of runs x steps stand for, and what is known of each cell.
import { useMemo } from "preact/hooks";
import { formatCount, formatNumber, formatPercent } from "../../base/format";
import type { HeadPicture, StripRef } from "../../data/multiples";
import { Kind, type Look, type SeriesInfo } from "../../data/types";
import { useApp } from "../../frame/context";
import type { MultiplesCell } from "../../render/multiples_grid";
import type { Place } from "../../render/multiples_layout";
import { recordsByStep } from "../../state/catalog";
import { belowFloor, differs, largestChange, stateOfRecord } from "../../state/multiples";
import { withoutMargins, type CommonMargins } from "../../state/multiples_padding";
import type { MultiplesLoader } from "../../state/multiples_loader";
import { recordAt, seriesFor } from "../../state/resolve";
import type { HeadAt } from "../../state/store";
import { shownText } from "../../text/format";
import { t } from "../../text/table";
import { formatStatistic } from "../head_facts";

export interface MultiplesRow {
  readonly run: string;
  /** undefined: the run has not logged this name. */
  readonly series: SeriesInfo | undefined;
  readonly byStep: ReadonlyMap<number, number>;
  readonly strip: StripRef | undefined;
}

/** Where B-A is measured from. */
export interface Against {
  readonly run: string;
  readonly step: number;
  readonly strip: StripRef;
  readonly count: number;
  readonly ordinal: number;
}

export interface Shown {
  readonly at: HeadAt;
  readonly rows: readonly MultiplesRow[];
  readonly steps: readonly number[];
  readonly against: Against | null;
  /** Padding that is left out of the pictures. */
  readonly margins: CommonMargins;
  /** Where pins are, by "run step". */
  readonly pins: ReadonlyMap<string, string>;
}

const NO_MARGINS: CommonMargins = new Map();
const pinKey = (run: string, step: number): string => `${step} ${run}`;

function usePins(): ReadonlyMap<string, string> {
  const { store } = useApp();
  const selection = store.selection.value;
  const effective = store.pins.value;
  const pins = new Map<string, string>();
  for (const letter of ["a", "b"] as const) {
    // Without a difference on screen only pins that were set are worth a mark.
    const pin = selection[letter] ?? (selection.difference ? (effective?.[letter] ?? null) : null);
    if (pin === null) continue;
    const record = recordAt(store.index.value, selection, pin.run, Kind.ATTENTION, store.resolved.value.name, pin.step);
    const key = pinKey(pin.run, record?.step ?? pin.step);
    pins.set(key, `${pins.get(key) ?? ""}${letter.toUpperCase()}`);
  }
  return pins;
}

function useAgainst(at: HeadAt): Against | null {
  const { store } = useApp();
  const selection = store.selection.value;
  const { name, example } = store.resolved.value;
  const pin = store.pins.value?.a;
  if (!selection.difference || pin === undefined) return null;
  const record = recordAt(store.index.value, selection, pin.run, Kind.ATTENTION, name, pin.step);
  if (record === undefined) return null;
  const strip = { series: record.series.id, example, layer: at.layer, head: at.head, look: store.look.value };
  return { run: pin.run, step: record.step, strip, count: record.series.steps.length, ordinal: record.ordinal };
}

export function useShown(at: HeadAt): Shown {
  const { store } = useApp();
  const index = store.index.value;
  const { runs, name, example, steps } = store.resolved.value;
  const { worker, sessions } = store.selection.value;
  const look = store.look.value;
  const list = runs.join("\n");
  const rows = useMemo(
    () =>
      runs.map((run): MultiplesRow => {
        const series = seriesFor(index, store.selection.peek(), run, Kind.ATTENTION, name);
        const byStep = series === undefined ? new Map<number, number>() : recordsByStep(series, worker);
        const strip = series === undefined ? undefined : { series: series.id, example, layer: at.layer, head: at.head, look };
        return { run, series, byStep, strip };
      }),
    [index, list, name, example, look, worker, sessions, at.layer, at.head],
  );
  return { at, rows, steps, against: useAgainst(at), margins: NO_MARGINS, pins: usePins() };
}

/** Equal while the same head is looked at in the same way. */
export function lookKey({ at, rows, against }: Shown, { pool, sinks }: Look): string {
  const base = against === null ? "" : `${against.strip.series} ${against.ordinal}`;
  return `${at.layer} ${at.head} ${rows[0]?.strip?.example ?? 0} ${pool} ${sinks} ${base}`;
}

function shownPicture(loader: MultiplesLoader, { margins }: Shown, strip: StripRef, ordinal: number): HeadPicture | undefined {
  const picture = loader.picture(strip, ordinal);
  return picture === undefined ? undefined : withoutMargins(picture, margins);
}

export const basePicture = (loader: MultiplesLoader, shown: Shown): HeadPicture | undefined =>
  shown.against === null ? undefined : shownPicture(loader, shown, shown.against.strip, shown.against.ordinal);

export function pictureAt(loader: MultiplesLoader, shown: Shown, { row, column }: Place): HeadPicture | undefined {
  const { strip, byStep } = shown.rows[row] ?? {};
  const ordinal = byStep?.get(shown.steps[column] ?? NaN);
  return strip === undefined || ordinal === undefined ? undefined : shownPicture(loader, shown, strip, ordinal);
}

export function cellAt(loader: MultiplesLoader, shown: Shown, at: Place): MultiplesCell {
  const row = shown.rows[at.row];
  const step = shown.steps[at.column];
  const pin = row === undefined || step === undefined ? "" : (shown.pins.get(pinKey(row.run, step)) ?? "");
  const cell = (state: MultiplesCell["state"], more: Partial<MultiplesCell> = {}): MultiplesCell => ({ state, picture: null, base: null, belowFloor: false, pin, ...more });
  if (row?.series === undefined || step === undefined) return cell("absent");
  const logged = stateOfRecord(row.series, row.byStep.get(step));
  if (logged !== "waiting") return cell(logged);
  const picture = pictureAt(loader, shown, at);
  if (picture === undefined) return cell("waiting");
  if (picture.error !== null) return cell("failed");
  if (picture.codes === null) return cell("statistics");
  if (shown.against === null) return cell("picture", { picture });
  const base = basePicture(loader, shown);
  if (base === undefined) return cell("waiting");
  const comparable = base.error === null && base.codes !== null && differs(base, picture) === null;
  return comparable ? cell("picture", { picture, base, belowFloor: belowFloor(base, picture) }) : cell("incomparable");
}

function whyIncomparable(loader: MultiplesLoader, shown: Shown, picture: HeadPicture | undefined): string {
  const base = basePicture(loader, shown);
  if (base === undefined || picture === undefined || base.codes === null) return t("multiplesNoBase");
  const why = differs(base, picture);
  return t(why === "input" ? "multiplesOtherInput" : why === "sinks" ? "asideDiffers" : "multiplesOtherSize");
}

function pictureFacts({ picture, base, belowFloor: unsure }: MultiplesCell): string {
  const entropy = picture?.values.get("entropy") ?? NaN;
  const first = picture?.values.get("first_token") ?? NaN;
  const facts = [t("factEntropy", { value: formatNumber(entropy) }), t("factFirst", { value: formatStatistic("first_token", first) })];
  if (picture !== null && !Number.isNaN(picture.asideMass)) facts.push(t("factAside", { value: formatPercent(picture.asideMass) }));
  if (picture !== null && base !== null) facts.unshift(t("multiplesChange", { value: formatNumber(largestChange(base, picture)) }), ...(unsure ? [t("belowFloor")] : []));
  return facts.join(", ");
}

/** What a cell shows in words. */
export function sentenceAt(loader: MultiplesLoader, shown: Shown, at: Place): string {
  const row = shown.rows[at.row];
  const step = shown.steps[at.column];
  if (row === undefined || step === undefined) return "";
  const cell = cellAt(loader, shown, at);
  const facts = {
    absent: () => t("multiplesAbsent"),
    dropped: () => t("multiplesDropped"),
    statistics: () => t("multiplesStatistics"),
    waiting: () => t("multiplesWaiting"),
    failed: () => shownText(pictureAt(loader, shown, at)?.error ?? ""),
    incomparable: () => whyIncomparable(loader, shown, pictureAt(loader, shown, at)),
    picture: () => pictureFacts(cell),
  }[cell.state]();
  return t("multiplesCell", { run: shownText(row.run), step: formatCount(step), facts });
}
