// What a saved page carries, and how it is read back: the same answers that the server gave, by what was
// asked.
import type { Comparison, Map as MapMessage } from "../gen/tb_llmdebug/plugin/view_pb";
import { t } from "../text/table";
import { replay, type Answers } from "./answers";
import type { HeadOptions, OverviewOptions } from "./client";
import { DataError } from "./errors";
import { decodeHeadMap } from "./head_maps";
import { comparisonInfo, decodeOverview } from "./maps";
import { decoding } from "./message";
import { Readings } from "./readings";
import { Transport } from "./transport";
import {
  PLAIN_LOOK,
  type ComparisonInfo,
  type HeadMap,
  type HeadRef,
  type IndexData,
  type Look,
  type MapRef,
  type Overview,
  type OverviewAnswer,
  type ScalarsData,
} from "./types";
import { loadUnzstd } from "./zstd";

export interface Archive {
  readonly version: 1;
  /** ISO 8601. */
  readonly saved: string;
  /** One line: what was saved. */
  readonly title: string;
  /** The selection, as in an address. */
  readonly hash: string;
  /** The view and the example that are in the file. */
  readonly view: string;
  readonly example: number;
  /** How the example begins. */
  readonly preview: string;
  readonly language: string;
  readonly index: IndexData;
  /** In the order in which colours are dealt; runs that are not in the file have no name. */
  readonly runOrder: readonly string[];
  readonly scalars: Readonly<Record<string, ScalarsData>>;
  /** By `answerKey`. */
  readonly maps: Readonly<Record<string, MapMessage>>;
  /** By the two `at` of the pair. */
  readonly comparisons: Readonly<Record<string, Comparison>>;
  /** All that is not about whole maps. */
  readonly answers: Answers;
}

export type Parameters = readonly (readonly [string, string])[];

/** What one `at` of a request stands for, together with how it was asked. */
export function answerKey(at: string, parameters: Parameters): string {
  const how = parameters.filter(([name]) => name !== "at" && name !== "compare").map(([name, value]) => `${name}=${value}`);
  return `${at}?${how.sort().join("&")}`;
}

export const pairKey = (a: string, b: string): string => `${a} ${b}`;

/** Whether both poolings of an answer are the same. */
function isPooled({ head, layers }: MapMessage): boolean {
  if (head !== undefined) return head.pooledRows > 1 || head.pooledKeys > 1;
  return layers.some((layer) => Math.max(layer.pooled, layer.pooledRows, layer.keptRows, layer.keptKeys) > 1);
}

function answerOf({ maps }: Archive, at: string, parameters: Parameters): MapMessage {
  const exact = maps[answerKey(at, parameters)];
  if (exact !== undefined) return exact;
  const swapped = parameters.map(([name, value]) => [name, name === "pool" ? (value === "max" ? "mean" : "max") : value] as const);
  const other = maps[answerKey(at, swapped)];
  if (other === undefined || isPooled(other)) throw new DataError(t("notInFile"));
  return other;
}

/** Nothing is ever asked for there. */
export const nowhere = new URL("https://saved.invalid/");

const atOf = ({ series, ordinal, example }: MapRef): string => `${series}.${ordinal}.${example}`;

/** Answers from the file what a client asks of the server. */
export class ArchiveSource extends Readings {
  /** Heads are not kept decoded. */
  readonly headBudget = 0;
  private readonly decoded = new Map<string, Overview>();

  constructor(private readonly archive: Archive) {
    super(new Transport(nowhere, replay(nowhere, archive.answers)));
  }

  index(): Promise<IndexData> {
    return Promise.resolve(this.archive.index);
  }

  overview(refs: readonly MapRef[], { look = PLAIN_LOOK, compare = [] }: OverviewOptions = {}): Promise<OverviewAnswer> {
    return attempt(() => ({
      overviews: refs.map((ref) => this.overviewOf(ref, look)),
      comparisons: compare.map(([a, b]) => this.comparisonOf(refs, a, b)),
    }));
  }

  async head(refs: readonly MapRef[], head: HeadRef, { pool = "max" }: HeadOptions = {}): Promise<HeadMap[]> {
    const unzstd = await loadUnzstd();
    return refs.map((ref) => {
      const message = answerOf(this.archive, `${atOf(ref)}.${head.layer}.${head.head}`, [["pool", pool]]);
      return decoding(() => decodeHeadMap(message, ref, { refs, head, pool }, unzstd));
    });
  }

  scalars(run: string): Promise<ScalarsData> {
    const none: ScalarsData = { tags: [], tag: "", steps: [], values: [] };
    return Promise.resolve(Object.hasOwn(this.archive.scalars, run) ? (this.archive.scalars[run] ?? none) : none);
  }

  /** Decoded at once where it is not yet: the file is all here. */
  cached(ref: MapRef, look: Look = PLAIN_LOOK): Overview | undefined {
    try {
      return this.overviewOf(ref, look);
    } catch {
      return undefined;
    }
  }

  cachedHead(): HeadMap | undefined {
    return undefined;
  }

  private overviewOf(ref: MapRef, look: Look): Overview {
    const { pool, sinks } = look;
    const parameters: Parameters = [["pool", pool], ...(sinks === "shown" ? [] : [["sinks", sinks] as const])];
    const key = answerKey(atOf(ref), parameters);
    const known = this.decoded.get(key);
    if (known !== undefined) return known;
    const message = answerOf(this.archive, atOf(ref), parameters);
    const made = decoding(() => decodeOverview(message, ref, look));
    this.decoded.set(key, made);
    return made;
  }

  private comparisonOf(refs: readonly MapRef[], a: number, b: number): ComparisonInfo {
    const [one, other] = [refs[a], refs[b]];
    if (one === undefined || other === undefined) throw new RangeError(`compare names places ${a} and ${b} of ${refs.length} refs.`);
    const found = this.archive.comparisons[pairKey(atOf(one), atOf(other))];
    if (found === undefined) return { a: one, b: other, error: t("notInFile"), layers: [] };
    return comparisonInfo({ ...found, a, b }, refs);
  }
}

/** Throws as a promise does. */
function attempt<T>(make: () => T): Promise<T> {
  return new Promise((resolve) => resolve(make()));
}
