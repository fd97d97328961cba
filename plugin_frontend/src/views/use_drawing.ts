// Ties one of the imperative drawing classes to the life of a component.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import type { Disposable } from "../base/disposables";

/** Makes the drawing once its host is in the page, and removes it with the component. */
export function useDrawing<T extends Disposable>(make: (host: HTMLElement) => T): [RefObject<HTMLDivElement | null>, T | null] {
  const host = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<T | null>(null);
  // Before the frame is shown, so that the drawing is in it.
  useLayoutEffect(() => {
    if (host.current === null) return;
    const made = make(host.current);
    setDrawing(made);
    return () => made.dispose();
    // The drawing outlives changes of what it shows; `make` closes over nothing that changes.
  }, []);
  return [host, drawing];
}
