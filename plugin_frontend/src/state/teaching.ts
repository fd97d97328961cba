// Which step of one row's attention is explained, as its part of the selection and of the URL.
import { STEP_NAMES, type StepName } from "../data/attention_steps";

export interface TeachingState {
  /** null: the panel is closed. */
  readonly step: StepName | null;
  /** Which of the panels side by side; null = that of the run in focus. */
  readonly place: number | null;
}

export const DEFAULT_TEACHING: TeachingState = { step: null, place: null };

/** `softmax`, or `softmax@1` for the second panel; null = closed. */
export function writeTeaching({ step, place }: TeachingState): string | null {
  if (step === null) return null;
  return place === null ? step : `${step}@${place}`;
}

export function readTeaching(text: string): TeachingState {
  const match = /^([a-z]{1,16})(?:@(\d{1,2}))?$/.exec(text);
  const step = STEP_NAMES.find((name) => name === match?.[1]) ?? null;
  return step === null ? DEFAULT_TEACHING : { step, place: match?.[2] === undefined ? null : Number(match[2]) };
}

/** The step that is shown: of a model without the chosen one, the step after it. */
export function shownStep(names: readonly StepName[], wanted: StepName): StepName {
  const from = STEP_NAMES.indexOf(wanted);
  return names.find((name) => STEP_NAMES.indexOf(name) >= from) ?? "output";
}

/** The step `by` places away; undefined beyond the ends. */
export function stepAway(names: readonly StepName[], at: StepName, by: number): StepName | undefined {
  return names[names.indexOf(at) + by];
}

/** The query whose row is explained: hovered, else locked, else the last that is no padding. */
export function queryOf(
  hovered: number | undefined,
  locked: number | null,
  queries: number,
  kept: readonly number[],
  mask: Uint8Array | null,
): number {
  const known = (query: number | undefined | null): query is number =>
    query !== null && query !== undefined && query < queries && (kept.length === 0 || kept.includes(query));
  if (known(hovered)) return hovered;
  if (known(locked)) return locked;
  const all = kept.length > 0 ? kept : Array.from({ length: queries }, (_, i) => i);
  return all.findLast((query) => mask?.[query] !== 0) ?? all[all.length - 1] ?? 0;
}
