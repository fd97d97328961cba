// Fetches what the Heads view shows. The last answer stays until the next one has come.
import { computed, effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { Latest } from "../base/latest";
import { recorded } from "../data/answers";
import { allDone } from "../data/errors";
import type { ChangesData, HeadsClient } from "../data/heads";
import { Kind, type SeriesInfo } from "../data/types";
import { load, NOTHING, rest, type Loaded, type Task } from "./loaded";
import type { Loader } from "./loader";
import { dependOn } from "./depend";
import type { RunHeads } from "./heads";
import { recordAt, seriesFor } from "./resolve";
import type { Pin } from "./selection";
import type { Store } from "./store";

const REST_MS = 150;
/** Values that all runs may have together before only the chosen statistics are asked for. */
const MOST_VALUES = 1 << 24;

interface HeadsPlan {
  readonly wanted: readonly { readonly run: string; readonly series: SeriesInfo }[];
  readonly example: number | null;
  readonly chosen: readonly string[];
}

type HeadsSource = Pick<HeadsClient, "heads" | "changes">;

export class HeadsLoader {
  /** By run: those shown and those of the pins. */
  readonly heads = signal<Loaded<ReadonlyMap<string, RunHeads>>>(NOTHING);
  readonly changes = signal<Loaded<ChangesData>>(NOTHING);
  private readonly life = new Disposables();

  constructor(
    private readonly source: HeadsSource,
    private readonly store: Store,
    private readonly loader: Pick<Loader, "attempt">,
  ) {}

  start(): void {
    const [heads, changes] = [new Latest(), new Latest()];
    this.life.add(() => [heads, changes].forEach((one) => one.cancel()));
    // Most changes of the selection change nothing of what has to be fetched.
    const headsPlan = stable(
      () => this.headsPlan(),
      (plan) => JSON.stringify([plan.wanted.map(({ run, series }) => [run, series.id, series.steps.length]), plan.example, plan.chosen]),
    );
    const changesPlan = stable(() => this.changesPlan(), JSON.stringify);
    this.follow(this.heads, heads, () => {
      const plan = headsPlan.value;
      return plan === null ? null : this.headsTask(plan, this.source);
    });
    this.follow(this.changes, changes, () => {
      const plan = changesPlan.value;
      if (plan === null) return null;
      return async (signal) => {
        await rest(REST_MS, signal);
        return this.source.changes(plan.a, plan.b, plan.match, signal);
      };
    });
  }

  dispose(): void {
    this.life.dispose();
  }

  /** Asks another source for what is shown and what one click more shows: a saved page has to carry it. */
  async again(source: HeadsSource, signal: AbortSignal): Promise<void> {
    const [heads, changes] = [this.headsPlan(), this.changesPlan()];
    if (heads === null) return;
    for (const example of [this.store.resolved.peek().example, null]) await recorded(this.headsTask({ ...heads, example }, source)(signal));
    if (changes === null) return;
    for (const match of [false, true]) await recorded(source.changes(changes.a, changes.b, match, signal));
  }

  private follow<T>(target: Signal<Loaded<T>>, latest: Latest, plan: () => Task<T> | null): void {
    this.life.add(
      effect(() => {
        dependOn(this.loader.attempt.value);
        const task = plan();
        untracked(() => void load(target, latest, task));
      }),
    );
  }

  private headsPlan(): HeadsPlan | null {
    const { store } = this;
    const { view, runs, name, example } = store.resolved.value;
    const { mean, statistic, x, y, colour } = store.selection.value.heads;
    if (view !== "heads") return null;
    const pins = store.pins.value;
    const wanted = [...new Set([...runs, ...(pins === undefined ? [] : [pins.a.run, pins.b.run])])].flatMap((run) => {
      const series = seriesFor(store.index.value, store.selection.value, run, Kind.ATTENTION, name);
      return series === undefined ? [] : [{ run, series }];
    });
    return { wanted, example: mean ? null : example, chosen: [...new Set([statistic, x.statistic, y.statistic, colour])].sort() };
  }

  private headsTask({ wanted, example, chosen }: HeadsPlan, source: HeadsSource): Task<ReadonlyMap<string, RunHeads>> {
    return async (signal) => {
      const found = await allDone(
        wanted.map(async ({ run, series }): Promise<RunHeads> => {
          const count = series.steps.length;
          // How many heads there are is known only from an answer: the first record tells.
          const first = await source.heads(series.id, Math.min(1, count), 0, [], signal);
          const all = wanted.length * count * Math.max(1, first.places.size) * Math.max(1, first.names.length);
          // A link may name what was never logged: the server refuses that.
          const logged = chosen.filter((name) => first.names.includes(name));
          const few = all > MOST_VALUES ? (logged.length > 0 ? logged : first.names.slice(0, 1)) : [];
          const data = await source.heads(series.id, count, example, few, signal);
          return { run, series, data, names: few.length === 0 ? data.names : first.names };
        }),
      );
      return new Map(found.map((one) => [one.run, one]));
    };
  }

  private changesPlan(): { readonly a: string; readonly b: string; readonly match: boolean } | null {
    const { store } = this;
    const { view } = store.resolved.value;
    const { tool } = store.selection.value.heads;
    const pins = store.pins.value;
    if (view !== "heads" || pins === undefined || (tool !== "changes" && tool !== "matches")) return null;
    const [a, b] = [this.recordOf(pins.a), this.recordOf(pins.b)];
    // While playing, every step would be compared over all examples.
    return a === undefined || b === undefined || store.playing.value ? null : { a, b, match: tool === "matches" };
  }

  private recordOf(pin: Pin): string | undefined {
    const { store } = this;
    const { name } = store.resolved.value;
    const record = recordAt(store.index.value, store.selection.value, pin.run, Kind.ATTENTION, name, pin.step);
    return record === undefined ? undefined : `${record.series.id}.${record.ordinal}`;
  }
}

/** The same object as before while its key is the same. */
function stable<T>(make: () => T | null, keyOf: (value: T) => string): ReadonlySignal<T | null> {
  let last: T | null = null;
  let lastKey = "";
  return computed(() => {
    const next = make();
    const key = next === null ? "" : keyOf(next);
    if (key !== lastKey) [last, lastKey] = [next, key];
    return last;
  });
}
