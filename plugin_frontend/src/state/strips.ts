// Attribution strips: how raw signed scores become colours, and how complete they are.
import { leastAndMost } from "../base/numbers";
import type { TokenList } from "../data/types";
import type { Shade } from "../exports/figure_strips";
import type { NormName } from "./selection";

/** The largest finite magnitude; 0 when there is none. */
export function peakOf(scores: ArrayLike<number>): number {
  let peak = 0;
  for (let i = 0; i < scores.length; i++) {
    const size = Math.abs(scores[i] ?? 0);
    if (Number.isFinite(size) && size > peak) peak = size;
  }
  return peak;
}

/** What each strip is divided by: its own peak, or the peak over all strips. */
export function scalesOf(strips: readonly ArrayLike<number>[], norm: NormName): number[] {
  const peaks = strips.map(peakOf);
  const all = Math.max(0, leastAndMost(peaks)[1]);
  return norm === "all" ? peaks.map(() => all) : peaks;
}

/** A stretch of tokens drawn as one: padding, which says the same many times. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
  /** Sum of the scores. */
  readonly score: number;
}

const FOLDED = 3;

type Tokens = Pick<TokenList, "text" | "special">;

/**
 * Tokens one by one, except that three or more equal ones in a row are folded where they are special
 * tokens or all score exactly 0. A score that is no number is never folded away.
 */
export function stretches(tokens: Tokens | null, scores: ArrayLike<number>, fold = true): Stretch[] {
  const found: Stretch[] = [];
  let start = 0;
  while (start < scores.length) {
    const length = fold && tokens !== null ? repeats(tokens, scores, start) : 1;
    const end = start + (length < FOLDED ? 1 : length);
    let score = 0;
    for (let i = start; i < end; i++) score += scores[i] ?? NaN;
    found.push({ start, length: end - start, score });
    start = end;
  }
  return found;
}

/** How many tokens from `start` on say the same and may stand as one. */
function repeats({ text, special }: Tokens, scores: ArrayLike<number>, start: number): number {
  const isSpecial = special[start] === 1;
  let end = start;
  while (end < scores.length && text[end] === text[start]) {
    const score = scores[end] ?? NaN;
    if (isSpecial ? !Number.isFinite(score) : score !== 0) break;
    end += 1;
  }
  return end - start;
}

export interface Completeness {
  /** |delta| / |F(x) - F(b)|; undefined when the outputs were not logged or equal. */
  readonly ofOutput: number | undefined;
  /** |delta| / sum |score|. */
  readonly ofScores: number | undefined;
  readonly verdict: "good" | "fair" | "poor";
}

const GOOD = 0.05;
const FAIR = 0.2;

/** How far the scores are from adding up to what they explain; undefined when delta was not logged. */
export function completeness(
  scores: ArrayLike<number>,
  delta: number | null,
  output: number | null,
  baselineOutput: number | null,
): Completeness | undefined {
  if (delta === null || !Number.isFinite(delta)) return undefined;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.abs(scores[i] ?? 0);
  const difference = output !== null && baselineOutput !== null ? Math.abs(output - baselineOutput) : 0;
  const ofOutput = difference > 0 ? Math.abs(delta) / difference : undefined;
  const ofScores = sum > 0 ? Math.abs(delta) / sum : undefined;
  const worst = ofOutput ?? ofScores ?? (delta === 0 ? 0 : Infinity);
  return { ofOutput, ofScores, verdict: worst <= GOOD ? "good" : worst <= FAIR ? "fair" : "poor" };
}

/**
 * The diverging colour of a score: blue below zero, orange above, null = nothing. Even the fullest leaves the
 * text on it readable (4.5 : 1).
 */
export function scoreInk(score: number, scale: number, dark: boolean): Shade | null {
  if (!Number.isFinite(score) || scale <= 0) return null;
  const share = Math.min(1, Math.abs(score) / scale);
  const rgb = score > 0 ? (dark ? ([180, 85, 10] as const) : ([217, 95, 2] as const)) : dark ? ([60, 110, 200] as const) : ([33, 102, 172] as const);
  return { rgb, opacity: share * (dark ? 0.85 : 0.7) };
}

/** The same as a CSS colour. */
export function scoreColour(score: number, scale: number, dark: boolean): string {
  const ink = scoreInk(score, scale, dark);
  return ink === null ? "transparent" : `rgb(${ink.rgb.join(" ")} / ${ink.opacity.toFixed(3)})`;
}
