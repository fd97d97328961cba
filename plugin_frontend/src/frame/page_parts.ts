// What a saved page of the view in front has to hold: records, series, and the server's answers.
import { recorded, type Recorder } from "../data/answers";
import { HeadsClient } from "../data/heads";
import { LensClient } from "../data/lens";
import { MultiplesClient } from "../data/multiples";
import { Readings } from "../data/readings";
import { SimilarClient } from "../data/similar";
import { Transport } from "../data/transport";
import { Kind, type SeriesInfo } from "../data/types";
import { VectorsClient } from "../data/vectors";
import { findRun } from "../state/catalog";
import { mapRef, recordAt, refKey, seriesFor, type RecordRef } from "../state/resolve";
import type { App } from "./context";

/** The records whose maps are on screen, and those of the pins; the two sides of a difference first. */
export function recordsShown({ store }: App): RecordRef[] {
  const { index, selection, resolved } = store;
  if (resolved.peek().view !== "attention") return [];
  const shown = store.panels.peek().flatMap(({ record }) => record ?? []);
  const pinned = [selection.peek().a, selection.peek().b].flatMap((pin) =>
    pin === null ? [] : (recordAt(index.peek(), selection.peek(), pin.run, Kind.ATTENTION, resolved.peek().name, pin.step) ?? []),
  );
  const known = new Map([...shown, ...pinned].map((record) => [refKey(mapRef(record, 0)), record]));
  return [...known.values()];
}

/** Series that are shown from their first step to the last. */
export function seriesShown({ store, loader }: App): ReadonlySet<string> {
  const [index, selection] = [store.index.peek(), store.selection.peek()];
  const { view, runs, name, attribution } = store.resolved.peek();
  if (view === "attention" && !selection.multiples.on) return new Set();
  const pins = store.pins.peek();
  const compared = pins === undefined || view === "anomalies" ? runs : [...runs, pins.a.run, pins.b.run];
  const maps = compared.flatMap((run) => seriesFor(index, selection, run, Kind.ATTENTION, name) ?? []);
  const strips = runs.flatMap((run) => seriesFor(index, selection, run, Kind.ATTRIBUTION, attribution) ?? []);
  // Marks on the scrubber.
  const marks = runs.flatMap((run) => findRun(index, run)?.series.filter(({ kind }) => kind === Kind.ANOMALY) ?? []);
  const ids = (series: readonly SeriesInfo[]): string[] => series.map(({ id }) => id);
  switch (view) {
    case "attributions":
      return new Set(ids([...strips, ...marks]));
    case "anomalies":
      return new Set([...ids([...maps, ...strips, ...marks]), ...(loader.anomalies.peek().value ?? []).map(({ series }) => series)]);
    default:
      return new Set(ids([...maps, ...marks]));
  }
}

/**
 * Asks once more for what is on screen beside maps, so that the answers are recorded, refusals among them: what could
 * not be had is said where it would be shown, and all else is saved. All of it is of one moment: the reader may go on
 * while it comes.
 */
export async function askAgain(app: App, { base, fetch }: Recorder, signal: AbortSignal): Promise<void> {
  const asked = [
    app.loader.again(new Readings(new Transport(base, fetch)), signal),
    app.heads.again(new HeadsClient(base, fetch), signal),
    app.similar.again(new SimilarClient(base, fetch), signal),
    app.lens.again(new LensClient(base, fetch), signal),
    app.teaching.again(new VectorsClient(base, fetch), signal),
    app.multiples.again(new MultiplesClient(base, fetch), signal),
  ];
  await Promise.all(asked.map(recorded));
}
