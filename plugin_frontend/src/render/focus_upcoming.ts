// The large map that is to take the place of the one in sight. What drawing it takes is worked out in idle slices, and
// until then the other one stays: pooling four maps of 2,048 tokens at once would keep the page's thread for 200 ms.
import type { Disposable } from "../base/disposables";
import { whileIdle } from "../base/idle";
import { peakInSlices, PoolCache } from "./focus_raster";
import type { FocusData } from "./types";

/** All that is worked out of a map before it is drawn. */
export interface Prepared {
  readonly data: FocusData;
  readonly peak: number;
  readonly pooled: PoolCache;
}

type Begin = (data: FocusData, pooled: PoolCache) => () => boolean;

export class Upcoming implements Disposable {
  private made: Prepared | null = null;
  private wanted: FocusData | null = null;
  private working = false;
  private stop = (): void => undefined;

  /** `begin` returns what pools a little of a map for what is in sight and says whether there is more. */
  constructor(private readonly begin: Begin) {}

  /** A map that is ready to be drawn. */
  of(data: FocusData | null): Prepared | null {
    return this.made?.data === data ? this.made : null;
  }

  /** The same, and holds it no longer: it is millions of weights. */
  take(data: FocusData | null): Prepared | null {
    const prepared = this.of(data);
    this.made = null;
    return prepared;
  }

  /**
   * Calls `ready` once a map can be drawn at once; null: none is wanted any more. What is being worked on is finished
   * first: of maps that come faster than that, some are shown.
   */
  follow(data: FocusData | null, ready: (data: FocusData) => void): void {
    this.wanted = data;
    if (data === null) this.dispose();
    else if (!this.working) this.work(data, ready);
  }

  dispose(): void {
    this.stop();
    this.working = false;
  }

  private work(data: FocusData, ready: (data: FocusData) => void): void {
    const pooled = new PoolCache();
    const peaks = peakInSlices(data);
    let peak: number | undefined;
    let pool: (() => boolean) | undefined;
    this.working = true;
    this.stop = whileIdle(() => {
      if (peak === undefined) {
        const { value } = peaks.next();
        peak = value ?? undefined;
        return true;
      }
      pool ??= this.begin(data, pooled);
      if (pool()) return true;
      this.made = { data, peak, pooled };
      this.working = false;
      const { wanted } = this;
      ready(data);
      // Unless showing it has begun the next one already.
      if (wanted !== null && wanted !== data && !this.isWorking()) this.work(wanted, ready);
      return false;
    });
  }

  private isWorking(): boolean {
    return this.working;
  }
}
