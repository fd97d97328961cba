// How one row of attention comes about, step by step, from the vectors: Vaswani et al., "Attention Is All You
// Need" (2017), section 3.2.1. Pure arithmetic in double precision.
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";
import type { RowVectors } from "./vectors";

/** In their order; cap and bias only where the model has them. */
export const STEP_NAMES = ["product", "scale", "cap", "bias", "mask", "softmax", "output"] as const;
export type StepName = (typeof STEP_NAMES)[number];

export interface AttentionSteps {
  readonly names: readonly StepName[];
  /** q · k, one per key, as are the next six. */
  readonly products: Float64Array;
  readonly scaled: Float64Array;
  /** null: the model caps nothing. */
  readonly capped: Float64Array | null;
  /** null: the model adds nothing. */
  readonly biased: Float64Array | null;
  /** With minus infinity where the query may not look. */
  readonly logits: Float64Array;
  /** exp(logit - largest) */
  readonly powers: Float64Array;
  readonly weights: Float64Array;
  /** Of the logits and the sink: subtracted before exp, so that nothing overflows. */
  readonly largest: number;
  /** Of the powers, the sink's included. */
  readonly sum: number;
  /** exp(sink - largest); 0 without a sink. */
  readonly sinkPower: number;
  /** |weight v|, one per key. */
  readonly contributions: Float64Array;
  /** [value size] */
  readonly output: Float64Array;
  /** Every key is masked: softmax has nothing to share out. */
  readonly blind: boolean;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>, at: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[at + i] ?? 0);
  return sum;
}

export function stepNames({ softcap, bias }: Pick<RowVectors, "softcap" | "bias">): StepName[] {
  return STEP_NAMES.filter((name) => (name === "cap" ? softcap !== 0 : name === "bias" ? bias !== null : true));
}

interface Softmax {
  readonly powers: Float64Array;
  readonly weights: Float64Array;
  readonly largest: number;
  readonly sum: number;
  readonly sinkPower: number;
}

function softmax(logits: Float64Array, sink: number | null): Softmax {
  let largest = sink ?? -Infinity;
  // A NaN makes the whole row NaN, as it does in the model.
  for (const logit of logits) largest = Number.isNaN(logit) ? NaN : Math.max(largest, logit);
  const from = largest === -Infinity ? 0 : largest;
  const powers = logits.map((logit) => Math.exp(logit - from));
  const sinkPower = sink === null ? 0 : Math.exp(sink - from);
  const sum = powers.reduce((total, power) => total + power, sinkPower);
  return { powers, weights: powers.map((power) => (sum === 0 ? 0 : power / sum)), largest, sum, sinkPower };
}

export function attentionSteps(vectors: RowVectors): AttentionSteps {
  const { keys, size, valueSize, q, k, v, scale, softcap, bias, masked, sink } = vectors;
  const products = Float64Array.from({ length: keys }, (_, key) => dot(q, k, key * size));
  const scaled = products.map((product) => product * scale);
  const capped = softcap === 0 ? null : scaled.map((value) => softcap * Math.tanh(value / softcap));
  const biased = bias === null ? null : (capped ?? scaled).map((value, key) => value + (bias[key] ?? 0));
  const logits = (biased ?? capped ?? scaled).map((value, key) => (masked?.[key] === 1 ? -Infinity : value));
  const shared = softmax(logits, sink);
  const output = new Float64Array(valueSize);
  const contributions = new Float64Array(keys);
  shared.weights.forEach((weight, key) => {
    let square = 0;
    for (let i = 0; i < valueSize; i += 1) {
      const part = weight * (v[key * valueSize + i] ?? 0);
      output[i] = (output[i] ?? 0) + part;
      square += part * part;
    }
    contributions[key] = Math.sqrt(square);
  });
  const blind = keys > 0 && logits.every((logit) => logit === -Infinity);
  return { names: stepNames(vectors), products, scaled, capped, biased, logits, ...shared, contributions, output, blind };
}

/** The numbers that a step makes, one per key. */
export function numbersOf(steps: AttentionSteps, name: StepName): Float64Array {
  switch (name) {
    case "product":
      return steps.products;
    case "scale":
      return steps.scaled;
    case "cap":
      return steps.capped ?? steps.scaled;
    case "bias":
      return steps.biased ?? steps.scaled;
    case "mask":
      return steps.logits;
    case "softmax":
      return steps.weights;
    case "output":
      return steps.contributions;
  }
}

export interface Term {
  readonly dimension: number;
  readonly left: number;
  readonly right: number;
  readonly product: number;
}

/** The products q_i k_i of one key, the largest first, and the sum of those left out. */
export function largestTerms({ q, k, size }: RowVectors, key: number, count: number): { readonly terms: readonly Term[]; readonly rest: number } {
  const all = Array.from(q, (left, dimension): Term => {
    const right = k[key * size + dimension] ?? 0;
    return { dimension, left, right, product: left * right };
  });
  all.sort((a, b) => Math.abs(b.product) - Math.abs(a.product) || a.dimension - b.dimension);
  const rest = all.slice(count).reduce((sum, { product }) => sum + product, 0);
  return { terms: all.slice(0, count), rest };
}

/** Both are computed in single precision at best, in another order. */
const arithmetic = 1e-5;

/** How far a stored weight may be from the one that was computed, for the rounding of what stores it alone. */
export function roundingOf(codec: number, weight: number, weights: Float32Array): number {
  if (codec === Codec.F16) return arithmetic + Math.max(weight * 2 ** -11, 2 ** -25);
  if (codec !== Codec.SQRT_U8) return arithmetic;
  // Levels are (q / 255)^2; then each row is made to sum to what it summed to, which moves all of it.
  const level = (w: number): number => Math.sqrt(Math.max(0, w)) / 255 + (0.5 / 255) ** 2;
  const moved = weights.reduce((sum, w) => sum + level(w), 0);
  return arithmetic + level(weight) + weight * moved;
}

export interface Agreement {
  /** The largest difference of a recomputed and a stored weight; NaN if one is not a number and the other is. */
  readonly difference: number;
  /** The key where it is. */
  readonly key: number;
  /** What rounding alone may come to there. */
  readonly rounding: number;
  /** Keys whose difference is more than rounding. */
  readonly beyond: number;
}

/** Holds the recomputed weights against the stored ones; null where none were stored. */
export function agreement(steps: AttentionSteps, { weights, codec }: RowVectors): Agreement | null {
  if (weights === null) return null;
  let found: Agreement = { difference: 0, key: 0, rounding: roundingOf(codec, 0, weights), beyond: 0 };
  let beyond = 0;
  for (let key = 0; key < weights.length; key += 1) {
    const [ours, theirs] = [steps.weights[key] ?? NaN, weights[key] ?? NaN];
    const bothNaN = Number.isNaN(ours) && Number.isNaN(theirs);
    const difference = bothNaN ? 0 : Math.abs(ours - theirs);
    const rounding = roundingOf(codec, Math.max(ours, theirs) || 0, weights);
    if (!(difference <= rounding)) beyond += 1;
    if (Number.isNaN(found.difference)) continue;
    if (!(difference <= found.difference)) found = { difference, key, rounding, beyond };
  }
  return { ...found, beyond };
}
