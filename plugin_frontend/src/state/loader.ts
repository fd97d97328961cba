// Fetches what the selection asks for. What is on screen stays until its successor has arrived, and a
// late answer never overwrites a newer one.
import { computed, effect, signal, untracked, type Signal } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { Latest } from "../base/latest";
import type { PluginClient } from "../data/client";
import { allDone } from "../data/errors";
import {
  Kind,
  MapState,
  type AnomalyGroupInfo,
  type AttributionsData,
  type ComparisonInfo,
  type HeadMap,
  type MapRef,
  type Overview,
  type ScalarsData,
  type TokenList,
} from "../data/types";
import { findRun } from "./catalog";
import { dependOn } from "./depend";
import { load, NOTHING, rest, sentence, type Loaded, type Task } from "./loaded";
import { exampleRecord, mapRef, refKey, seriesFor } from "./resolve";
import type { PanelSpec, Store } from "./store";

export type { Loaded } from "./loaded";

export type Source = Pick<
  PluginClient,
  "index" | "overview" | "head" | "attributions" | "anomalies" | "scalars" | "cached"
>;

export interface Pictures {
  readonly overviews: ReadonlyMap<string, Overview>;
  readonly comparison: ComparisonInfo | null;
}

export interface ExampleText {
  /** null: none were logged. */
  readonly tokens: TokenList | null;
  readonly mask: Uint8Array | null;
}

const POLL_MS = 3000;
const LONGEST_POLL_MS = 60_000;
/** Of the time, that asking for the index may take. */
const LARGEST_SHARE = 0.1;
const PREFETCH_EXAMPLES = 8;
const HOVER_MS = 50;

export function refsOf(panels: readonly PanelSpec[], example: number): MapRef[] {
  const refs = new Map<string, MapRef>();
  for (const panel of panels) {
    if (panel.record === undefined) continue;
    const ref = mapRef(panel.record, example);
    refs.set(refKey(ref), ref);
  }
  return [...refs.values()];
}

export class Loader {
  readonly pictures = signal<Loaded<Pictures>>(NOTHING);
  readonly heads = signal<Loaded<ReadonlyMap<string, HeadMap>>>(NOTHING);
  readonly attributions = signal<Loaded<ReadonlyMap<string, AttributionsData>>>(NOTHING);
  readonly anomalies = signal<Loaded<readonly AnomalyGroupInfo[]>>(NOTHING);
  readonly scalars = signal<Loaded<ScalarsData>>(NOTHING);
  /** Raised when an example has come that only its name was wanted of. */
  readonly previews = signal(0);
  /** Texts by series and example. Probes have the same text at every step, so one is enough. */
  private readonly texts = new Map<string, ExampleText>();
  /** Raised to load again after a failure. */
  readonly attempt = signal(0);

  private readonly latestPreview = new Latest();
  /** What the previews on their way are of. */
  private previewing: string | null = null;
  private readonly life = new Disposables();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** The picture that the page opens with is still on its way. */
  readonly opening = computed(() => {
    const { store } = this;
    const { value, busy, error } = this.pictures.value;
    if (!store.loaded.value || busy) return true;
    const wanted = store.resolved.value.view === "attention" && store.panels.value.some((panel) => panel.record !== undefined);
    return wanted && value === undefined && error === null;
  });

  constructor(
    private readonly source: Source,
    private readonly store: Store,
  ) {}

  start(): void {
    void this.poll();
    this.life.add(() => clearTimeout(this.timer));
    this.follow(this.pictures, () => this.picturesTask());
    this.follow(this.heads, () => this.headsTask());
    this.follow(this.attributions, () => this.attributionsTask(this.source));
    this.follow(this.anomalies, () => this.anomaliesTask());
    this.follow(this.scalars, () => this.scalarsTask());
    this.life.add(effect(() => this.prefetchExamples()));
    this.life.add(() => this.giveUpPreviews());
  }

  dispose(): void {
    this.life.dispose();
  }

  /** Asks another source for what the view in front shows beside maps: a saved page has to carry it. */
  async again(source: Pick<Source, "attributions" | "anomalies">, signal: AbortSignal): Promise<void> {
    if (this.store.resolved.peek().view === "anomalies") await source.anomalies({ signal });
    else await this.attributionsTask(source)?.(signal);
  }

