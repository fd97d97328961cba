// Fetches the steps that come next, pictures and the head in focus, one request after the other: what is on
// screen is asked for at the same time and must not wait behind them.
import { effect, signal, untracked } from "@preact/signals";
import { Disposables } from "../base/disposables";
import type { PluginClient } from "../data/client";
import { headBytesOf } from "../data/head_size";
import { Kind, MapState, type MapRef, type Overview } from "../data/types";
import { dependOn } from "./depend";
import type { Loader } from "./loader";
import { mapRef, recordAt, refKey } from "./resolve";
import type { Store } from "./store";

export type AheadSource = Pick<PluginClient, "overview" | "head" | "cached" | "cachedHead" | "headBudget">;

/** Steps fetched ahead while playing, as seconds of play. */
const SECONDS = 2;
/** Maps that one request asks for: a request must be over before its steps are due. */
const AT_ONCE = 6;

export class Ahead {
  /** Raised whenever something has come. */
  readonly arrived = signal(0);
  /** What cannot be had ahead: the page says why once it is in front. */
  private readonly without = new Set<string>();
  private readonly life = new Disposables();
  private running = false;

  constructor(
    private readonly source: AheadSource,
    private readonly store: Store,
    private readonly loader: Pick<Loader, "pictures" | "attempt">,
  ) {}

  start(): void {
    const { store } = this;
    this.life.add(
      effect(() => {
        dependOn(store.resolved.value, store.playing.value, store.look.value, store.head.value);
        dependOn(store.selection.value.difference, store.selection.value.playing, this.loader.pictures.value, store.drawn.value);
        untracked(() => void this.pump());
      }),
    );
    this.life.add(
      effect(() => {
        dependOn(this.loader.attempt.value, store.playing.value);
        this.without.clear();
      }),
    );
  }

  dispose(): void {
    this.life.dispose();
  }

  /** Whether a step can be shown at once, or not any sooner for waiting. */
  ready(step: number): boolean {
    return this.missing(step).length === 0 && (this.room() === 0 || this.missingHeads(step).length === 0);
  }

  /**
   * Of how many steps the heads are kept beside those in front: large ones would push each other out, and be
   * fetched again and again.
   */
  private room(): number {
    const { store, source } = this;
    const [head, look, { step }] = [store.head.peek(), store.look.peek(), store.resolved.peek()];
    const bytes = (step === null ? [] : this.refsAt(step)).reduce((sum, ref) => {
      const layer = source.cached(ref, look)?.layers.find((one) => one.layer === head?.layer);
      return layer === undefined ? sum : sum + headBytesOf(layer);
    }, 0);
    const steps = Math.floor(source.headBudget / Math.max(1, bytes));
    // Where one step is all that fits it is the next one: those in front are held by what shows them.
    return steps > 1 ? steps - 1 : steps;
  }

  /** What has to be here for a step to be shown; in a difference, B where it follows the step. */
  private refsAt(step: number): MapRef[] {
    const { store } = this;
    const { runs, run, name, example, view } = store.resolved.peek();
    const selection = store.selection.peek();
    if (view !== "attention") return [];
    const shown = !selection.difference ? runs : selection.b === null && run !== null ? [run] : [];
    return shown.flatMap((one) => {
      const record = recordAt(store.index.peek(), selection, one, Kind.ATTENTION, name, step);
      return record === undefined ? [] : [mapRef(record, example)];
    });
  }

  private missing(step: number): MapRef[] {
    const look = this.store.look.peek();
    return this.refsAt(step).filter((ref) => !this.without.has(refKey(ref)) && this.source.cached(ref, look) === undefined);
  }

  private missingHeads(step: number): MapRef[] {
    const head = this.store.head.peek();
    if (head === null) return [];
    const look = this.store.look.peek();
    return this.refsAt(step).filter((ref) => {
      const overview = this.source.cached(ref, look);
      const known = this.without.has(`${refKey(ref)} head`) || this.source.cachedHead(ref, head, look.pool) !== undefined;
      return overview !== undefined && !known && hasHead(overview, head);
    });
  }

  /** The next steps in the order in which they will be wanted. */
  private next(): number[] {
    const { store } = this;
    const { steps, step } = store.resolved.peek();
    const at = step === null ? -1 : steps.indexOf(step);
    if (at < 0) return [];
    const pick = (place: number): number[] => {
      const around = store.loop.peek() ? (place + steps.length) % steps.length : place;
      return steps[around] === undefined ? [] : [steps[around]];
    };
    if (!store.playing.peek()) return [1, -1, 2].flatMap((by) => steps[at + by] ?? []);
    const count = Math.min(steps.length - 1, Math.ceil(SECONDS * store.selection.peek().playing.speed));
    return Array.from({ length: count }, (_, i) => pick(at + i + 1)).flat();
  }

  private async pump(): Promise<void> {
    // What is in front comes first.
    if (this.running || !this.store.drawn.peek() || this.loader.pictures.peek().busy) return;
    this.running = true;
    try {
      while (await this.fetchOnce()) this.arrived.value += 1;
    } finally {
      this.running = false;
    }
  }

  /** False when nothing is missing. */
  private async fetchOnce(): Promise<boolean> {
    const steps = this.next();
    const near = steps.slice(0, this.room());
    const heads = unique(near.flatMap((step) => this.missingHeads(step)));
    const maps = unique(steps.flatMap((step) => this.missing(step)));
    const head = this.store.head.peek();
    const first = steps.find((step) => this.missing(step).length > 0 || (near.includes(step) && this.missingHeads(step).length > 0));
    if (first === undefined) return false;
    // The head of a step whose pictures are here, before the pictures of a later one.
    const wantsHead = this.missing(first).length === 0;
    if (wantsHead && head !== null) await this.fetchHeads(heads.slice(0, AT_ONCE), head);
    else await this.fetchMaps(maps.slice(0, AT_ONCE));
    return true;
  }

  private async fetchMaps(refs: readonly MapRef[]): Promise<void> {
    const look = this.store.look.peek();
    try {
      const { overviews } = await this.source.overview(refs, { look });
      overviews.forEach(({ error }, i) => {
        if (error !== null) this.giveUp(refs[i]);
      });
      // What is not kept would be asked for again and again.
      refs.filter((ref) => this.source.cached(ref, look) === undefined).forEach((ref) => this.giveUp(ref));
    } catch {
      refs.forEach((ref) => this.giveUp(ref));
    }
  }

  private async fetchHeads(refs: readonly MapRef[], head: { readonly layer: number; readonly head: number }): Promise<void> {
    const look = this.store.look.peek();
    try {
      const maps = await this.source.head(refs, head, look);
      maps.forEach(({ error }, i) => {
        if (error !== null) this.giveUp(refs[i], " head");
      });
      refs.filter((ref) => this.source.cachedHead(ref, head, look.pool) === undefined).forEach((ref) => this.giveUp(ref, " head"));
    } catch {
      refs.forEach((ref) => this.giveUp(ref, " head"));
    }
  }

  private giveUp(ref: MapRef | undefined, what = ""): void {
    if (ref !== undefined) this.without.add(`${refKey(ref)}${what}`);
  }
}

function hasHead(overview: Overview, head: { readonly layer: number; readonly head: number }): boolean {
  const stored = overview.mapState === MapState.FULL || overview.mapState === MapState.REDUCED;
  return stored && overview.layers.some((layer) => layer.layer === head.layer && layer.heads.includes(head.head));
}

function unique(refs: readonly MapRef[]): MapRef[] {
  return [...new Map(refs.map((ref) => [refKey(ref), ref])).values()];
}
