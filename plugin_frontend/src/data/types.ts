// What the application sees of the server's answers: plain objects, decoded, never changed after
// they were handed out (so identity tells whether anything is new).
import type { CheckState, Codec, Kind, MapState, Severity } from "../gen/tb_llmdebug/wire/record_pb";

import type { TokenAxis } from "../base/axis";
import type { Rest } from "./sinks";

export { CheckState, Codec, Kind, MapState, Severity } from "../gen/tb_llmdebug/wire/record_pb";

export interface IndexData {
  readonly generation: string;
  /** The first scan of the logdir has not ended yet. */
  readonly scanning: boolean;
  readonly runs: readonly RunInfo[];
  readonly problems: readonly ProblemInfo[];
}

export interface RunInfo {
  readonly name: string;
  readonly series: readonly SeriesInfo[];
}

/** All records of one kind and name in one session of a run; entry i of the lists has ordinal i. */
export interface SeriesInfo {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  readonly session: string;
  /** Seconds since the epoch. */
  readonly sessionStart: number;
  readonly newest: boolean;
  readonly steps: readonly number[];
  readonly wallTimes: readonly number[];
  readonly mapStates: readonly MapState[];
  readonly severities: readonly Severity[];
  readonly examples: number;
  /** Which worker of a distributed run logged each; empty: all are of worker 0. */
  readonly workers: readonly number[];
}

export interface ProblemInfo {
  /** "" with no file: it concerns the whole log directory. */
  readonly run: string;
  readonly file: string;
  readonly message: string;
}

/** One stored map: a record of a series and an example in it. */
export interface MapRef {
  readonly series: string;
  readonly ordinal: number;
  readonly example: number;
}

/** The model's own numbers of a layer and of a head. */
export interface HeadRef {
  readonly layer: number;
  readonly head: number;
}

export interface TokenList {
  readonly text: readonly string[];
  readonly ids: readonly number[];
  /** Per token: 1 = special token. May be empty. */
  readonly special: Uint8Array;
  /** Per token: piece `part` of `parts` of one character; 0 = a whole piece. May be empty. */
  readonly part: Uint8Array;
  readonly parts: Uint8Array;
}

export interface AnomalyInfo {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly why: string;
  readonly advice: string;
  readonly observed: number | null;
  readonly threshold: number | null;
  readonly example: number | null;
  readonly layer: number | null;
  readonly head: number | null;
  readonly query: number | null;
  readonly key: number | null;
  readonly headsAffected: number;
  readonly headsChecked: number;
}

export interface CheckInfo {
  readonly rule: string;
  readonly state: CheckState;
  readonly reason: string;
}

export type Pool = "max" | "mean";

/** Keys that take most weight and mean nothing: "aside" drops the first real one and special tokens. */
export type Sinks = "aside" | "shown";

/** How thumbnails are made. */
export interface Look {
  readonly pool: Pool;
  readonly sinks: Sinks;
}

export const PLAIN_LOOK: Look = { pool: "max", sinks: "shown" };

export interface OverviewLayer {
  readonly layer: number;
  readonly label: string;
  /** The model's own numbers, in the order of `thumbs` and `statistics`. */
  readonly heads: readonly number[];
  readonly queries: number;
  readonly keys: number;
  /** [heads, statistics]; empty if there are none. */
  readonly statistics: Float32Array;
  /** Grouped-query attention; 0 = as many as heads. */
  readonly keyValueHeads: number;
  /** Heads of the model's layer, kept or not; 0 = not known. */
  readonly ofHeads: number;
  /** Sliding window: keys that a query sees, itself included (both ways if not causal); 0 = none is known. */
  readonly window: number;
  readonly thumbRows: number;
  readonly thumbCols: number;
  /** Keys and query rows (of those looked at) in one texel of a thumbnail; 1 = every weight is there. */
  readonly pooled: number;
  readonly pooledRows: number;
  /** Query positions that were looked at, ascending; empty = all. */
  readonly rows: readonly number[];
  /** Query rows and keys in one cell of what is stored: 1 = weights, 0 = nothing is. */
  readonly keptRows: number;
  readonly keptKeys: number;
  /** [heads, thumbRows, thumbCols], w = thumbPeak * (q / 255)^2; null when no map was stored. */
  readonly thumbs: Uint8Array | null;
  readonly thumbPeak: number;
  /** Per head: the largest q in its thumbnail. */
  readonly headPeaks: Uint8Array;
  /** Per head: 1 = has NaN or Inf. Same length as heads. */
  readonly notFinite: Uint8Array;
  /** Keys that are not in the thumbnails, ascending; what is left of each row was divided by its sum. */
  readonly aside: readonly number[];
  /** Per head: their share of the weight, mean over real rows, NaN where there is none. Empty without them. */
  readonly asideMass: Float32Array;
}

