// The one place where the application's state lives: signals, and the few ways to change them.
import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { Kind, type IndexData } from "../data/types";
import { EMPTY_INDEX } from "./catalog";
import { runColours } from "./palette";
import { effectivePins, recordAt, resolve, seriesFor, type RecordRef, type Resolved } from "./resolve";
import { DEFAULT_SELECTION, release, togglePin, type Hover, type Pin, type Selection } from "./selection";
import { neighbourStep } from "./timeline";

export interface HeadAt {
  readonly layer: number;
  readonly head: number;
}

/** One column of the Attention view. */
export interface PanelSpec {
  readonly id: string;
  readonly side: "run" | "A" | "B" | "difference";
  readonly run: string;
  readonly wantedStep: number;
  /** The run has logged something under the chosen name, if not yet at this step. */
  readonly logged: boolean;
  /** undefined: the run has nothing to show there. */
  readonly record: RecordRef | undefined;
}

export class Store {
  readonly index = signal<IndexData>(EMPTY_INDEX);
  /** The first answer has come. */
  readonly loaded = signal(false);
  /** Why the index could not be read; null when it could. */
  readonly indexError = signal<string | null>(null);
  readonly selection = signal<Selection>(DEFAULT_SELECTION);
  readonly hover = signal<Hover>({});
  readonly dark = signal(false);
  readonly hostOrder = signal<readonly string[]>([]);
  readonly playing = signal(false);
  readonly loop = signal(true);
  readonly helpOpen = signal(false);
  readonly toast = signal<string | null>(null);
  /** Which statistic the table alternative of the grid shows. */
  readonly tableStatistic = signal("entropy");
  /** Rows of the grid in front, for the arrow keys; set by the Attention view. */
  readonly headRows = signal<readonly { readonly layer: number; readonly heads: readonly number[] }[]>([]);

  readonly resolved: ReadonlySignal<Resolved> = computed(() => resolve(this.index.value, this.selection.value));

  readonly colours = computed(() =>
    runColours(this.index.value.runs.map((run) => run.name), this.hostOrder.value, this.dark.value),
  );

  /** The step on screen: the one hovered on the scrubber, else the selected one. */
  readonly step = computed<number | null>(() => this.hover.value.step ?? this.resolved.value.step);

  readonly lockedHead = computed<HeadAt | null>(() => {
    const { layer, head } = this.selection.value;
    if (layer === null || head === null) return null;
    const rows = this.headRows.value;
    const known = rows.length === 0 || rows.some((row) => row.layer === layer && row.heads.includes(head));
    return known ? { layer, head } : null;
  });

  /** A run that vanishes under the pointer never tells that it was left. */
  readonly hoveredRun = computed(() => {
    const { run } = this.hover.value;
    return run !== undefined && this.resolved.value.runs.includes(run) ? run : undefined;
  });

  readonly hoveredHead = computed<HeadAt | null>(() => {
    const { layer, head } = this.hover.value;
    return layer === undefined || head === undefined ? null : { layer, head };
  });

  /** The head in the focus panel: hovered, else locked, else the first there is. */
  readonly head = computed<HeadAt | null>(() => {
    const first = this.headRows.value[0];
    const head = first?.heads[0];
    const standard = first === undefined || head === undefined ? null : { layer: first.layer, head };
    return this.hoveredHead.value ?? this.lockedHead.value ?? standard;
  });

  /** The query or key token whose lines are drawn: hovered, else locked. */
  readonly token = computed<{ readonly query: number | null; readonly key: number | null }>(() => {
    const { query, key } = this.hover.value;
    if (query !== undefined || key !== undefined) return { query: query ?? null, key: key ?? null };
    return { query: this.selection.value.query, key: this.selection.value.key };
  });

  readonly pins = computed(() => effectivePins(this.index.value, this.selection.value, this.resolved.value));

  readonly panels = computed<readonly PanelSpec[]>(() => {
    const { runs, name } = this.resolved.value;
    const step = this.step.value;
    if (step === null) return [];
    const pins = this.pins.value;
    if (this.selection.value.difference && pins !== undefined) {
      const a = this.spec("A", pins.a.run, pins.a.step, name);
      const b = this.spec("B", pins.b.run, pins.b.step, name);
      return [a, b, { ...b, id: "difference", side: "difference" }];
    }
    return runs.map((run) => this.spec("run", run, step, name));
  });

  private spec(side: "run" | "A" | "B", run: string, step: number, name: string | null): PanelSpec {
    const record = recordAt(this.index.value, this.selection.value, run, Kind.ATTENTION, name, step);
    const logged = seriesFor(this.index.value, this.selection.value, run, Kind.ATTENTION, name) !== undefined;
    return { id: side === "run" ? `run:${run}` : side, side, run, wantedStep: step, logged, record };
  }

  update(patch: Partial<Selection>): void {
    this.selection.value = { ...this.selection.value, ...patch };
  }

  setHover(patch: Hover): void {
    this.hover.value = patch;
  }

  lockHead(at: HeadAt): void {
    const { layer, head } = this.selection.value;
    const same = layer === at.layer && head === at.head;
    this.update(same ? { layer: null, head: null } : at);
  }

  /** Locks a cell or a token; the same one again releases it. */
  lockToken(query: number | null, key: number | null): void {
    const now = this.selection.value;
    const same = now.query === query && now.key === key;
    this.update(same ? { query: null, key: null } : { query, key });
  }

  goToStep(step: number): void {
    const { steps } = this.resolved.value;
    // At the right end the newest step is meant, so that a growing run is followed.
    this.update({ step: step === steps[steps.length - 1] ? null : step });
  }

  moveStep(by: number, loop = false): void {
    const { steps, step } = this.resolved.value;
    const next = step === null ? undefined : neighbourStep(steps, step, by, loop);
    if (next !== undefined) this.goToStep(next);
  }

  /** What a pin would hold now: the run in focus and the step on screen. */
  here(): Pin | undefined {
    const { run, step } = this.resolved.value;
    return run === null || step === null ? undefined : { run, step };
  }

  pin(which: "a" | "b"): void {
    const pin = this.here();
    if (pin !== undefined) this.selection.value = togglePin(this.selection.value, which, pin);
  }

  toggleRun(run: string): void {
    const shown = this.resolved.value.runs;
    const next = shown.includes(run) ? shown.filter((one) => one !== run) : [...shown, run];
    if (next.length > 0) this.update({ runs: next });
  }

  release(): void {
    batch(() => {
      this.helpOpen.value = false;
      this.hover.value = {};
      this.selection.value = release(this.selection.value);
    });
  }
}
