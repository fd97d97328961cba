// Saves the view in front as one file that needs no server: what is on screen, and of maps all their heads.
import { assertOpens, Budget, Recorder } from "../data/answers";
import type { Archive, Parameters } from "../data/archive";
import { collect, type ArchivedRef } from "../data/archive_writer";
import { gzip, pack } from "../data/pack";
import { Transport } from "../data/transport";
import { Kind, type IndexData, type Overview } from "../data/types";
import { fileName } from "../exports/file_name";
import { largePage, pageBlob } from "../exports/page";
import { saveFile } from "../exports/save";
import { formatBytes, formatCount } from "../base/format";
import { isPooled } from "../state/facts";
import { hashWindow, readHash } from "../state/hosthash";
import { narrowed } from "../state/narrowed";
import { findRun, namesOf } from "../state/catalog";
import { mapRef, type RecordRef } from "../state/resolve";
import type { Selection } from "../state/selection";
import { mergeHash } from "../state/urlcodec";
import { shownText } from "../text/format";
import { language, t } from "../text/table";
import type { App } from "./context";
import { previewOf } from "./examples";
import { askAgain, recordsShown, seriesShown } from "./page_parts";
import { VIEW_TITLE } from "./view_title";

/** In every way in which the saved page may ask for thumbnails. */
function looksOf(overviews: readonly Overview[], selection: Selection): Parameters[] {
  const pooled = overviews.some((overview) => overview.layers.some(isPooled));
  const pools = pooled ? [selection.pool, selection.pool === "max" ? "mean" : "max"] : [selection.pool];
  const sinks: Parameters[] = [[], [["sinks", "aside"]]];
  return pools.flatMap((pool) => sinks.map((more) => [["pool", pool] as const, ...more]));
}

/** The selection as it is on screen, of what is in the file. */
function savedHash({ store }: App, index: IndexData): string {
  const selection = store.selection.peek();
  const { view, run, runs, name, attribution, example } = store.resolved.peek();
  const pins = store.pins.peek();
  const { a, b } = selection.difference && pins !== undefined ? pins : selection;
  const there = (one: string): boolean => findRun(index, one) !== undefined;
  const shown = runs.filter(there);
  return mergeHash("", {
    ...selection,
    view,
    run: run !== null && there(run) ? run : null,
    runs: shown.length === 0 ? null : shown,
    name: name !== null && namesOf(index, Kind.ATTENTION).includes(name) ? name : null,
    attribution: attribution !== null && namesOf(index, Kind.ATTRIBUTION).includes(attribution) ? attribution : null,
    example,
    step: store.step.peek(),
    a: a !== null && there(a.run) ? a : null,
    b: b !== null && there(b.run) ? b : null,
    sessions: {},
    filter: "",
    lossTag: null,
  });
}

/** What was logged under this name is in front. */
function nameShown({ store }: App): string {
  const { view, name, attribution } = store.resolved.peek();
  return (view === "attributions" ? attribution : view === "anomalies" ? null : name) ?? "";
}

function titleOf(app: App, records: readonly RecordRef[]): string {
  const { view, runs, example } = app.store.resolved.peek();
  const name = shownText(nameShown(app));
  const ofExample = t("exampleNumber", { n: example });
  if (view === "anomalies") return t(VIEW_TITLE[view]);
  if (view !== "attention") return [t(VIEW_TITLE[view]), name, ...runs.map(shownText), ofExample].join(" · ");
  const places = records.map(({ run, step }) => `${shownText(run)} ${t("step", { step: formatCount(step) })}`);
  return [name, ...places, ofExample].join(" · ");
}

/** Colours are dealt by place: runs that are not in the file keep theirs, without a name. */
function runOrder({ store }: App, kept: ReadonlySet<string>): string[] {
  const hosted = store.hostOrder.peek();
  const rest = store.index.peek().runs.map((run) => run.name).filter((name) => !hosted.includes(name));
  return [...hosted, ...rest].map((name, place) => (kept.has(name) ? name : `\u0000${place}`));
}

