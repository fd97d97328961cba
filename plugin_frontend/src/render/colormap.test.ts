import { describe, expect, it } from "vitest";
import {
  colourIndex,
  cssColour,
  differenceToUnit,
  diverging,
  lightnessOf,
  sequential,
  unitToDifference,
  unitToWeight,
  weightToUnit,
  type ColourMap,
} from "./colormap";
import { renderTheme } from "./theme";

function lightness(map: ColourMap): number[] {
  return Array.from({ length: 256 }, (_, i) => lightnessOf(map[3 * i]!, map[3 * i + 1]!, map[3 * i + 2]!));
}

function differences(values: number[]): number[] {
  return values.slice(1).map((value, i) => value - values[i]!);
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

  it("diverging: the sides differ in blue against red, for every eye", () => {
    const map = diverging(dark);
    const [less, more] = [32, 223].map((i) => [map[3 * i]!, map[3 * i + 2]!]);
    expect(less![1]! - less![0]!).toBeGreaterThan(60);
    expect(more![0]! - more![1]!).toBeGreaterThan(60);
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
