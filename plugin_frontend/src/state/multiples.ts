// Runs x steps: small maps of one head. Its part of the selection and of the URL, and what stands where.
import { MapState, type SeriesInfo } from "../data/types";
import type { HeadPicture } from "../data/multiples";

export interface MultiplesState {
  readonly on: boolean;
}

export const DEFAULT_MULTIPLES: MultiplesState = { on: false };

/** null = nothing differs from the default. */
export const writeMultiples = ({ on }: MultiplesState): string | null => (on ? "on" : null);

export const readMultiples = (text: string): MultiplesState => ({ on: text === "on" });

/** What a run has at a step. */
export type CellState =
  | "absent" // nothing was logged
  | "dropped"
  | "statistics"
  | "waiting"
  | "failed"
  | "picture"
  /** A difference was asked for that would not be learning: other inputs or another size than A. */
  | "incomparable";

/** What the index says of a record before its picture is here. */
export function stateOfRecord(series: SeriesInfo, ordinal: number | undefined): CellState {
  if (ordinal === undefined) return "absent";
  const state = series.mapStates[ordinal] ?? MapState.NO_MAP;
  if (state === MapState.DROPPED) return "dropped";
  return state === MapState.FULL || state === MapState.REDUCED ? "waiting" : "statistics";
}

/** Why B-A of two pictures would mean nothing; null when it means something. */
export function differs(a: HeadPicture, b: HeadPicture): "input" | "size" | "sinks" | null {
  if (a.input !== b.input) return "input";
  // Of nameless texts of other lengths, what is left without padding may be of one size.
  if (a.input === "" && JSON.stringify(a.padding) !== JSON.stringify(b.padding)) return "size";
  const same = a.rows === b.rows && a.cols === b.cols && a.pooledRows === b.pooledRows && a.pooledKeys === b.pooledKeys;
  if (!same) return "size";
  return a.aside.join() === b.aside.join() ? null : "sinks";
}

/** Largest |B-A| of two pictures of one size. */
export function largestChange(a: HeadPicture, b: HeadPicture): number {
  if (a.codes === null || b.codes === null) return 0;
  const [ofA, ofB] = [levels(a.peak), levels(b.peak)];
  let largest = 0;
  for (let i = 0; i < b.codes.length; i += 1) {
    const change = Math.abs((ofB[b.codes[i] ?? 0] ?? 0) - (ofA[a.codes[i] ?? 0] ?? 0));
    if (change > largest) largest = change;
  }
  return largest;
}

/** By B, then A: what is in sight is asked for at every frame. */
const below = new WeakMap<HeadPicture, WeakMap<HeadPicture, boolean>>();

/**
 * Whether storing alone could have made all of B-A: no texel differs by more than one level of either picture. A map
 * of u8 that was made into a picture was rounded twice, by half a level each time.
 */
export function belowFloor(a: HeadPicture, b: HeadPicture): boolean {
  const known = below.get(b) ?? new WeakMap<HeadPicture, boolean>();
  below.set(b, known);
  const found = known.get(a) ?? withinLevels(a, b);
  known.set(a, found);
  return found;
}

function withinLevels(a: HeadPicture, b: HeadPicture): boolean {
  const [codesA, codesB] = [a.codes, b.codes];
  if (codesA === null || codesB === null || a.notFinite || b.notFinite) return false;
  const [ofA, ofB] = [levels(a.peak), levels(b.peak)];
  const [floorA, floorB] = [levelSteps(a.peak), levelSteps(b.peak)];
  return codesB.every((codeB, i) => {
    const codeA = codesA[i] ?? 0;
    return Math.abs((ofB[codeB] ?? 0) - (ofA[codeA] ?? 0)) <= (floorA[codeA] ?? 0) + (floorB[codeB] ?? 0);
  });
}

/** How far apart the levels are at each code. */
function levelSteps(peak: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => (peak * Math.max(2 * code, 0.5)) / 255 ** 2);
}

/** The weight of each code. */
export function levels(peak: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => peak * (code / 255) ** 2);
}

/** Records that one request asks for: such blocks begin at multiples of this, so that they are asked for alike. */
export const BLOCK = 16;

export interface Block {
  readonly from: number;
  readonly to: number;
}

/** Where the block of a record ends. */
export const blockEnd = (ordinal: number, count: number): number => Math.min(count, (Math.floor(ordinal / BLOCK) + 1) * BLOCK);

/** The blocks that hold what is missing of `wanted`, in the order in which it is wanted. */
export function blocksOf(wanted: readonly number[], count: number, has: (ordinal: number) => boolean): Block[] {
  const blocks = new Set(wanted.filter((ordinal) => !has(ordinal)).map((ordinal) => Math.floor(ordinal / BLOCK)));
  return [...blocks].map((block) => {
    const to = blockEnd(block * BLOCK, count);
    // What comes before may have come already: an answer may hold only the first few of a block.
    let from = block * BLOCK;
    while (from < to && has(from)) from += 1;
    return { from, to };
  });
}