async function template(base: URL): Promise<string> {
  const answer = await fetch(new URL("standalone.page", base), { credentials: "same-origin" });
  if (!answer.ok) throw new Error(t("pageNotBuilt"));
  return answer.text();
}

async function archiveOf(app: App, base: URL, signal: AbortSignal): Promise<Archive> {
  const { store, loader } = app;
  const records = recordsShown(app);
  const { example, run, view } = store.resolved.peek();
  const { index, renumber } = narrowed(store.index.peek(), records, seriesShown(app));
  const refs = records.map((record): ArchivedRef => {
    const ref = mapRef(record, example);
    return { ref, as: { ...ref, ordinal: renumber(ref.series, ref.ordinal) } };
  });
  const looks = looksOf([...(loader.pictures.peek().value?.overviews.values() ?? [])], store.selection.peek());
  const pair = store.selection.peek().difference && refs.length > 1 ? ([0, 1] as const) : null;
  const title = titleOf(app, records);
  const hash = savedHash(app, index);
  const preview = previewOf(app, example);
  const scalars = loader.scalars.peek().value;
  const budget = new Budget();
  const recorder = new Recorder(base, renumber, budget);
  await askAgain(app, recorder, signal);
  const { maps, comparisons } = await collect(new Transport(base), {
    refs,
    looks,
    pair,
    progress: (done, all) => (store.toast.value = t("pageCollecting", { done, all })),
    budget,
    signal,
  });
  return {
    version: 1,
    saved: new Date().toISOString(),
    title,
    hash,
    view,
    example,
    preview,
    language: language.peek(),
    index,
    runOrder: runOrder(app, new Set(index.runs.map(({ name }) => name))),
    scalars: run === null || scalars === undefined ? {} : { [run]: scalars },
    maps,
    comparisons,
    answers: recorder.answers,
  };
}

/** Throws a DataError where the page would be too large to open: compressed it may be larger by a little. */
async function compressed(archive: Archive): Promise<Uint8Array> {
  const parts = pack(archive);
  assertOpens(parts.reduce((sum, part) => sum + part.length, 0));
  const data = await gzip(parts);
  assertOpens(data.length);
  return data;
}

function nameOfFile(app: App): string {
  const { view, runs, step } = app.store.resolved.peek();
  return fileName([...runs, nameShown(app), view === "attention" ? `step ${step ?? 0}` : view], "html");
}

let running: AbortController | null = null;

/** Collects, asks where the file is large, and hands it to the reader. A second call gives the first one up. */
export async function savePage(app: App): Promise<void> {
  const { store, base } = app;
  if (base === null) return;
  running?.abort();
  const control = new AbortController();
  running = control;
  // What is saved was chosen: nothing that the pointer rests on.
  store.setHover({});
  store.toast.value = t("pageBusy");
  try {
    const name = nameOfFile(app);
    const [archive, page] = await Promise.all([archiveOf(app, base, control.signal), template(base)]);
    const blob = pageBlob(page, await compressed(archive));
    store.toast.value = null;
    if (blob.size > largePage && !(await store.ask(t("pageLarge", { size: formatBytes(blob.size) })))) return;
    saveFile(blob, name);
    store.toast.value = t("pageSaved", { name, size: formatBytes(blob.size) });
  } catch (error) {
    if (control.signal.aborted) return;
    store.toast.value = t("exportFailed", { reason: error instanceof Error ? error.message : String(error) });
  } finally {
    if (running === control) running = null;
  }
}

/** The selection that a saved page opens with: its own address's, else the one that was saved. */
export function openingHash(own: Window, archive: Archive): string {
  const asked = readHash(own);
  return asked.includes("p.llmdebug.") || hashWindow(own) !== own ? asked : archive.hash;
}
