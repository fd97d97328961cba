// What the drawing classes are told.
import type { TokenAxis } from "../base/axis";
import type { ComparisonInfo, HeadRef, Overview, Pool, TokenList } from "../data/types";

/** "head": each thumbnail up to its own largest weight. "absolute": up to 1, the same everywhere. */
export type Normalisation = "head" | "absolute";

/** How weights become brightness: "sqrt" shows faint weights, "linear" is proportional. */
export type Companding = "sqrt" | "linear";

export interface ColourScale {
  readonly companding: Companding;
  /** 1 = as is; 4 = a weight of a quarter of the peak is already fully coloured. */
  readonly exposure: number;
  /** Differences run from -limit to +limit. Lock one number for every view. */
  readonly differenceLimit: number;
}

export type GridMode = "A" | "B" | "diff";

export interface GridData {
  readonly a: Overview | null;
  readonly b: Overview | null;
  /** Frames and "not distinguishable" hatching; null = neither. */
  readonly comparison: ComparisonInfo | null;
}

export interface GridOptions extends ColourScale {
  readonly mode: GridMode;
  readonly normalisation: Normalisation;
  readonly dark: boolean;
  readonly hovered: HeadRef | null;
  readonly locked: HeadRef | null;
}

export interface GridEvents {
  readonly hover: (head: HeadRef | null) => void;
  readonly select: (head: HeadRef) => void;
  /** The height at which the grid would fill the host's width has changed. */
  readonly height?: (pixels: number) => void;
}

export interface Cell {
  readonly query: number;
  readonly key: number;
}

/** Either may be null: a row without a column is a hovered token on the axis. */
export interface CellMark {
  readonly query: number | null;
  readonly key: number | null;
}

export interface FocusData {
  /** Rows and columns of the picture: tokens, or blocks of tokens. */
  readonly queries: number;
  readonly keys: number;
  /** What a row and a column stand for. */
  readonly queryAxis: TokenAxis;
  readonly keyAxis: TokenAxis;
  /** [queries, keys]: weights, or the difference B-A when `signed`. */
  readonly values: Float32Array;
  readonly signed: boolean;
  /** What the value of a block is; null where each cell is one weight. */
  readonly pool: Pool | null;
  /** By position in the text. */
  readonly queryTokens: TokenList | null;
  readonly keyTokens: TokenList | null;
  /** Norms of the value vectors by position; null if they were not logged. */
  readonly valueNorms: Float32Array | null;
  /** By row: 0 = padding, which is left blank: it looks anywhere, and means nothing. */
  readonly queryMask: Uint8Array | null;
  /** By column. */
  readonly keyMask: Uint8Array | null;
  /** Causal: how many positions further than its own a query may see; null where it sees all. */
  readonly diagonal: number | null;
}

export interface FocusOptions extends ColourScale {
  readonly normalisation: Normalisation;
  readonly dark: boolean;
  readonly hovered: CellMark | null;
  readonly locked: CellMark | null;
  /** Titles of the axes, from the application's table of strings; "" = none. */
  readonly queryTitle: string;
  readonly keyTitle: string;
}

export interface FocusEvents {
  readonly hover: (cell: CellMark | null) => void;
  readonly select: (cell: CellMark) => void;
  /** Pan or zoom changed what is seen, in cells. */
  readonly view?: (view: FocusView) => void;
  /** The height at which the whole map would fill the host's width has changed. */
  readonly height?: (pixels: number) => void;
}

/** The part of the map in sight, in cells (fractions allowed). */
export interface FocusView {
  readonly key: number;
  readonly query: number;
  readonly keys: number;
  readonly queries: number;
}
