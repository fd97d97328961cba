import { describe, expect, it } from "vitest";
import { attentionSteps } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import { barExtent, barOf, columnsOf } from "./columns";

const plain: RowVectors = {
  keys: 2, size: 1, valueSize: 1,
  q: Float32Array.of(1), k: Float32Array.of(2, -1), v: Float32Array.of(1, 3),
  scale: 1, scaleFitted: false, softcap: 0, sink: null, masked: null, bias: null, weights: null, codec: 0,
};

describe("the columns", () => {
  it("grow with the steps, and what is new is marked", () => {
    const steps = attentionSteps({ ...plain, softcap: 2, bias: Float32Array.of(0, 1) });
    const at = (name: Parameters<typeof columnsOf>[1]): string => columnsOf(steps, name).map(({ id, fresh }) => (fresh ? `${id}*` : id)).join(" ");
    expect(at("product")).toBe("product*");
    expect(at("cap")).toBe("product scale cap*");
    expect(at("mask")).toBe("product scale cap bias mask*");
    expect(at("softmax")).toBe("product scale mask power* weight*");
    expect(at("output")).toBe("product mask weight part*");
  });

  it("are without what the model does not do", () => {
    expect(columnsOf(attentionSteps(plain), "mask").map(({ id }) => id)).toEqual(["product", "scale", "mask"]);
  });
});

describe("the bars", () => {
  const extent = barExtent(Float64Array.of(-1, 3, NaN, -Infinity));

  it("share one scale with 0 in it", () => {
    expect(extent).toEqual({ low: -1, high: 3 });
    expect(barExtent(Float64Array.of(2, 4))).toEqual({ low: 0, high: 4 });
    expect(barOf(extent, 3)).toEqual({ start: 0.25, length: 0.75 });
    expect(barOf(extent, -1)).toEqual({ start: 0, length: 0.25 });
  });

  it("are not drawn for what has no length", () => {
    for (const value of [0, NaN, -Infinity]) expect(barOf(extent, value)).toBeNull();
    expect(barOf({ low: 0, high: 0 }, 0)).toBeNull();
  });
});
