// Fetches the pictures of the steps in sight, the nearest first, and gives up on those scrolled past.
import { signal } from "@preact/signals";
import { recorded } from "../data/answers";
import type { HeadPicture, MultiplesClient, StripRef } from "../data/multiples";
import { stripKey } from "../data/multiples";
import { SINK_NAMES } from "./lens";
import { sentence } from "./loaded";
import { blockEnd, blocksOf, type Block } from "./multiples";

/** What of a row is in sight, or soon will be. */
export interface StripWanted {
  readonly strip: StripRef;
  /** Records of the series, so that a block never goes beyond the last. */
  readonly count: number;
  /** The most wanted first. */
  readonly ordinals: readonly number[];
}

interface Asked {
  readonly strip: StripRef;
  readonly block: Block;
}

const AT_ONCE = 2;

const keyOf = ({ strip, block }: Asked): string => `${stripKey(strip)} ${Math.floor(block.from / 16)}`;

export class MultiplesLoader {
  /** Raised whenever pictures have come or could not. */
  readonly arrived = signal(0);
  /** Why something that is wanted could not be fetched; null = nothing failed. */
  readonly error = signal<string | null>(null);

  /** Reasons by strip. It is left alone until it is told to try again, or another head was looked at meanwhile. */
  private readonly failed = new Map<string, string>();

  private readonly running = new Map<string, AbortController>();
  /** Pictures that say why there is none: kept apart, because they may be mended. */
  private readonly unreadable = new Map<string, HeadPicture>();
  private queue: readonly Asked[] = [];
  private wanted: readonly StripWanted[] = [];

  constructor(private readonly source: Pick<MultiplesClient, "cached" | "load">) {}

  picture(strip: StripRef, ordinal: number): HeadPicture | undefined {
    return this.source.cached(strip, ordinal) ?? this.unreadable.get(`${stripKey(strip)} ${ordinal}`);
  }

  /** From now on these are wanted, and nothing else. */
  want(wanted: readonly StripWanted[]): void {
    this.forget(wanted);
    this.wanted = wanted;
    const asked = wanted.flatMap(({ strip, count, ordinals }) => {
      const has = (ordinal: number): boolean => this.picture(strip, ordinal) !== undefined;
      return blocksOf(ordinals, count, has).map((block) => ({ strip, block }));
    });
    const keys = new Set(asked.map(keyOf));
    for (const [key, controller] of this.running) {
      if (keys.has(key)) continue;
      controller.abort();
      this.running.delete(key);
    }
    // One block of each row in turn, so that no run waits for another's last step.
    this.queue = inTurn(asked);
    this.next();
  }

  /** What is not wanted any more may have been mended when it is wanted again. */
  private forget(wanted: readonly StripWanted[]): void {
    const strips = new Set(wanted.map(({ strip }) => stripKey(strip)));
    for (const strip of this.failed.keys()) if (!strips.has(strip)) this.failed.delete(strip);
    const places = new Set(wanted.flatMap(({ strip, ordinals }) => ordinals.map((ordinal) => `${stripKey(strip)} ${ordinal}`)));
    for (const place of this.unreadable.keys()) if (!places.has(place)) this.unreadable.delete(place);
    this.tell();
  }

  private tell(): void {
    this.error.value = [...this.failed.values()][0] ?? null;
  }

  /** Asks again for what failed. */
  retry(): void {
    this.failed.clear();
    this.unreadable.clear();
    this.tell();
    this.arrived.value += 1;
  }

  /** Asks another source for the rows from their first step to the last: a saved page has to carry them. */
  async again(source: Pick<MultiplesClient, "load">, signal: AbortSignal): Promise<void> {
    const rows = new Map(this.wanted.map(({ strip, count }) => [stripKey(strip), { strip, count }]));
    for (const { strip, count } of rows.values()) {
      // As of whole maps, what is set aside is one click away.
      for (const sinks of SINK_NAMES) {
        await recorded(wholeRow(source, { ...strip, look: { ...strip.look, sinks } }, count, signal));
      }
    }
  }

  dispose(): void {
    this.queue = [];
    for (const controller of this.running.values()) controller.abort();
    this.running.clear();
  }

  private next(): void {
    for (const asked of this.queue) {
      if (this.running.size >= AT_ONCE) return;
      if (!this.running.has(keyOf(asked)) && !this.failed.has(stripKey(asked.strip))) void this.load(asked);
    }
  }

  private async load(asked: Asked): Promise<void> {
    const key = keyOf(asked);
    const controller = new AbortController();
    this.running.set(key, controller);
    this.queue = this.queue.filter((other) => other !== asked);
    try {
      const { strip, block } = asked;
      for (const picture of await this.source.load(strip, block.from, block.to, controller.signal)) {
        if (picture.error !== null) this.unreadable.set(`${picture.strip} ${picture.ordinal}`, picture);
      }
    } catch (error) {
      if (!controller.signal.aborted) this.failed.set(stripKey(asked.strip), sentence(error));
    }
    if (controller.signal.aborted) return;
    this.running.delete(key);
    this.tell();
    // Whoever shows them says anew what is missing.
    this.arrived.value += 1;
    this.next();
  }
}

async function wholeRow(source: Pick<MultiplesClient, "load">, row: StripRef, count: number, signal: AbortSignal): Promise<void> {
  for (let from = 0; from < count; ) from += (await source.load(row, from, blockEnd(from, count), signal)).length;
}

function inTurn(asked: readonly Asked[]): Asked[] {
  const rows = new Map<string, Asked[]>();
  for (const one of asked) rows.set(stripKey(one.strip), [...(rows.get(stripKey(one.strip)) ?? []), one]);
  const longest = Math.max(0, ...[...rows.values()].map((row) => row.length));
  return Array.from({ length: longest }, (_, i) => [...rows.values()].flatMap((row) => row[i] ?? [])).flat();
}
