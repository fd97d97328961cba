// The end of the one scale on which differences of weights are coloured, whichever picture shows them.
import type { ReadonlySignal } from "@preact/signals";
import { niceCeil } from "./facts";

/**
 * It only grows while a difference is on screen: an equal colour is an equal difference, in each picture and step. It
 * is part of the selection, for what it grew by need not be on screen any more when a link is copied.
 */
export class DifferenceScale {
  constructor(
    /** 0: nothing was seen yet. */
    private readonly end: ReadonlySignal<number>,
    private readonly move: (end: number) => void,
  ) {}

  /** The end, at least as far as `largest`, 1 where nothing differs. */
  limit(largest: number): number {
    const end = this.end.value;
    return largest > end ? niceCeil(largest) : end || 1;
  }

  /** From now on the end is at least this far for every picture. */
  include(largest: number): void {
    if (largest > this.end.peek()) this.move(niceCeil(largest));
  }

  reset(): void {
    if (this.end.peek() !== 0) this.move(0);
  }
}

/** Only an end that the page itself would set. */
export function readDifferenceEnd(text: string): number | undefined {
  if (!/^[01](\.\d{1,8})?$|^\d(\.\d)?e-\d{1,2}$/.test(text)) return undefined;
  const end = Number(text);
  return end > 0 && end <= 1 ? niceCeil(end) : undefined;
}
