// Previews of what the pointer rests on: crossing a list on the way elsewhere changes nothing.
import { useEffect, useRef } from "preact/hooks";
import type { Hover } from "../state/selection";
import { useApp } from "./context";

/** As on the scrubber. */
export const RESTING_MS = 120;

export interface Resting {
  readonly onMouseEnter: () => void;
  readonly onMouseLeave: () => void;
}

/** Handlers that preview after a short rest, and stop when the pointer leaves or the element goes. */
export function useResting(hover: Hover): Resting {
  const { store } = useApp();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const shown = useRef(false);
  const leave = (): void => {
    clearTimeout(timer.current);
    if (shown.current) store.setHover({});
    shown.current = false;
  };
  // What vanishes under the pointer is never told that it was left.
  useEffect(() => leave, []);
  return {
    onMouseEnter: () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        shown.current = true;
        store.setHover(hover);
      }, RESTING_MS);
    },
    onMouseLeave: leave,
  };
}
