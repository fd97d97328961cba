// The one place where the application's state lives: signals, and the few ways to change them.
import { cellOf, spanOf, type TokenAxis } from "../base/axis";
import { leastAndMost } from "../base/numbers";
import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { stepNames, type StepName } from "../data/attention_steps";
import { Kind, type IndexData, type Look } from "../data/types";
import { Exportables } from "../exports/registry";
import { Alignment } from "./alignment";
import { EMPTY_INDEX } from "./catalog";
import { DifferenceScale } from "./difference_scale";
import type { LensName, LensState } from "./lens";
import { runColours } from "./palette";
import { effectivePins, recordAt, resolve, seriesFor, type RecordRef, type Resolved } from "./resolve";
import { DEFAULT_SELECTION, previewed, release, togglePin, type Hover, type Pin, type Selection, type ViewName } from "./selection";
import { neighbourStep } from "./timeline";
import { Viewports } from "./viewport";
import { t } from "../text/table";

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

export interface Saved {
  readonly title: string;
  readonly when: string;
  readonly view: ViewName;
  readonly example: number;
  /** How the example begins, as the rail shows it. */
  readonly preview: string;
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
  /** What the rows and columns of the map in focus stand for, for the keys; set by the first panel. */
  readonly axes = signal<{ readonly query: TokenAxis; readonly key: TokenAxis } | null>(null);
  /** Between the edges of the large maps and their weights, and over the maps. */
  readonly aligned = { left: new Alignment(), top: new Alignment(), grid: new Alignment(), notes: new Alignment() };
  readonly viewports = new Viewports(
    computed(() => this.selection.value.viewport),
    (viewport) => this.update({ viewport }),
  );
  readonly playing = signal(false);
  readonly loop = computed(() => this.selection.value.playing.loop);
  readonly differenceScale = new DifferenceScale(
    computed(() => this.selection.value.differenceEnd),
    (differenceEnd) => this.update({ differenceEnd }),
  );
  /** Chosen by hand, and its map not yet brought in sight: a link opens at its top. */
  readonly lensChosen = signal<LensName>("none");
  readonly helpOpen = signal(false);
  readonly exportOpen = signal(false);
  readonly toast = signal<string | null>(null);
  /** What is on screen and can be saved. */
  readonly onScreen = new Exportables();
  /** Saved pictures are light, whatever the page is. */
  readonly exportLight = signal(false);
  /** The steps that the row explained last comes about in; set by its loader. */
  readonly lessonSteps = signal<readonly StepName[]>(stepNames({ softcap: 0, bias: null }));
  /** Rows of the grid in front, for the arrow keys; set by the Attention view. */
  readonly headRows = signal<readonly { readonly layer: number; readonly heads: readonly number[] }[]>([]);

  /** The first picture is on screen: what was put off for its sake may come. */
  readonly drawn = signal(false);

  /** Of a saved page: what it holds, and when it was saved. */
  readonly saved = signal<Saved | null>(null);
  /** A question that waits for its answer. */
  readonly question = signal<{ readonly text: string; readonly answer: (yes: boolean) => void } | null>(null);

  /** What was chosen, whatever the pointer rests on: for whoever changes the choice. */
  readonly settled: ReadonlySignal<Resolved> = computed(() => this.resolve(this.selection.value));

  // One by one: most moves of the pointer change none of them.
  private readonly hoverRun = computed(() => this.hover.value.run);
  private readonly hoverExample = computed(() => this.hover.value.example);
  private readonly hoverName = computed(() => this.hover.value.name);
  private readonly hoverAttribution = computed(() => this.hover.value.attribution);

  /** What is on screen: what was chosen, or what the pointer rests on in the rail. */
  readonly resolved: ReadonlySignal<Resolved> = computed(() => {
    const [run, example, name, attribution] = [this.hoverRun.value, this.hoverExample.value, this.hoverName.value, this.hoverAttribution.value];
    const settled = this.settled.value;
    const beside = run !== undefined && !settled.runs.includes(run);
    if (!beside && example === undefined && name === undefined && attribution === undefined) return settled;
    const hover: Hover = {
      ...(run === undefined ? {} : { run }),
      ...(example === undefined ? {} : { example }),
      ...(name === undefined ? {} : { name }),
      ...(attribution === undefined ? {} : { attribution }),
    };
    return this.resolve(previewed(this.selection.value, hover, settled.runs));
  });

  /** The examples to choose from: a saved page has one. */
  readonly examples = computed(() => {
    const { saved, settled } = this;
    return saved.value === null ? Array.from({ length: settled.value.examples }, (_, which) => which) : [saved.value.example];
  });

  readonly colours = computed(() => this.coloursOn(this.dark.value));

  /** Of runs on a dark or a light ground: a file may have another than the page. */
  coloursOn(dark: boolean): ReadonlyMap<string, string> {
    return runColours(this.index.value.runs.map((run) => run.name), this.hostOrder.value, dark);
  }

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

