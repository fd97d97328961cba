// Playing: one step after another, each only after the one before is on screen.
import { effect } from "@preact/signals";
import type { Disposable } from "../base/disposables";
import type { Loader } from "./loader";
import type { Store } from "./store";

const STEP_MS = 350;

export function startPlayer(store: Store, loader: Loader): Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    clearTimeout(timer);
    const busy = loader.pictures.value.busy;
    const { steps, step } = store.resolved.value;
    const atEnd = step === steps[steps.length - 1];
    if (!store.playing.value || busy) return;
    if (steps.length < 2 || (atEnd && !store.loop.value)) {
      store.playing.value = false;
      return;
    }
    timer = setTimeout(() => store.moveStep(1, store.loop.peek()), STEP_MS);
  });
  return {
    dispose: () => {
      clearTimeout(timer);
      stop();
    },
  };
}
