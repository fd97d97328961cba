// What is selected, as the user (or a link) left it. `null` means "the default", so that a growing run
// is followed and links stay short. What the defaults stand for is decided in resolve.ts.
import type { Pool } from "../data/types";
import { DEFAULT_HEADS, type HeadsState } from "./heads";
import { DEFAULT_LENS, type LensState } from "./lens";
import { DEFAULT_TEACHING, type TeachingState } from "./teaching";
import { DEFAULT_MULTIPLES, type MultiplesState } from "./multiples";
import { DEFAULT_PLAYING, type PlayingState } from "./playing";
import type { FocusView } from "../render/types";
import type { Companding, Normalisation } from "../render/types";

export type ViewName = "attention" | "heads" | "attributions" | "anomalies";
export const VIEW_NAMES: readonly ViewName[] = ["attention", "heads", "attributions", "anomalies"];

/** How weights become colours; the meaning is in render/types.ts. */
export const SCALE_NAMES: readonly Companding[] = ["sqrt", "linear"];
export const PEAK_NAMES: readonly Normalisation[] = ["head", "absolute"];

export const POOL_NAMES: readonly Pool[] = ["max", "mean"];

/** Over what the colours of attribution strips are normalised. */
export type NormName = "step" | "all";
export const NORM_NAMES: readonly NormName[] = ["step", "all"];

export interface Pin {
  readonly run: string;
  readonly step: number;
}

export interface Selection {
  readonly view: ViewName;
  /** Runs shown side by side; null: a few, as state/default_runs.ts says. */
  readonly runs: readonly string[] | null;
  /** The run that statistics and the loss curve belong to; null: the first shown. */
  readonly run: string | null;
  readonly name: string | null;
  readonly attribution: string | null;
  readonly example: number;
  /** null: the newest. */
  readonly step: number | null;
  readonly layer: number | null;
  readonly head: number | null;
  readonly query: number | null;
  readonly key: number | null;
  readonly a: Pin | null;
  readonly b: Pin | null;
  readonly difference: boolean;
  /** Chosen session by run, where it is not the newest. */
  readonly sessions: Readonly<Record<string, string>>;
  /** Of a distributed run; null: the first that logged the step. */
  readonly worker: number | null;
  readonly scale: Companding;
  readonly peak: Normalisation;
  readonly exposure: number;
  /** Where the scale of differences ends at least; 0: as far as what is on screen. */
  readonly differenceEnd: number;
  readonly pool: Pool;
  readonly norm: NormName;
  readonly table: boolean;
  readonly filter: string;
  readonly lossTag: string | null;
  /** Which statistic the table alternative of the grid shows. */
  readonly tableStatistic: string;
  /** Which part of the large maps is in sight; null: all. */
  readonly viewport: FocusView | null;
  /** What only the Heads view shows. */
  readonly heads: HeadsState;
  /** How heads are looked at. */
  readonly lens: LensState;
  /** Which step of one row's attention is explained. */
  readonly teaching: TeachingState;
  /** The head in focus over the steps. */
  readonly multiples: MultiplesState;
  readonly playing: PlayingState;
}

export const DEFAULT_TABLE_STATISTIC = "entropy";

export const DEFAULT_SELECTION: Selection = {
  view: "attention",
  runs: null,
  run: null,
  name: null,
  attribution: null,
  example: 0,
  step: null,
  layer: null,
  head: null,
  query: null,
  key: null,
  a: null,
  b: null,
  difference: false,
  sessions: {},
  worker: null,
  scale: "sqrt",
  peak: "head",
  exposure: 1,
  differenceEnd: 0,
  pool: "max",
  norm: "step",
  table: false,
  filter: "",
  lossTag: null,
  tableStatistic: DEFAULT_TABLE_STATISTIC,
  viewport: null,
  heads: DEFAULT_HEADS,
  lens: DEFAULT_LENS,
  teaching: DEFAULT_TEACHING,
  multiples: DEFAULT_MULTIPLES,
  playing: DEFAULT_PLAYING,
};

/** What the pointer or the keyboard focus previews; never in the URL. */
export interface Hover {
  readonly layer?: number;
  readonly head?: number;
  readonly query?: number;
  readonly key?: number;
  readonly step?: number;
  readonly run?: string;
  readonly example?: number;
  readonly name?: string;
  readonly attribution?: string;
}

/** The selection as it would be if what the pointer rests on were chosen. */
export function previewed(selection: Selection, { example, name, attribution, run }: Hover, shown: readonly string[]): Selection {
  const beside = run === undefined || shown.includes(run) ? {} : { runs: [...shown, run] };
  return {
    ...selection,
    ...beside,
    ...(example === undefined ? {} : { example }),
    ...(name === undefined ? {} : { name }),
    ...(attribution === undefined ? {} : { attribution }),
  };
}

/**
 * Releases one lock: the innermost first, so that Esc never throws away more than one thing.
 * Returns the same object when nothing was locked.
 */
export function release(selection: Selection): Selection {
  if (selection.teaching.step !== null) return { ...selection, teaching: DEFAULT_TEACHING };
  if (selection.key !== null) return { ...selection, key: null };
  if (selection.query !== null) return { ...selection, query: null };
  if (selection.difference) return { ...selection, difference: false };
  if (selection.layer !== null || selection.head !== null) return { ...selection, layer: null, head: null };
  if (selection.a !== null || selection.b !== null) return { ...selection, a: null, b: null };
  if (selection.step !== null) return { ...selection, step: null };
  if (selection.example !== 0) return { ...selection, example: 0 };
  if (selection.name !== null || selection.attribution !== null) return { ...selection, name: null, attribution: null };
  if (selection.run !== null || selection.runs !== null) return { ...selection, run: null, runs: null };
  return selection;
}

export function samePin(a: Pin | null, b: Pin | null): boolean {
  return a === b || (a !== null && b !== null && a.run === b.run && a.step === b.step);
}

/** Sets a pin, or takes it away when the same one is set already. */
export function togglePin(selection: Selection, which: "a" | "b", pin: Pin): Selection {
  return { ...selection, [which]: samePin(selection[which], pin) ? null : pin };
}
