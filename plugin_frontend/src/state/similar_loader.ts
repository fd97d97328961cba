// Asks which heads are alike, when someone looks at it and the page has nothing else to do: the server compares
// every head with every other.
import { computed, effect, signal, untracked } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { Latest } from "../base/latest";
import { whenIdle } from "../base/idle";
import { recorded } from "../data/answers";
import { similarKey, type SimilarClient, type SimilarData, type SimilarRef } from "../data/similar";
import { Kind, type Overview } from "../data/types";
import { dependOn } from "./depend";
import { refsOf, type Loaded, type Loader } from "./loader";
import { recordAt, refKey } from "./resolve";
import { LARGE_WORK, similarWork } from "./similar";
import type { Store } from "./store";

const NOTHING = { value: undefined, busy: false, error: null } as const;
const REST_MS = 400;
const IDLE_MS = 2000;

/** By `similarKey`. */
export type SimilarAnswers = ReadonlyMap<string, SimilarData>;

export class SimilarLoader {
  readonly answers = signal<Loaded<SimilarAnswers>>(NOTHING);
  /** The row that shows them is on screen. */
  readonly shown = signal(false);
  /** Records that the reader asked for although they take long. */
  private readonly asked = signal<ReadonlySet<string>>(new Set());
  private readonly life = new Disposables();

  constructor(
    private readonly source: Pick<SimilarClient, "similar" | "cached">,
    private readonly store: Store,
    private readonly loader: Pick<Loader, "attempt" | "pictures">,
  ) {}

  start(): void {
    const latest = new Latest();
    this.life.add(() => latest.cancel());
    // As a text, so that what changes nothing of it asks for nothing.
    const wanted = computed(() => JSON.stringify(this.wanted(this.shown.value)));
    this.life.add(
      effect(() => {
        dependOn(this.loader.attempt.value);
        const refs = JSON.parse(wanted.value) as readonly SimilarRef[];
        untracked(() => void this.load(latest, refs));
      }),
    );
  }

  dispose(): void {
    this.life.dispose();
  }

  /** Asks another source for what is shown, or would be further down: a saved page has to carry it. */
  async again(source: Pick<SimilarClient, "similar">, signal: AbortSignal): Promise<void> {
    for (const ref of this.wanted(true)) await recorded(source.similar(ref, signal));
  }

  ask(ref: SimilarRef): void {
    this.asked.value = new Set([...this.asked.value, similarKey(ref)]);
  }

  /** Whether the record is large and nobody has asked for it. */
  isHeldBack(overview: Overview): boolean {
    const { ref } = overview;
    const free = this.asked.value.has(similarKey(ref)) || this.source.cached(ref) !== undefined;
    return !free && similarWork(overview).work > LARGE_WORK;
  }

  /** The record of the Heads view: that of the run in focus, with its own step. */
  readonly inHeads = computed<(SimilarRef & { readonly step: number }) | null>(() => {
    const { store } = this;
    const { view, run, name, example } = store.resolved.value;
    const { tool, mean } = store.selection.value.heads;
    if (view !== "heads" || tool !== "alike" || run === null) return null;
    const record = recordAt(store.index.value, store.selection.value, run, Kind.ATTENTION, name, store.step.value);
    return record === undefined ? null : { series: record.series.id, ordinal: record.ordinal, example: mean ? null : example, step: record.step };
  });

  private wanted(shown: boolean): readonly SimilarRef[] {
    const { store } = this;
    const { view, example } = store.resolved.value;
    // While playing, the heads of every step would be compared.
    if (store.playing.value) return [];
    if (view !== "attention") return this.inHeads.value === null ? [] : [this.inHeads.value];
    if (!shown) return [];
    // Only what is drawn already: the first picture comes first.
    const drawn = this.loader.pictures.value.value?.overviews;
    return refsOf(store.panels.value, example).filter((ref) => {
      const overview = drawn?.get(refKey(ref));
      return overview?.error === null && !this.isHeldBack(overview);
    });
  }

  private async load(latest: Latest, refs: readonly SimilarRef[]): Promise<void> {
    if (refs.length === 0) {
      latest.cancel();
      this.answers.value = NOTHING;
      return;
    }
    this.answers.value = { value: this.answers.value.value, busy: true, error: null };
    try {
      const value = await latest.run(async (signal) => {
        if (refs.some((ref) => this.source.cached(ref) === undefined)) await rest(signal);
        signal.throwIfAborted();
        const answers = await Promise.all(refs.map((ref) => this.source.similar(ref, signal)));
        return new Map(answers.map((answer, i) => [similarKey(refs[i] as SimilarRef), answer]));
      });
      if (value !== undefined) this.answers.value = { value, busy: false, error: null };
    } catch (error) {
      this.answers.value = { ...this.answers.value, busy: false, error: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** Resolves when nobody has moved on for a while and the page is idle. */
function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      whenIdle(() => resolve(), IDLE_MS);
    }, REST_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
