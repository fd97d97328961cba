// The end of the one scale on which differences of weights are coloured, whichever picture shows them.
import { signal } from "@preact/signals";
import { niceCeil } from "./facts";

/** It only grows while a difference is on screen: an equal colour is an equal difference, in each picture and step. */
export class DifferenceScale {
  private readonly end = signal(0);

  /** The end, at least as far as `largest`, 1 where nothing differs. */
  limit(largest: number): number {
    const end = this.end.value;
    return largest > end ? niceCeil(largest) : end || 1;
  }

  /** From now on the end is at least this far for every picture. */
  include(largest: number): void {
    if (largest > this.end.peek()) this.end.value = niceCeil(largest);
  }

  reset(): void {
    this.end.value = 0;
  }
}
