// A component's part in what panels side by side take alike.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Alignment } from "../state/alignment";

/** Says what this component needs, and returns what all of them take. */
export function useAlignment(alignment: Alignment, pixels: number): number {
  const who = useRef({});
  useLayoutEffect(() => alignment.say(who.current, pixels), [alignment, pixels]);
  useLayoutEffect(() => () => alignment.say(who.current, null), [alignment]);
  return Math.max(pixels, alignment.largest.value);
}