  /** What is already here of a map, without asking for it. */
  cached(ref: MapRef): Overview | undefined {
    return this.source.cached(ref, this.store.look.value);
  }

  /** How an example begins, once something of it has been loaded. */
  exampleText(which: number): ExampleText | undefined {
    const { store } = this;
    const found = exampleRecord(store.index.value, store.selection.value, store.resolved.value);
    if (found === undefined) return undefined;
    const key = `${found.record.series.id}.${which}`;
    const overview = found.kind === Kind.ATTENTION ? this.cached(mapRef(found.record, which)) : undefined;
    const tokens = overview?.keyTokens ?? overview?.queryTokens ?? null;
    if (tokens !== null) this.texts.set(key, { tokens, mask: overview?.keyMask ?? null });
    return this.texts.get(key);
  }

  retry(): void {
    this.attempt.value += 1;
  }

  private async poll(): Promise<void> {
    const { store } = this;
    const began = performance.now();
    try {
      const index = await this.source.index();
      if (index !== store.index.peek()) store.index.value = index;
      store.loaded.value = true;
      store.indexError.value = null;
    } catch (error) {
      store.indexError.value = sentence(error);
    }
    const usual = store.index.peek().scanning ? POLL_MS / 6 : POLL_MS;
    // The index of a million records takes seconds to send and read: asked for less often, it is a small load.
    const wait = Math.min(LONGEST_POLL_MS, Math.max(usual, (performance.now() - began) / LARGEST_SHARE));
    this.timer = setTimeout(() => void this.poll(), wait);
  }

  /** Runs the task that `plan` returns whenever what `plan` has read changes. */
  private follow<T>(target: Signal<Loaded<T>>, plan: () => Task<T> | null): void {
    const latest = new Latest();
    this.life.add(() => latest.cancel());
    this.life.add(
      effect(() => {
        dependOn(this.attempt.value);
        const task = plan();
        untracked(() => void load(target, latest, task));
      }),
    );
  }

  private picturesTask(): Task<Pictures> | null {
    const { store } = this;
    const { difference } = store.selection.value;
    const look = store.look.value;
    const { example, view } = store.resolved.value;
    const panels = store.panels.value;
    const refs = refsOf(panels, example);
    if (refs.length === 0 || view !== "attention") return null;
    const [a, b] = difference ? panels : [];
    const place = (panel: PanelSpec | undefined): number => {
      const record = panel?.record;
      return record === undefined ? -1 : refs.findIndex((ref) => refKey(ref) === refKey(mapRef(record, example)));
    };
    const pair: [number, number] = [place(a), place(b)];
    const compare = pair[0] >= 0 && pair[1] >= 0 ? [pair] : [];
    return async (signal) => {
      const answer = await this.source.overview(refs, { look, compare, signal });
      return {
        overviews: new Map(answer.overviews.map((overview, i) => [refKey(refs[i] ?? overview.ref), overview])),
        comparison: answer.comparisons[0] ?? null,
      };
    };
  }

  private headsTask(): Task<ReadonlyMap<string, HeadMap>> | null {
    const { store } = this;
    const head = store.head.value;
    const partner = store.partner.value;
    const recordOfB = store.panels.value.find((panel) => panel.side === "B")?.record;
    const keyOfB = recordOfB === undefined ? "" : refKey(mapRef(recordOfB, store.resolved.value.example));
    const loaded = this.pictures.value.value?.overviews;
    if (head === null || loaded === undefined) return null;
    const refs = refsOf(store.panels.value, store.resolved.value.example).filter((ref) => {
      const overview = loaded.get(refKey(ref));
      const layer = overview?.layers.find((one) => one.layer === head.layer);
      const own = partner !== null && refKey(ref) === keyOfB ? partner : head;
      const stored = overview?.mapState === MapState.FULL || overview?.mapState === MapState.REDUCED;
      return stored && layer?.heads.includes(own.head) === true;
    });
    if (refs.length === 0) return null;
    const look = store.look.value;
    const passing = store.hoveredHead.value !== null;
    return async (signal) => {
      // The pointer crosses many heads on its way to one.
      if (passing) await rest(HOVER_MS, signal);
      const ofB = partner === null ? [] : refs.filter((ref) => refKey(ref) === keyOfB);
      const others = refs.filter((ref) => !ofB.includes(ref));
      const maps = await Promise.all([
        this.source.head(others, head, { signal, ...look }),
        ofB.length === 0 ? [] : this.source.head(ofB, partner ?? head, { signal, ...look }),
      ]);
      return new Map(maps.flat().map((map) => [refKey(map.ref), map]));
    };
  }

