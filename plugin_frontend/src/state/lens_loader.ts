// Fetches the lens that stands beside the raw weights, for every run on screen.
import { effect, signal, untracked } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { Latest } from "../base/latest";
import { allDone } from "../data/errors";
import type { LensClient, LensData, ServerLens } from "../data/lens";
import { dependOn } from "./depend";
import { load, NOTHING, rest, type Loaded } from "./loaded";
import { refsOf, type Loader } from "./loader";
import { refKey } from "./resolve";
import type { Store } from "./store";

/** The pointer crosses many heads on its way to one. */
const REST_MS = 80;

/** By map, layer and head, and lens: what belongs to another selection is not taken for an answer. */
export type LensAnswers = ReadonlyMap<string, LensData>;

export const lensKey = (map: string, layer: number, head: number, lens: ServerLens): string => `${map} ${layer}.${head} ${lens}`;

type LensSource = Pick<LensClient, "lens">;

export class LensLoader {
  readonly answers = signal<Loaded<LensAnswers>>(NOTHING);
  private readonly life = new Disposables();

  constructor(
    private readonly source: LensSource,
    private readonly store: Store,
    private readonly loader: Pick<Loader, "attempt">,
  ) {}

  start(): void {
    const latest = new Latest();
    this.life.add(() => latest.cancel());
    this.life.add(
      effect(() => {
        dependOn(this.loader.attempt.value);
        const task = this.plan(this.source);
        untracked(() => void load(this.answers, latest, task));
      }),
    );
  }

  dispose(): void {
    this.life.dispose();
  }

  /** Asks another source for what is shown: a saved page has to carry it. */
  async again(source: LensSource, signal: AbortSignal): Promise<void> {
    await this.plan(source)?.(signal);
  }

  private plan(source: LensSource): ((signal: AbortSignal) => Promise<LensAnswers>) | null {
    const { store } = this;
    const { lens } = store.selection.value.lens;
    const { example, view } = store.resolved.value;
    const head = store.head.value;
    if (lens === "none" || lens === "value" || head === null || view !== "attention") return null;
    const refs = refsOf(store.panels.value, example);
    return async (signal) => {
      await rest(REST_MS, signal);
      const answers = await allDone(refs.map((ref) => source.lens(ref, head, lens, signal)));
      return new Map(refs.flatMap((ref, i) => {
        const answer = answers[i];
        return answer === undefined ? [] : [[lensKey(refKey(ref), head.layer, head.head, lens), answer] as const];
      }));
    };
  }
}
