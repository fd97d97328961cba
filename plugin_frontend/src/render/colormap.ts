// Colour maps of 256 steps, built in OKLab so that equal steps of weight look like equal steps.
// Sequential: from the ground to a deep (light page) or a bright (dark page) colour. Diverging: blue is
// "less", orange "more", the pair that every common form of colour blindness tells apart.
import { clamp } from "../base/numbers";
import type { ColourScale, Companding } from "./types";

/** rgb bytes, 256 x 3. */
export type ColourMap = Uint8Array;

/** OKLCH: lightness 0..1, chroma, hue in degrees. */
type Lch = readonly [number, number, number];
type Lab = readonly [number, number, number];
type Rgb = readonly [number, number, number];

export const steps = 256;

function gamma(linear: number): number {
  const value = clamp(linear, 0, 1);
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}

function ungamma(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function oklabToRgb(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** OKLab lightness, a and b of rgb bytes: equal distances look alike, about 0.02 can just be seen. */
export function oklabOf(red: number, green: number, blue: number): Lab {
  const [r, g, b] = [ungamma(red / 255), ungamma(green / 255), ungamma(blue / 255)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function inGamut(rgb: Rgb): boolean {
  return rgb.every((value) => value >= -1e-4 && value <= 1.0001);
}

/** The nearest colour of the same lightness and hue that a screen can show. */
function toBytes(lightness: number, a: number, b: number): Rgb {
  let kept = 1;
  let rgb = oklabToRgb(lightness, a, b);
  while (!inGamut(rgb) && kept > 0) {
    kept = Math.max(0, kept - 0.02);
    rgb = oklabToRgb(lightness, kept * a, kept * b);
  }
  return [byte(rgb[0]), byte(rgb[1]), byte(rgb[2])];
}

function chromaticity([, chroma, hue]: Lch): readonly [number, number] {
  const angle = (hue * Math.PI) / 180;
  return [chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

function byte(linear: number): number {
  return Math.round(255 * gamma(linear));
}

/** `stops` stand at even distances; lightness is linear between the first and the last. */
function ramp(stops: readonly Lch[], size: number): number[] {
  const first = stops[0] ?? [0, 0, 0];
  const last = stops[stops.length - 1] ?? first;
  const out: number[] = [];
  for (let i = 0; i < size; i += 1) {
    const t = size === 1 ? 0 : i / (size - 1);
    const place = t * (stops.length - 1);
    const from = stops[Math.floor(place)] ?? first;
    const to = stops[Math.min(stops.length - 1, Math.floor(place) + 1)] ?? last;
    const part = place - Math.floor(place);
    const [a0, b0] = chromaticity(from);
    const [a1, b1] = chromaticity(to);
    out.push(...toBytes(mix(first[0], last[0], t), mix(a0, a1, part), mix(b0, b1, part)));
  }
  return out;
}

function mix(from: number, to: number, part: number): number {
  return from + (to - from) * part;
}

function buildSequential(dark: boolean): ColourMap {
  const stops: readonly Lch[] = dark
    ? [[0.232, 0.008, 265], [0, 0.13, 275], [0, 0.14, 230], [0, 0.15, 170], [0.95, 0.12, 105]]
    : [[1, 0, 200], [0, 0.07, 205], [0, 0.11, 235], [0, 0.15, 268], [0.22, 0.1, 290]];
  return Uint8Array.from(ramp(stops, steps));
}

function buildDiverging(dark: boolean): ColourMap {
  const middle: Lch = dark ? [0.232, 0.008, 265] : [1, 0, 265];
  const end = dark ? 0.82 : 0.46;
  const less = ramp([middle, [0, 0.11, 252], [end, 0.17, 255]], 128);
  const more = ramp([middle, [0, 0.11, 58], [end, 0.17, 48]], 128);
  const out = new Uint8Array(steps * 3);
  for (let i = 0; i < 128; i += 1) {
    out.set(less.slice(3 * i, 3 * i + 3), 3 * (127 - i));
    out.set(more.slice(3 * i, 3 * i + 3), 3 * (128 + i));
  }
  return out;
}

const built = new Map<string, ColourMap>();

function once(name: string, build: () => ColourMap): ColourMap {
  const known = built.get(name) ?? build();
  built.set(name, known);
  return known;
}

export function sequential(dark: boolean): ColourMap {
  return once(`sequential ${dark}`, () => buildSequential(dark));
}

export function diverging(dark: boolean): ColourMap {
  return once(`diverging ${dark}`, () => buildDiverging(dark));
}

export function colourIndex(unit: number): number {
  return Math.round(clamp(unit, 0, 1) * (steps - 1));
}

export function cssColour(map: ColourMap, unit: number): string {
  const at = 3 * colourIndex(unit);
  return `rgb(${map[at] ?? 0} ${map[at + 1] ?? 0} ${map[at + 2] ?? 0})`;
}

/** For colour bars, from 0 at the left (or the given side) to 1. */
export function cssGradient(map: ColourMap, direction = "to right"): string {
  const stops = Array.from({ length: 17 }, (_, i) => cssColour(map, i / 16));
  return `linear-gradient(${direction}, ${stops.join(", ")})`;
}

/** Text that can be read on the colour at `unit`: dark on light and light on dark. */
export function readableOn(map: ColourMap, unit: number): string {
  const at = 3 * colourIndex(unit);
  return oklabOf(map[at] ?? 0, map[at + 1] ?? 0, map[at + 2] ?? 0)[0] > 0.62 ? "#111418" : "#ffffff";
}

function compand(share: number, companding: Companding): number {
  const bounded = clamp(share, 0, 1);
  return companding === "sqrt" ? Math.sqrt(bounded) : bounded;
}

/** Place of a weight on the sequential map, 0 to 1; `peak` is the weight at its end before exposure. */
export function weightToUnit(weight: number, peak: number, scale: ColourScale): number {
  return peak > 0 ? compand((weight * scale.exposure) / peak, scale.companding) : 0;
}

/** Place of a difference on the diverging map: 0.5 is "the same". */
export function differenceToUnit(difference: number, scale: ColourScale): number {
  if (scale.differenceLimit <= 0) return 0.5;
  const share = compand((Math.abs(difference) * scale.exposure) / scale.differenceLimit, scale.companding);
  return 0.5 + 0.5 * Math.sign(difference) * share;
}

/** The weight shown at a place of the sequential map: for the ticks of a colour bar. */
export function unitToWeight(unit: number, peak: number, scale: ColourScale): number {
  const share = scale.companding === "sqrt" ? unit * unit : unit;
  return (share * peak) / scale.exposure;
}

export function unitToDifference(unit: number, scale: ColourScale): number {
  const side = 2 * unit - 1;
  const share = scale.companding === "sqrt" ? side * Math.abs(side) : side;
  return (share * scale.differenceLimit) / scale.exposure;
}
