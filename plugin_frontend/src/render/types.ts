// What the drawing classes are told.
import type { TokenAxis } from "../base/axis";
import type { Extent } from "./grid_layout";
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
  /** Of a map that grows: the size that it is drawn as a part of, so that it keeps its place. */
  readonly extent?: Extent | null;
  /** What is written in the rows of layers without a map, from the application's table of strings. */
  readonly withoutMap?: { readonly linear: string; readonly other: string };
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

export interface AsideBars {
  /** Positions in the text, ascending. */
  readonly positions: readonly number[];
  /** [rows], their share of each row, or its change; NaN where a fault makes it unknown. null: not known yet. */
  readonly mass: Float32Array | null;
}

export interface DrawnEdges {
  /** The edges that make up so many percent of each row are drawn. */
  readonly percent: number;
  /** [rows], how many those are. */
  readonly counts: Uint32Array;
  /** [rows, columns], the values of all edges. */
  readonly all: Float32Array;
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
  /** Keys that were set aside; null where all are there. */
  readonly aside: AsideBars | null;
  /** Which edges are drawn; null where all are. */
  readonly edges: DrawnEdges | null;
  /** Causal: how many positions further than its own a query may see; null where it sees all. */
  readonly diagonal: number | null;
  /** Sliding window: keys that a query sees, itself included, both ways if it sees all; 0 = none is known. */
  readonly window?: number;
  /** Of a map that grows: the size that it is drawn as a part of. */
  readonly extent?: Extent | null;
}

export interface FocusOptions extends ColourScale {
  readonly normalisation: Normalisation;
  /** Of a difference: storing alone could have made all of it. */
  readonly belowFloor: boolean;
  readonly dark: boolean;
  readonly hovered: CellMark | null;
  readonly locked: CellMark | null;
  /** Titles of the axes, from the application's table of strings; "" = none. */
  readonly queryTitle: string;
  readonly keyTitle: string;
  readonly asideTitle: string;
  /** Pixels before and above the weights, at least: what stands beside takes as much. */
  readonly leastLeft: number;
  readonly leastTop: number;
}

export interface FocusEvents {
  readonly hover: (cell: CellMark | null) => void;
  readonly select: (cell: CellMark) => void;
  /** A reader's pan or zoom changed what is seen, in cells; null = all is. Other cells are seen whole again. */
  readonly view?: (view: FocusView | null) => void;
  /** The height at which the whole map would fill the host's width has changed. */
  readonly height?: (pixels: number) => void;
  /** What this map alone needs before and above the weights has changed. */
  readonly room?: (room: FocusRoom) => void;
}

export interface FocusRoom {
  readonly left: number;
  readonly top: number;
}

/** The part of the map in sight, in cells (fractions allowed). */
export interface FocusView {
  readonly key: number;
  readonly query: number;
  readonly keys: number;
  readonly queries: number;
}