  private attributionsTask(source: Pick<Source, "attributions">): Task<ReadonlyMap<string, AttributionsData>> | null {
    const { store } = this;
    const { runs, attribution, example, view } = store.resolved.value;
    if (view !== "attributions") return null;
    const wanted = runs.flatMap((run) => {
      const series = seriesFor(store.index.value, store.selection.value, run, Kind.ATTRIBUTION, attribution);
      return series === undefined ? [] : [{ run, id: series.id }];
    });
    return async (signal) => {
      const answers = await allDone(
        wanted.map(async ({ run, id }) => [run, await source.attributions(id, example, { signal })] as const),
      );
      return new Map(answers);
    };
  }

  private anomaliesTask(): Task<readonly AnomalyGroupInfo[]> | null {
    const { views } = this.store.resolved.value;
    // Read again when the index grows: new records may hold new anomalies.
    dependOn(this.store.index.value);
    return views.includes("anomalies") ? (signal) => this.source.anomalies({ signal }) : null;
  }

  private scalarsTask(): Task<ScalarsData> | null {
    // TensorBoard takes its time over them, while the first picture waits for the same server.
    if (!this.store.drawn.value) return null;
    const { run } = this.store.resolved.value;
    const { lossTag } = this.store.selection.value;
    const known = run !== null && findRun(this.store.index.value, run) !== undefined;
    return known ? (signal) => this.source.scalars(run, lossTag ?? undefined, { signal }) : null;
  }

  /** The other examples: their names for the rail and, in the Attention view, their pictures. */
  private prefetchExamples(): void {
    const { store } = this;
    const { difference } = store.selection.value;
    const look = store.look.value;
    const { example, examples, view } = store.resolved.value;
    const found = exampleRecord(store.index.value, store.selection.value, store.resolved.value);
    // Of steps that only pass by nobody asks for the other examples, and a saved page has none.
    if (found === undefined || store.playing.value || store.saved.value !== null) {
      this.giveUpPreviews();
      return;
    }
    if (this.pictures.value.busy || !store.drawn.value) return;
    const { kind, record } = found;
    const others = Array.from({ length: Math.min(examples, record.series.examples, PREFETCH_EXAMPLES) }, (_, i) => i)
      // The chosen one comes with the pictures, unless those are of other runs or steps.
      .filter((other) => view !== "attention" || difference || other !== example);
    const unnamed = others.filter((other) => !this.texts.has(`${record.series.id}.${other}`));
    if (kind === Kind.ATTRIBUTION) {
      const { id } = record.series;
      if (unnamed.length === 0) this.giveUpPreviews();
      else void this.preview(`${id} ${unnamed.join()}`, (signal) => this.nameByStrips(id, unnamed, signal));
      return;
    }
    // Outside the Attention view only names are wanted, and one step has them all.
    const refs = (view === "attention" ? others : unnamed)
      .map((other) => mapRef(record, other))
      .filter((ref) => this.source.cached(ref, look) === undefined);
    const key = `${look.pool} ${look.sinks} ${refs.map(refKey).join()}`;
    if (refs.length === 0) this.giveUpPreviews();
    else void this.preview(key, (signal) => this.source.overview(refs, { look, signal }));
  }

  private async nameByStrips(series: string, examples: readonly number[], signal: AbortSignal): Promise<true> {
    for (const which of examples) {
      const { steps } = await this.source.attributions(series, which, { signal });
      const tokens = steps.find((step) => step.tokens !== null)?.tokens ?? null;
      this.texts.set(`${series}.${which}`, { tokens, mask: null });
    }
    return true;
  }

  /** One request at a time: another one takes its place, the same one is not asked for twice. */
  private async preview(key: string, load: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    if (key === this.previewing) return;
    this.previewing = key;
    try {
      if ((await this.latestPreview.run(load)) !== undefined) this.previews.value += 1;
    } catch {
      // Only a name in the rail is missing; choosing the example says what is wrong.
    }
    if (this.previewing === key) this.previewing = null;
  }

  private giveUpPreviews(): void {
    this.previewing = null;
    this.latestPreview.cancel();
  }
}
