// Playing: one step after another at an even pace, each only after the one before has been painted and when the
// next is here. A step is never left out; where the data do not come fast enough the pace is slower.
import { effect, signal, untracked } from "@preact/signals";
import type { Disposable } from "../base/disposables";
import type { Ahead } from "./ahead";
import { dependOn } from "./depend";
import type { Loader } from "./loader";
import type { Store } from "./store";
import { neighbourStep } from "./timeline";

/** Calls back once what has changed now has been painted: a frame draws it, the next comes after it was shown. */
function afterPaint(then: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(then));
}

export function startPlayer(
  store: Store,
  loader: Pick<Loader, "pictures" | "heads">,
  ahead: Pick<Ahead, "arrived" | "ready">,
  painted: (then: () => void) => void = afterPaint,
): Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the step on screen was due; null while not playing. */
  let since: number | null = null;
  const unpainted = signal(false);
  const move = (due: number): void => {
    const now = Date.now();
    // A little lateness is caught up with, a long wait is not.
    since = now - due < 100 ? due : now;
    unpainted.value = true;
    store.moveStep(1, store.loop.peek());
    painted(() => (unpainted.value = false));
  };
  const stop = effect(() => {
    clearTimeout(timer);
    const busy = loader.pictures.value.busy || loader.heads.value.busy || unpainted.value;
    const { steps, step } = store.resolved.value;
    const { speed } = store.selection.value.playing;
    dependOn(ahead.arrived.value);
    if (!store.playing.value) {
      since = null;
      return;
    }
    since ??= Date.now();
    const atEnd = step === steps[steps.length - 1];
    if (steps.length < 2 || (atEnd && !store.loop.value)) {
      store.playing.value = false;
      return;
    }
    const next = step === null ? undefined : neighbourStep(steps, step, 1, store.loop.value);
    if (busy || next === undefined || !untracked(() => ahead.ready(next))) return;
    const due = since + 1000 / speed;
    timer = setTimeout(() => move(due), Math.max(0, due - Date.now()));
  });
  return {
    dispose: () => {
      clearTimeout(timer);
      stop();
    },
  };
}
