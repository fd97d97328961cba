// Where the colour scale ends: at the largest value (exposure 1), or so many times below it. Pure.
import { clamp } from "../base/numbers";
import type { Companding } from "../render/types";

/** A thousandth of the largest value, and the scale is all noise. */
export const MOST_EXPOSURE = 1000;
/** One press of an arrow key: two of them halve the top of the scale. */
export const EXPOSURE_STEP = Math.SQRT2;

/** Three digits, so that links stay short. */
export function validExposure(exposure: number): number {
  return Number.isFinite(exposure) ? Number(clamp(exposure, 1, MOST_EXPOSURE).toPrecision(3)) : 1;
}

/** The exposure with which the weight now shown at a place of the bar ends the scale; beyond 1 the top rises again. */
export function exposedAt(place: number, exposure: number, companding: Companding): number {
  const bounded = Math.max(place, 1e-3);
  return validExposure(exposure / (companding === "sqrt" ? bounded * bounded : bounded));
}

/** How far from the middle of a bar that runs from less to more. */
export function fromMiddle(place: number): number {
  return Math.abs(2 * place - 1);
}

export function readExposure(text: string): number | undefined {
  if (!/^\d{1,4}(\.\d{1,2})?$/.test(text)) return undefined;
  const exposure = Number(text);
  return exposure >= 1 && exposure <= MOST_EXPOSURE ? exposure : undefined;
}

/** What a key does to the top of the scale; undefined: nothing. */
export function exposureByKey(key: string, exposure: number): number | undefined {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return validExposure(exposure * EXPOSURE_STEP);
    case "ArrowRight":
    case "ArrowUp":
      return validExposure(exposure / EXPOSURE_STEP);
    case "PageDown":
      return validExposure(exposure * 4);
    case "PageUp":
      return validExposure(exposure / 4);
    case "Home":
      return MOST_EXPOSURE;
    case "End":
      return 1;
    default:
      return undefined;
  }
}
