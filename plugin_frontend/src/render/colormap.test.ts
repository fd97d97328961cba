import { describe, expect, it } from "vitest";
import {
  colourIndex,
  cssColour,
  differenceToUnit,
  diverging,
  oklabOf,
  sequential,
  unitToDifference,
  unitToWeight,
  weightToUnit,
  type ColourMap,
} from "./colormap";
import { renderTheme } from "./theme";

function lightness(map: ColourMap): number[] {
  return Array.from({ length: 256 }, (_, i) => oklabOf(map[3 * i]!, map[3 * i + 1]!, map[3 * i + 2]!)[0]);
}

function differences(values: number[]): number[] {
  return values.slice(1).map((value, i) => value - values[i]!);
}

/** What eyes without one kind of cone see of linear rgb: Machado, Oliveira and Fernandes (2009), severity 1. */
const EYES: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  all: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

function seen(map: ColourMap, at: number, eye: (typeof EYES)[string]): readonly [number, number, number] {
  const linear = [0, 1, 2].map((i) => {
    const value = map[3 * at + i]! / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [red, green, blue] = eye.map((row) => {
    const value = Math.min(1, Math.max(0, row.reduce((sum, weight, i) => sum + weight * linear[i]!, 0)));
    return 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
  });
  return oklabOf(red!, green!, blue!);
}

function distance(one: readonly number[], other: readonly number[]): number {
  return Math.hypot(...one.map((value, i) => value - other[i]!));
}

const scale = { companding: "sqrt", exposure: 2, differenceLimit: 0.5 } as const;

describe.each([false, true])("maps, dark = %s", (dark) => {
  it("sequential: lightness goes one way in even steps", () => {
    const change = differences(lightness(sequential(dark))).map((step) => (dark ? step : -step));
    const mean = change.reduce((sum, step) => sum + step, 0) / change.length;
    expect(Math.min(...change)).toBeGreaterThan(0);
    // Rounding to bytes alone moves a step by about 0.003.
    expect(Math.max(...change.map((step) => Math.abs(step - mean)))).toBeLessThan(0.004);
  });

  it("diverging: lightness is even and the same on both sides", () => {
    const values = lightness(diverging(dark));
    const upper = differences(values.slice(128)).map((step) => (dark ? step : -step));
    expect(Math.min(...upper)).toBeGreaterThan(-0.001);
    for (let i = 0; i < 128; i += 1) expect(values[127 - i]!).toBeCloseTo(values[128 + i]!, 1.9);
  });

  it.each(Object.entries(EYES))("diverging: less and more can be told apart, %s", (_, eye) => {
    const map = diverging(dark);
    // A quarter, half and all of the way to the ends; 0.02 can just be seen.
    for (const [i, least] of [[32, 0.08], [64, 0.12], [127, 0.16]] as const) {
      expect(distance(seen(map, 127 - i, eye), seen(map, 128 + i, eye))).toBeGreaterThan(least);
    }
  });

  it.each(Object.entries(EYES))("sequential: more is never taken for less, %s", (_, eye) => {
    const map = sequential(dark);
    const values = Array.from({ length: 16 }, (_value, i) => seen(map, 17 * i, eye)[0]);
    expect(Math.min(...differences(values).map((step) => (dark ? step : -step)))).toBeGreaterThan(0.02);
  });

  it("begins at the ground, so that no weight looks like nothing", () => {
    const ground = renderTheme(dark).ground;
    const bytes = [1, 3, 5].map((at) => parseInt(ground.slice(at, at + 2), 16));
    for (let i = 0; i < 3; i += 1) {
      expect(Math.abs(sequential(dark)[i]! - bytes[i]!)).toBeLessThanOrEqual(5);
      expect(Math.abs(diverging(dark)[3 * 128 + i]! - bytes[i]!)).toBeLessThanOrEqual(5);
    }
  });
});

describe("scales", () => {
  it.each([0, 0.01, 0.2, 0.5])("the weight %d comes back from its place", (weight) => {
    expect(unitToWeight(weightToUnit(weight, 1, scale), 1, scale)).toBeCloseTo(weight);
  });

  it.each([-0.25, -0.01, 0, 0.1])("the difference %d comes back from its place", (difference) => {
    expect(unitToDifference(differenceToUnit(difference, scale), scale)).toBeCloseTo(difference);
  });

  it("bounds what is beyond the scale", () => {
    expect(weightToUnit(7, 1, scale)).toBe(1);
    expect(differenceToUnit(-7, scale)).toBe(0);
    expect(weightToUnit(1, 0, scale)).toBe(0);
    expect(differenceToUnit(1, { ...scale, differenceLimit: 0 })).toBe(0.5);
    expect(colourIndex(2)).toBe(255);
    expect(cssColour(sequential(false), 0)).toBe("rgb(255 255 255)");
  });
});