  /** The head of B beside the locked one of A, of a pair that was matched; null while none is shown. */
  readonly partner = computed<HeadAt | null>(() => {
    const { difference, heads } = this.selection.value;
    const at = this.lockedHead.value;
    if (!difference || heads.other === null || at === null || this.hoveredHead.value !== null) return null;
    return { layer: at.layer, head: heads.other };
  });

  /** The query or key token whose lines are drawn: hovered, else locked. */
  readonly token = computed<{ readonly query: number | null; readonly key: number | null }>(() => {
    const { query, key } = this.hover.value;
    if (query !== undefined || key !== undefined) return { query: query ?? null, key: key ?? null };
    return { query: this.selection.value.query, key: this.selection.value.key };
  });

  /** How thumbnails are asked for; one object per way, so that nothing is drawn anew for another one. */
  private readonly pool = computed(() => this.selection.value.pool);
  private readonly sinks = computed(() => this.selection.value.lens.sinks);
  readonly look = computed<Look>(() => ({ pool: this.pool.value, sinks: this.sinks.value }));

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

  private resolve(selection: Selection): Resolved {
    const saved = this.saved.value;
    if (saved === null) return resolve(this.index.value, selection);
    const { view, example } = saved;
    return { ...resolve(this.index.value, { ...selection, view, example }), views: [view], view };
  }

  private spec(side: "run" | "A" | "B", run: string, step: number, name: string | null): PanelSpec {
    const record = recordAt(this.index.value, this.selection.value, run, Kind.ATTENTION, name, step);
    const logged = seriesFor(this.index.value, this.selection.value, run, Kind.ATTENTION, name) !== undefined;
    return { id: side === "run" ? `run:${run}` : side, side, run, wantedStep: step, logged, record };
  }

  /** What is shown where an address leaves it unsaid. */
  standard(): Selection {
    return { ...DEFAULT_SELECTION, ...this.held() };
  }

  /** A saved page has one view and one example: where another is looked for it says so, and stays with its own. */
  inFile<T extends Partial<Selection>>(wanted: T): T {
    const held = this.held();
    const { view = held.view, example = held.example } = wanted;
    if ((held.view ?? view) === view && (held.example ?? example) === example) return wanted;
    this.toast.value = t("notInFile");
    return { ...wanted, ...held };
  }

  private held(): Partial<Pick<Selection, "view" | "example">> {
    const saved = this.saved.peek();
    return saved === null ? {} : { view: saved.view, example: saved.example };
  }

  update(patch: Partial<Selection>): void {
    const now = this.selection.value;
    patch = this.inFile(patch);
    // Another head has another partner, or none.
    const alone = ("layer" in patch || "head" in patch) && !("heads" in patch) && now.heads.other !== null;
    this.selection.value = { ...now, ...patch, ...(alone ? { heads: { ...now.heads, other: null } } : {}) };
  }

  updateLens(patch: Partial<LensState>): void {
    this.update({ lens: { ...this.selection.value.lens, ...patch } });
  }

  chooseLens(lens: LensName): void {
    this.lensChosen.value = lens;
    this.updateLens({ lens });
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

  /** Locks the next token along an axis of the map in focus, the first where none was locked. */
  moveToken(which: "query" | "key", by: number): void {
    const axis = this.axes.peek()?.[which];
    if (axis === undefined || axis.cells === 0) return;
    const at = this.selection.peek()[which];
    const cell = at === null ? null : cellOf(axis, at);
    const next = cell === null ? 0 : Math.min(axis.cells - 1, Math.max(0, cell + by));
    this.hover.value = {};
    this.update({ [which]: spanOf(axis, next).first });
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

  /** A = the first step of the run in focus, B = what is on screen, whatever was pinned before. */
  compareWithFirst(): void {
    const { run, name } = this.resolved.value;
    const series = run === null ? undefined : seriesFor(this.index.value, this.selection.value, run, Kind.ATTENTION, name);
    if (run === null || series === undefined || series.steps.length === 0) return;
    this.update({ a: { run, step: leastAndMost(series.steps)[0] }, b: null, difference: true });
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
    const shown = this.settled.value.runs;
    const next = shown.includes(run) ? shown.filter((one) => one !== run) : [...shown, run];
    if (next.length > 0) this.update({ runs: next });
  }

  /** Resolves to the reader's answer. */
  ask(text: string): Promise<boolean> {
    return new Promise((resolve) => {
      const answer = (yes: boolean): void => {
        this.question.value = null;
        resolve(yes);
      };
      this.question.value = { text, answer };
    });
  }

  release(): void {
    if (this.exportOpen.peek()) {
      this.exportOpen.value = false;
      return;
    }
    // A preview of the rail is given up before anything that was chosen.
    if (this.resolved.peek() !== this.settled.peek()) {
      this.hover.value = {};
      return;
    }
    batch(() => {
      this.helpOpen.value = false;
      this.hover.value = {};
      this.selection.value = release(this.selection.value);
    });
  }
}
