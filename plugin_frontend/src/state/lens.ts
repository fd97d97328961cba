// How heads are looked at, as its part of the selection and of the URL.
import type { Sinks } from "../data/types";

export const SINK_NAMES: readonly Sinks[] = ["aside", "shown"];

/** What stands beside the raw weights of the head in focus. */
export type LensName = "none" | "value" | "mean" | "rollout";
export const LENS_NAMES: readonly LensName[] = ["none", "value", "mean", "rollout"];

export interface LensState {
  readonly sinks: Sinks;
  /** Only the edges that make up this share of each row are drawn, in percent; 100 = all. */
  readonly mass: number;
  readonly lens: LensName;
}

export const DEFAULT_LENS: LensState = { sinks: "aside", mass: 100, lens: "none" };

export const LEAST_MASS = 1;

/** `sinks=shown;mass=90`, default values left out; null = all are. */
export function writeLens(state: LensState): string | null {
  const names = Object.keys(DEFAULT_LENS) as (keyof LensState)[];
  const parts = names.filter((name) => state[name] !== DEFAULT_LENS[name]).map((name) => `${name}=${state[name]}`);
  return parts.length === 0 ? null : parts.join(";");
}

export function readLens(text: string): LensState {
  const given = new Map(text.slice(0, 256).split(";").map((part) => [part.split("=")[0] ?? "", part.split("=")[1] ?? ""]));
  const mass = given.get("mass") ?? "";
  const percent = /^\d{1,3}$/.test(mass) ? Number(mass) : DEFAULT_LENS.mass;
  return {
    sinks: SINK_NAMES.find((name) => name === given.get("sinks")) ?? DEFAULT_LENS.sinks,
    mass: percent >= LEAST_MASS && percent <= 100 ? percent : DEFAULT_LENS.mass,
    lens: LENS_NAMES.find((name) => name === given.get("lens")) ?? DEFAULT_LENS.lens,
  };
}
