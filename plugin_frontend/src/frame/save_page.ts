// Saves the Attention view as one file that needs no server: what is on screen, with all its heads.
import type { Archive, Parameters } from "../data/archive";
import { collect, type ArchivedRef } from "../data/archive_writer";
import { gzip, pack } from "../data/pack";
import type { Transport } from "../data/transport";
import type { Overview } from "../data/types";
import { fileName } from "../exports/file_name";
import { largePage, pageBlob } from "../exports/page";
import { saveFile } from "../exports/save";
import { formatBytes, formatCount } from "../base/format";
import { Kind } from "../data/types";
import { isPooled } from "../state/facts";
import { hashWindow, readHash } from "../state/hosthash";
import { narrowed } from "../state/narrowed";
import { mapRef, recordAt, refKey, type RecordRef } from "../state/resolve";
import { DEFAULT_MULTIPLES } from "../state/multiples";
import type { Selection } from "../state/selection";
import { DEFAULT_TEACHING } from "../state/teaching";
import { mergeHash } from "../state/urlcodec";
import { shownText } from "../text/format";
import { language, t } from "../text/table";
import type { App } from "./context";

/** The records on screen, and those of the pins; the two sides of a difference first. */
function recordsShown({ store }: App): RecordRef[] {
  const { index, selection, resolved } = store;
  const shown = store.panels.peek().flatMap(({ record }) => record ?? []);
  const pinned = [selection.peek().a, selection.peek().b].flatMap((pin) =>
    pin === null ? [] : (recordAt(index.peek(), selection.peek(), pin.run, Kind.ATTENTION, resolved.peek().name, pin.step) ?? []),
  );
  const known = new Map([...shown, ...pinned].map((record) => [refKey(mapRef(record, 0)), record]));
  return [...known.values()];
}

/** In every way in which the saved page may ask for thumbnails. */
function looksOf(overviews: readonly Overview[], selection: Selection): Parameters[] {
  const pooled = overviews.some((overview) => overview.layers.some(isPooled));
  const pools = pooled ? [selection.pool, selection.pool === "max" ? "mean" : "max"] : [selection.pool];
  const sinks: Parameters[] = [[], [["sinks", "aside"]]];
  return pools.flatMap((pool) => sinks.map((more) => [["pool", pool] as const, ...more]));
}

/** The selection with the names that things have in the file; what opens over the maps is not in it. */
function savedHash({ store }: App): string {
  const selection = store.selection.peek();
  const { run, name } = store.resolved.peek();
  const pins = store.pins.peek();
  const explicit = selection.difference && pins !== undefined ? pins : { a: selection.a, b: selection.b };
  return mergeHash("", { ...selection, ...explicit, view: "attention", run, name, runs: null, example: 0, step: store.step.peek(), sessions: {}, filter: "", lossTag: null, multiples: DEFAULT_MULTIPLES, teaching: DEFAULT_TEACHING });
}

function titleOf({ store }: App, records: readonly RecordRef[]): string {
  const { name, example } = store.resolved.peek();
  const places = records.map(({ run, step }) => `${shownText(run)} ${t("step", { step: formatCount(step) })}`);
  return [shownText(name ?? ""), ...places, t("exampleNumber", { n: example })].join(" · ");
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

async function archiveOf(app: App, transport: Transport, signal: AbortSignal): Promise<Archive> {
  const { store, loader } = app;
  const records = recordsShown(app);
  const { example, run } = store.resolved.peek();
  const { index, refOf } = narrowed(store.index.peek(), records);
  const refs = records.map((record): ArchivedRef => ({ ref: mapRef(record, example), as: refOf(record) }));
  const overviews = [...(loader.pictures.peek().value?.overviews.values() ?? [])];
  const title = titleOf(app, records);
  const hash = savedHash(app);
  const scalars = loader.scalars.peek().value;
  const { maps, comparisons } = await collect(transport, {
    refs,
    looks: looksOf(overviews, store.selection.peek()),
    pair: store.selection.peek().difference && refs.length > 1 ? [0, 1] : null,
    progress: (done, all) => (store.toast.value = t("pageCollecting", { done, all })),
    signal,
  });
  return {
    version: 1,
    saved: new Date().toISOString(),
    title,
    hash,
    language: language.peek(),
    index,
    runOrder: runOrder(app, new Set(index.runs.map(({ name }) => name))),
    scalars: run === null || scalars === undefined ? {} : { [run]: scalars },
    maps,
    comparisons,
  };
}

function nameOfFile({ store }: App): string {
  const { runs, name, step } = store.resolved.peek();
  return fileName([...runs, name ?? "", `step ${step ?? 0}`], "html");
}

let running: AbortController | null = null;

/** Collects, asks where the file is large, and hands it to the reader. A second call gives the first one up. */
export async function savePage(app: App): Promise<void> {
  const { store, transport } = app;
  if (transport === null) return;
  running?.abort();
  const control = new AbortController();
  running = control;
  try {
    const name = nameOfFile(app);
    const [archive, page] = await Promise.all([archiveOf(app, transport, control.signal), template(transport.base)]);
    const blob = pageBlob(page, await gzip(pack(archive)));
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
