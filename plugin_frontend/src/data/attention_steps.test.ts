import { describe, expect, it } from "vitest";
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";
import { agreement, attentionSteps, largestTerms, numbersOf, roundingOf, stepNames } from "./attention_steps";
import type { RowVectors } from "./vectors";

const Q = [4.08, -5.11, 0.84, -1.14];
const K = [-0.91, -0.43, -4.04, -0.46, -1.73, 6.65, 0.45, -0.71, -0.56, -1.34, -2.11, -0.78, 0.96, -0.48, 1.92, -0.4, 0.05, 3.09, 1.09, -1.01];
const V = [-0.18, 0.54, 1.94, -0.27, -0.24, 1.0, -0.89, -0.29, 0.88, 0.58, 0.09, 0.67, -2.83, 1.02, -0.96];

function row(more: Partial<RowVectors> = {}): RowVectors {
  const plain: RowVectors = {
    keys: 5, size: 4, valueSize: 3,
    q: Float32Array.from(Q), k: Float32Array.from(K), v: Float32Array.from(V),
    scale: 0.5, scaleFitted: false, softcap: 0, sink: null, masked: null, bias: null, weights: null, codec: Codec.F32,
  };
  return { ...plain, ...more };
}

const everything = row({ softcap: 3, sink: 0.25, masked: Uint8Array.of(0, 0, 0, 1, 0), bias: Float32Array.of(0.5, -1, 0, 2, 1) });

function close(found: ArrayLike<number>, wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((value, i) => (Number.isFinite(value) ? expect(found[i]).toBeCloseTo(value, 9) : expect(found[i]).toBe(value)));
}

// The numbers are those of NumPy: tb_llmdebug.records.HeadVectors with the same q, k and v (see
// tests/records/test_vectors.py, which holds the same numbers against it).
describe("the steps", () => {
  it("equal NumPy's for the plain formula", () => {
    const steps = attentionSteps(row());
    close(steps.products, [-4.384699802685, -39.852501377463, 3.679400482154, 8.438399763143, -13.518900000608]);
    close(steps.scaled, [-2.1923499013425, -19.9262506887315, 1.839700241077, 4.2191998815715, -6.759450000304]);
    close(steps.weights, [0.001500998295, 3e-11, 0.0846208389, 0.913862570344, 1.5592431e-5]);
    close(steps.output, [0.454413423847, 0.058534035408, 0.689651243285]);
    expect(steps.largest).toBeCloseTo(4.2191998815715, 9);
    expect(steps.powers[3]).toBe(1);
    expect(steps.weights[3]).toBeCloseTo(1 / steps.sum, 12);
  });

  it("equal NumPy's with a soft cap, a bias, a mask and a sink", () => {
    const steps = attentionSteps(everything);
    close(steps.logits, [-1.370632992259, -3.99998979272, 1.639197529401, -Infinity, -1.934487824838]);
    close(steps.weights, [0.037062585426, 0.002673132969, 0.751776072246, 0, 0.021089033143]);
    close(steps.output, [-0.736155667302, -0.177131996247, 0.715892019444]);
    const given = steps.weights.reduce((sum, weight) => sum + weight, 0);
    expect(given + steps.sinkPower / steps.sum).toBeCloseTo(1, 12);
    expect(steps.contributions[3]).toBe(0);
  });

  it("are only those that the model has", () => {
    expect(stepNames(row())).toEqual(["product", "scale", "mask", "softmax", "output"]);
    expect(stepNames(everything)).toEqual(["product", "scale", "cap", "bias", "mask", "softmax", "output"]);
    for (const name of stepNames(everything)) expect(numbersOf(attentionSteps(everything), name)).toHaveLength(5);
  });

  it("say that a query which may look nowhere has no weights", () => {
    const steps = attentionSteps(row({ masked: new Uint8Array(5).fill(1) }));
    expect(steps.blind).toBe(true);
    close(steps.weights, [0, 0, 0, 0, 0]);
    close(steps.output, [0, 0, 0]);
    expect(attentionSteps(row()).blind).toBe(false);
  });

  it("do not overflow, and let a NaN show", () => {
    const large = attentionSteps(row({ scale: 1e4 }));
    close(large.weights, [0, 0, 0, 1, 0]);
    const k = Float32Array.from(K);
    k[0] = NaN;
    expect([...attentionSteps(row({ k })).weights].every(Number.isNaN)).toBe(true);
  });
});

describe("the products of one key", () => {
  it("come largest first, with the rest as one number", () => {
    const { terms, rest } = largestTerms(row(), 3, 2);
    expect(terms.map(({ dimension }) => dimension)).toEqual([0, 1]);
    expect(terms[0]?.product).toBeCloseTo(4.08 * 0.96, 5);
    const total = terms.reduce((sum, { product }) => sum + product, rest);
    expect(total).toBeCloseTo(8.438399763143, 9);
  });
});

describe("the stored weights", () => {
  const exact = attentionSteps(row());
  const stored = (change: (weights: Float32Array) => void = () => undefined): Float32Array => {
    const weights = Float32Array.from(exact.weights);
    change(weights);
    return weights;
  };

  it("agree within rounding", () => {
    const found = agreement(exact, row({ weights: stored() }));
    expect(found?.beyond).toBe(0);
    expect(found?.difference).toBeLessThan(1e-7);
  });

  it("are never said to agree when they do not", () => {
    const found = agreement(exact, row({ weights: stored((weights) => (weights[2] = 0.09)) }));
    expect(found).toMatchObject({ key: 2, beyond: 1 });
    expect(found?.difference).toBeCloseTo(0.09 - 0.0846208389, 6);
    const broken = agreement(exact, row({ weights: stored((weights) => (weights[1] = NaN)) }));
    expect(broken).toMatchObject({ key: 1, beyond: 1, difference: NaN });
  });

  it("are allowed what their codec rounds off, and no more", () => {
    const off = stored((weights) => (weights[3] = (weights[3] ?? 0) + 3e-4));
    expect(agreement(exact, row({ weights: off, codec: Codec.F16 }))?.beyond).toBe(0);
    expect(agreement(exact, row({ weights: off, codec: Codec.F32 }))?.beyond).toBe(1);
    expect(roundingOf(Codec.SQRT_U8, 0.25, off)).toBeGreaterThan(0.5 / 255);
    expect(roundingOf(Codec.SQRT_U8, 0.25, off)).toBeLessThan(0.02);
    const far = stored((weights) => (weights[3] = 0.85));
    expect(agreement(exact, row({ weights: far, codec: Codec.SQRT_U8 }))?.beyond).toBe(1);
  });

  it("may be missing", () => {
    expect(agreement(exact, row())).toBeNull();
  });
});
