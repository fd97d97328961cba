// Fetches what the selection asks for. What is on screen stays until its successor has arrived, and a
// late answer never overwrites a newer one.
import { effect, signal, untracked, type Signal } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { Latest } from "../base/latest";
import type { PluginClient } from "../data/client";
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
import { exampleRecord, mapRef, recordAt, refKey, seriesFor } from "./resolve";
import type { PanelSpec, Store } from "./store";
import { neighbourStep } from "./timeline";

export type Source = Pick<
  PluginClient,
  "index" | "overview" | "head" | "attributions" | "anomalies" | "scalars" | "prefetch" | "cached"
>;

/** Something loaded: the last good value stays while the next one is on its way. */
export interface Loaded<T> {
  readonly value: T | undefined;
  readonly busy: boolean;
  readonly error: string | null;
}

export interface Pictures {
  readonly overviews: ReadonlyMap<string, Overview>;
  readonly comparison: ComparisonInfo | null;
}

export interface ExampleText {
  /** null: none were logged. */
  readonly tokens: TokenList | null;
  readonly mask: Uint8Array | null;
}

const NOTHING = { value: undefined, busy: false, error: null } as const;
const POLL_MS = 3000;
const PREFETCH_EXAMPLES = 8;
const MOST_PREFETCHED = 32;
const HOVER_MS = 50;

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

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

  private readonly life = new Disposables();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly source: Source,
    private readonly store: Store,
  ) {}

  start(): void {
    void this.poll();
    this.life.add(() => clearTimeout(this.timer));
    this.follow(this.pictures, () => this.picturesTask());
    this.follow(this.heads, () => this.headsTask());
    this.follow(this.attributions, () => this.attributionsTask());
    this.follow(this.anomalies, () => this.anomaliesTask());
    this.follow(this.scalars, () => this.scalarsTask());
    this.life.add(effect(() => this.prefetchSteps()));
    this.life.add(effect(() => this.prefetchExamples()));
  }

  dispose(): void {
    this.life.dispose();
  }

  /** What is already here of a map, without asking for it. */
  cached(ref: MapRef): Overview | undefined {
    return this.source.cached(ref, this.store.selection.value.pool);
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
    try {
      const index = await this.source.index();
      if (index !== store.index.peek()) store.index.value = index;
      store.loaded.value = true;
      store.indexError.value = null;
    } catch (error) {
      store.indexError.value = sentence(error);
    }
    const wait = store.index.peek().scanning ? POLL_MS / 6 : POLL_MS;
    this.timer = setTimeout(() => void this.poll(), wait);
  }

  /** Runs the task that `plan` returns whenever what `plan` has read changes. */
  private follow<T>(target: Signal<Loaded<T>>, plan: () => ((signal: AbortSignal) => Promise<T>) | null): void {
    const latest = new Latest();
    this.life.add(() => latest.cancel());
    this.life.add(
      effect(() => {
        dependOn(this.attempt.value);
        const task = plan();
        untracked(() => void this.load(target, latest, task));
      }),
    );
  }

  private async load<T>(
    target: Signal<Loaded<T>>,
    latest: Latest,
    task: ((signal: AbortSignal) => Promise<T>) | null,
  ): Promise<void> {
    if (task === null) {
      latest.cancel();
      target.value = NOTHING;
      return;
    }
    target.value = { ...target.value, busy: true };
    try {
      const value = await latest.run(task);
      if (value !== undefined) target.value = { value, busy: false, error: null };
    } catch (error) {
      target.value = { ...target.value, busy: false, error: sentence(error) };
    }
  }

  private picturesTask(): ((signal: AbortSignal) => Promise<Pictures>) | null {
    const { store } = this;
    const { pool, difference } = store.selection.value;
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
      const answer = await this.source.overview(refs, { pool, compare, signal });
      return {
        overviews: new Map(answer.overviews.map((overview, i) => [refKey(refs[i] ?? overview.ref), overview])),
        comparison: answer.comparisons[0] ?? null,
      };
    };
  }

  private headsTask(): ((signal: AbortSignal) => Promise<ReadonlyMap<string, HeadMap>>) | null {
    const { store } = this;
    const head = store.head.value;
    const loaded = this.pictures.value.value?.overviews;
    if (head === null || loaded === undefined) return null;
    const refs = refsOf(store.panels.value, store.resolved.value.example).filter((ref) => {
      const overview = loaded.get(refKey(ref));
      const layer = overview?.layers.find((one) => one.layer === head.layer);
      const stored = overview?.mapState === MapState.FULL || overview?.mapState === MapState.REDUCED;
      return stored && layer?.heads.includes(head.head) === true;
    });
    if (refs.length === 0) return null;
    const { pool } = store.selection.value;
    const passing = store.hoveredHead.value !== null;
    return async (signal) => {
      // The pointer crosses many heads on its way to one.
      if (passing) await rest(HOVER_MS, signal);
      const maps = await this.source.head(refs, head, { signal, pool });
      return new Map(maps.map((map, i) => [refKey(refs[i] ?? map.ref), map]));
    };
  }

  private attributionsTask(): ((signal: AbortSignal) => Promise<ReadonlyMap<string, AttributionsData>>) | null {
    const { store } = this;
    const { runs, attribution, example, view } = store.resolved.value;
    if (view !== "attributions") return null;
    const wanted = runs.flatMap((run) => {
      const series = seriesFor(store.index.value, store.selection.value, run, Kind.ATTRIBUTION, attribution);
      return series === undefined ? [] : [{ run, id: series.id }];
    });
    return async (signal) => {
      const answers = await Promise.all(
        wanted.map(async ({ run, id }) => [run, await this.source.attributions(id, example, { signal })] as const),
      );
      return new Map(answers);
    };
  }

  private anomaliesTask(): ((signal: AbortSignal) => Promise<readonly AnomalyGroupInfo[]>) | null {
    const { views } = this.store.resolved.value;
    // Read again when the index grows: new records may hold new anomalies.
    dependOn(this.store.index.value);
    return views.includes("anomalies") ? (signal) => this.source.anomalies({ signal }) : null;
  }

  private scalarsTask(): ((signal: AbortSignal) => Promise<ScalarsData>) | null {
    const { run } = this.store.resolved.value;
    const { lossTag } = this.store.selection.value;
    const known = run !== null && findRun(this.store.index.value, run) !== undefined;
    return known ? (signal) => this.source.scalars(run, lossTag ?? undefined, { signal }) : null;
  }

  /** The steps to the left and right, so that moving to them shows at once. */
  private prefetchSteps(): void {
    const { store } = this;
    const { steps, step, runs, name, example, view } = store.resolved.value;
    const { difference, pool } = store.selection.value;
    if (step === null || difference || view !== "attention" || this.pictures.value.busy) return;
    const near = [1, -1, 2].flatMap((by) => {
      const at = neighbourStep(steps, step, by);
      if (at === undefined) return [];
      return runs.flatMap((run): MapRef[] => {
        const record = recordAt(store.index.peek(), store.selection.peek(), run, Kind.ATTENTION, name, at);
        return record === undefined ? [] : [mapRef(record, example)];
      });
    });
    const missing = near.filter((ref) => this.source.cached(ref, pool) === undefined);
    if (missing.length > 0) this.source.prefetch(missing.slice(0, MOST_PREFETCHED), pool);
  }

  /** The other examples: their names for the rail and, in the Attention view, their pictures. */
  private prefetchExamples(): void {
    const { store } = this;
    const { pool, difference } = store.selection.value;
    const { example, examples, view } = store.resolved.value;
    const found = exampleRecord(store.index.value, store.selection.value, store.resolved.value);
    if (found === undefined || this.pictures.value.busy) return;
    const { kind, record } = found;
    const others = Array.from({ length: Math.min(examples, record.series.examples, PREFETCH_EXAMPLES) }, (_, i) => i)
      // The chosen one comes with the pictures, unless those are of other runs or steps.
      .filter((other) => view !== "attention" || difference || other !== example);
    const unnamed = others.filter((other) => !this.texts.has(`${record.series.id}.${other}`));
    if (kind === Kind.ATTRIBUTION) {
      if (unnamed.length > 0) void this.preview(() => this.nameByStrips(record.series.id, unnamed));
      return;
    }
    // Outside the Attention view only names are wanted, and one step has them all.
    const refs = (view === "attention" ? others : unnamed)
      .map((other) => mapRef(record, other))
      .filter((ref) => this.source.cached(ref, pool) === undefined);
    if (refs.length > 0) void this.preview(() => this.source.overview(refs, { pool }));
  }

  private async nameByStrips(series: string, examples: readonly number[]): Promise<void> {
    for (const which of examples) {
      const { steps } = await this.source.attributions(series, which);
      const tokens = steps.find((step) => step.tokens !== null)?.tokens ?? null;
      this.texts.set(`${series}.${which}`, { tokens, mask: null });
    }
  }

  private async preview(load: () => Promise<unknown>): Promise<void> {
    try {
      await load();
      this.previews.value += 1;
    } catch {
      // Only a name in the rail is missing; choosing the example says what is wrong.
    }
  }
}
