// What panels side by side need of the same room: all take what the neediest needs, so that their pictures are in line.
import { signal } from "@preact/signals";

export class Alignment {
  /** Pixels. */
  readonly largest = signal(0);
  private readonly needs = new Map<object, number>();

  /** What `who` needs from now on; null = it is gone. */
  say(who: object, pixels: number | null): void {
    if (pixels === null) this.needs.delete(who);
    else this.needs.set(who, pixels);
    this.largest.value = Math.max(0, ...this.needs.values());
  }
}
