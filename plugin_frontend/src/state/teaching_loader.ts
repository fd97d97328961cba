// Fetches the vectors of the row that is explained. The last row stays until the next one has come.
import { computed, effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { Latest } from "../base/latest";
import { attentionSteps, type AttentionSteps } from "../data/attention_steps";
import type { RowVectors, VectorsClient, VectorsData } from "../data/vectors";
import type { MapRef, Overview } from "../data/types";
import { layerOf } from "./facts";
import { NOTHING, sentence, type Loaded } from "./loaded";
import type { Loader } from "./loader";
import { mapRef, refKey } from "./resolve";
import type { HeadAt, PanelSpec, Store } from "./store";
import { queryOf } from "./teaching";

const REST_MS = 60;

/** Whose row is explained. */
export interface Lesson {
  readonly panel: PanelSpec;
  readonly at: HeadAt;
  readonly overview: Overview;
  readonly query: number;
  readonly ref: MapRef;
}

export interface Answer {
  readonly lesson: Lesson;
  readonly data: VectorsData;
  readonly row: { readonly vectors: RowVectors; readonly steps: AttentionSteps } | null;
}

export class TeachingLoader {
  readonly answer = signal<Loaded<Answer>>(NOTHING);
  private readonly life = new Disposables();

  constructor(
    private readonly source: Pick<VectorsClient, "vectors">,
    private readonly store: Store,
    private readonly loader: Loader,
  ) {}

  /** The panels that have rows of their own: a difference has none. */
  readonly panels: ReadonlySignal<readonly PanelSpec[]> = computed(() =>
    this.store.panels.value.filter((panel) => panel.side !== "difference"),
  );

  /** The panel that is explained, whether or not it has a record. */
  readonly panel: ReadonlySignal<PanelSpec | undefined> = computed(() => {
    const { place } = this.store.selection.value.teaching;
    const panels = this.panels.value;
    const { run } = this.store.resolved.value;
    return panels[place ?? -1] ?? panels.find((panel) => panel.run === run) ?? panels[0];
  });

  /** null: the panel is closed, or its head is not there (yet). */
  readonly lesson: ReadonlySignal<Lesson | null> = computed(() => {
    const { store } = this;
    const { teaching, query: locked } = store.selection.value;
    const panel = this.panel.value;
    const at = store.head.value;
    if (teaching.step === null || panel?.record === undefined || at === null) return null;
    const ref = mapRef(panel.record, store.resolved.value.example);
    const overview = this.loader.pictures.value.value?.overviews.get(refKey(ref));
    const layer = overview === undefined ? undefined : layerOf(overview, at.layer);
    if (overview === undefined || layer?.heads.includes(at.head) !== true) return null;
    const query = queryOf(store.hover.value.query, locked, layer.queries, layer.rows, overview.queryMask);
    return { panel, at, overview, query, ref };
  });

  start(): void {
    const latest = new Latest();
    this.life.add(() => latest.cancel());
    let asked = "";
    this.life.add(
      effect(() => {
        const lesson = this.lesson.value;
        const attempt = this.loader.attempt.value;
        // The lesson is made anew whatever is hovered; only another row is asked for.
        const row = lesson === null ? "" : [refKey(lesson.ref), lesson.at.layer, lesson.at.head, lesson.query, attempt].join(".");
        if (row === asked) return;
        asked = row;
        untracked(() => void this.load(latest, lesson));
      }),
    );
  }

  dispose(): void {
    this.life.dispose();
  }

  /** Asks another source for what is shown: a saved page has to carry it. */
  async again(source: Pick<VectorsClient, "vectors">, signal: AbortSignal): Promise<void> {
    const lesson = this.lesson.peek();
    if (lesson !== null) await source.vectors(lesson.ref, lesson.at, lesson.query, signal);
  }

  private async load(latest: Latest, lesson: Lesson | null): Promise<void> {
    if (lesson === null) {
      latest.cancel();
      this.answer.value = NOTHING;
      return;
    }
    this.answer.value = { ...this.answer.value, busy: true, error: null };
    try {
      const value = await latest.run((abort) => this.ask(lesson, abort));
      if (value !== undefined) this.answer.value = { value, busy: false, error: null };
    } catch (error) {
      this.answer.value = { value: undefined, busy: false, error: sentence(error) };
    }
  }

  private async ask(lesson: Lesson, abort: AbortSignal): Promise<Answer> {
    // The pointer crosses many rows on its way to one.
    if (this.store.hover.peek().query !== undefined) await new Promise((resolve) => setTimeout(resolve, REST_MS));
    abort.throwIfAborted();
    const data = await this.source.vectors(lesson.ref, lesson.at, lesson.query, abort);
    const row = data.vectors === null ? null : { vectors: data.vectors, steps: attentionSteps(data.vectors) };
    if (row !== null) this.store.lessonSteps.value = row.steps.names;
    return { lesson, data, row };
  }
}