/** A layer of a hybrid model that mixes tokens without attention. */
export interface LayerWithoutMap {
  readonly layer: number;
  /** Its path in the model, and the class of what it has in the place of attention; may be empty. */
  readonly label: string;
  readonly mixer: string;
  /** Linear in the length of the text. */
  readonly linear: boolean;
}

/** Everything about one map except the full weights. */
export interface Overview {
  readonly ref: MapRef;
  /** How the thumbnails were asked for. */
  readonly pool: Pool;
  readonly sinks: Sinks;
  /** One sentence; then the lists are empty. */
  readonly error: string | null;
  readonly step: number;
  readonly mapState: MapState;
  readonly layers: readonly OverviewLayer[];
  readonly statisticNames: readonly string[];
  readonly queryTokens: TokenList | null;
  readonly keyTokens: TokenList | null;
  /** One byte per position, 1 = real; null = all real. */
  readonly queryMask: Uint8Array | null;
  readonly keyMask: Uint8Array | null;
  readonly checks: readonly CheckInfo[];
  readonly anomalies: readonly AnomalyInfo[];
  readonly reduction: string;
  /** null = the user did not say. */
  readonly causal: boolean | null;
  readonly batch: number;
  readonly withoutMap: readonly LayerWithoutMap[];
  /** Decoding with a cache: the rows of so many earlier records stand above its own; 0 = it is no such. */
  readonly continued: number;
  /** Why some of those rows are missing, one sentence; or "". */
  readonly gap: string;
  /** They may be there when the same is asked again. */
  readonly mayPass?: true;
}

export interface LayerDistanceInfo {
  readonly layer: number;
  readonly heads: readonly number[];
  /** Jensen-Shannon distance per head, 0 to 1. */
  readonly distance: readonly number[];
  /** Below this the codec alone could have made the difference. */
  readonly floor: number;
}

export interface ComparisonInfo {
  readonly a: MapRef;
  readonly b: MapRef;
  readonly error: string | null;
  readonly layers: readonly LayerDistanceInfo[];
}

export interface OverviewAnswer {
  /** One per ref asked for, in order. */
  readonly overviews: readonly Overview[];
  /** One per pair asked for, in order. */
  readonly comparisons: readonly ComparisonInfo[];
}

/** All that is stored of one head: its weights, or the largest or mean ones of blocks. */
export interface HeadMap extends HeadRef {
  readonly ref: MapRef;
  /** One sentence; then `values` is empty. */
  readonly error: string | null;
  /** What the rows and columns of `values` stand for. */
  readonly queryAxis: TokenAxis;
  readonly keyAxis: TokenAxis;
  /** [rows, columns] */
  readonly values: Float32Array;
  /** What a block's value is; null where each cell is one weight. */
  readonly pool: Pool | null;
  /** Norms of the value vectors, [keys]; null if they were not logged. */
  readonly valueNorms: Float32Array | null;
  readonly codec: Codec;
  /** Stored with 8 bits: small differences may come from the codec alone. */
  readonly quantised: boolean;
  /** The same without the keys at `positions`, where it was asked for with them set aside. */
  readonly ready?: { readonly positions: readonly number[]; readonly rest: Rest };
  /** Rows are missing that may be there when the same is asked again. */
  readonly mayPass?: true;
}

export interface AttributionStepInfo {
  readonly step: number;
  readonly ordinal: number;
  readonly method: string;
  readonly rule: string;
  readonly quadratureSteps: number;
  readonly baseline: string;
  readonly target: string;
  readonly output: number | null;
  readonly baselineOutput: number | null;
  readonly delta: number | null;
  /** Signed and raw, one per token. */
  readonly scores: Float32Array;
  readonly tokens: TokenList | null;
}

export interface AttributionsData {
  readonly error: string | null;
  readonly steps: readonly AttributionStepInfo[];
}

export interface AnomalyGroupInfo {
  readonly run: string;
  readonly series: string;
  readonly name: string;
  readonly kind: Kind;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly steps: readonly number[];
  readonly ordinals: readonly number[];
  readonly first: AnomalyInfo;
  readonly worst: AnomalyInfo;
  readonly worstOrdinal: number;
}

export interface ScalarsData {
  readonly tags: readonly string[];
  readonly tag: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}
