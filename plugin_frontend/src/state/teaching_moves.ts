// What opens, closes and moves the explanation of a row.
import type { StepName } from "../data/attention_steps";
import type { Store } from "./store";
import { DEFAULT_TEACHING, shownStep, stepAway } from "./teaching";

export function goToLessonStep(store: Store, step: StepName): void {
  store.update({ teaching: { ...store.selection.peek().teaching, step } });
}

/** Opens at the first step, or closes. */
export function toggleTeaching(store: Store): void {
  const { step } = store.selection.peek().teaching;
  if (step === null && store.resolved.peek().view !== "attention") return;
  store.update({ teaching: step === null ? { ...DEFAULT_TEACHING, step: "product" } : DEFAULT_TEACHING });
}

export function moveTeaching(store: Store, by: 1 | -1): void {
  const { step } = store.selection.peek().teaching;
  if (step === null) return;
  const names = store.lessonSteps.peek();
  const next = stepAway(names, shownStep(names, step), by);
  if (next !== undefined) goToLessonStep(store, next);
}
