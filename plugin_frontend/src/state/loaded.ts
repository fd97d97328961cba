// Something fetched for what is selected: how it is kept, and how the next one takes its place.
import type { Signal } from "@preact/signals";
import type { Latest } from "../base/latest";

/** Something loaded: the last good value stays while the next one is on its way. */
export interface Loaded<T> {
  readonly value: T | undefined;
  readonly busy: boolean;
  readonly error: string | null;
}

export type Task<T> = (signal: AbortSignal) => Promise<T>;

export const NOTHING = { value: undefined, busy: false, error: null } as const;

export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs a task in place of the one before; null = nothing is wanted. */
export async function load<T>(target: Signal<Loaded<T>>, latest: Latest, task: Task<T> | null): Promise<void> {
  if (task === null) {
    latest.cancel();
    target.value = NOTHING;
    return;
  }
  target.value = { ...target.value, busy: true };
  try {
    const value = await latest.run(task);
    if (value !== undefined) target.value = { value, busy: false, error: null };
  } catch (error) {
    target.value = { ...target.value, busy: false, error: sentence(error) };
  }
}

/** Waits before a request: the pointer crosses much on its way to something. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
