// Statistics of every head at every step, and how far heads are from each other: what the server answers,
// as plain objects.
import { ByteLru } from "../base/lru";
import {
  ChangesResponse,
  HeadsResponse,
} from "../gen/tb_llmdebug/plugin/view_pb";
import { DataError } from "./errors";
import { decodeFloat32 } from "./float16";
import { parse } from "./message";
import { Transport, type Fetch } from "./transport";
import type { HeadRef } from "./types";

export interface LayerHeads {
  readonly layer: number;
  readonly label: string;
  readonly heads: readonly number[];
}

/** Why a record has no statistics. */
export const Gap = { NONE: 0, DAMAGED: 1, NO_EXAMPLE: 2 } as const;

/** Records [0, count) of a series. */
export interface HeadsData {
  readonly series: string;
  readonly example: number | null;
  readonly count: number;
  readonly steps: readonly number[];
  readonly names: readonly string[];
  /** Ascending; all that any record has. */
  readonly layers: readonly LayerHeads[];
  /** [records, heads of all layers, statistics]; NaN = not defined. */
  readonly values: Float32Array;
  /** Standard deviations over the examples where values are means. */
  readonly spreads: Float32Array | null;
  readonly gaps: Uint8Array;
  readonly problems: readonly string[];
  /** Place of each head in `values`, by "layer.head". */
  readonly places: ReadonlyMap<string, number>;
}

export interface LayerChangeInfo {
  readonly layer: number;
  readonly heads: readonly number[];
  readonly mean: readonly number[];
  readonly spread: readonly number[];
  readonly floor: number;
}

export interface HeadMatchInfo extends HeadRef {
  readonly other: number;
  readonly distance: number;
}

export interface ChangesData {
  readonly error: string | null;
  readonly examples: number;
  readonly layers: readonly LayerChangeInfo[];
  readonly matches: readonly HeadMatchInfo[];
  readonly noMatches: string | null;
}

export const headName = ({ layer, head }: HeadRef): string => `${layer}.${head}`;

export function placesOf(layers: readonly LayerHeads[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const { layer, heads } of layers) for (const head of heads) places.set(headName({ layer, head }), places.size);
  return places;
}

type Part = Omit<HeadsData, "series" | "example">;

export function headsPart(message: HeadsResponse): Part {
  const layers = message.layers.map(({ layer, label, heads }) => ({ layer, label, heads }));
  const places = placesOf(layers);
  const steps = message.steps.map(Number);
  const values = decodeFloat32(message.values);
  const expected = steps.length * places.size * message.statistics.length;
  if (values.length !== expected || message.gaps.length !== steps.length) {
    throw new DataError("The server's statistics have another size than it says: reload the page.");
  }
  return {
    count: message.end,
    steps,
    names: message.statistics,
    layers,
    values,
    spreads: message.spreads.length === 0 ? null : decodeFloat32(message.spreads),
    gaps: message.gaps.slice(),
    problems: message.problems,
    places,
  };
}

function unionLayers(a: readonly LayerHeads[], b: readonly LayerHeads[]): LayerHeads[] {
  const rows = new Map<number, { label: string; heads: Set<number> }>();
  for (const { layer, label, heads } of [...a, ...b]) {
    const row = rows.get(layer) ?? { label, heads: new Set<number>() };
    heads.forEach((head) => row.heads.add(head));
    rows.set(layer, { label: label === "" ? row.label : label, heads: row.heads });
  }
  return [...rows]
    .map(([layer, { label, heads }]) => ({ layer, label, heads: [...heads].sort((x, y) => x - y) }))
    .sort((x, y) => x.layer - y.layer);
}

const alike = (a: Iterable<string>, b: Iterable<string>): boolean => [...a].join() === [...b].join();

function copyInto(out: Float32Array, at: number, part: Part, values: Float32Array, whole: Pick<Part, "places" | "names">): void {
  // Millions of values, and as a rule the parts of a series have the same heads.
  if (alike(part.names, whole.names) && alike(part.places.keys(), whole.places.keys())) {
    out.set(values, at * whole.places.size * whole.names.length);
    return;
  }
  const heads = [...part.places].map(([name, from]) => [from, whole.places.get(name) ?? 0] as const);
  const columns = part.names.map((name) => whole.names.indexOf(name));
  for (let record = 0; record < part.steps.length; record += 1) {
    for (const [from, to] of heads) {
      const source = (record * part.places.size + from) * part.names.length;
      const target = ((at + record) * whole.places.size + to) * whole.names.length;
      columns.forEach((column, i) => (out[target + column] = values[source + i] ?? NaN));
    }
  }
}

/** Two parts, one after the other, as one. */
export function joined(a: Part, b: Part): Part {
  if (a.steps.length === 0) return b;
  const layers = unionLayers(a.layers, b.layers);
  const whole = { places: placesOf(layers), names: [...new Set([...a.names, ...b.names])] };
  const steps = [...a.steps, ...b.steps];
  const size = steps.length * whole.places.size * whole.names.length;
  const join = (one: Float32Array | null, other: Float32Array | null): Float32Array | null => {
    if (one === null && other === null) return null;
    const out = new Float32Array(size).fill(NaN);
    if (one !== null) copyInto(out, 0, a, one, whole);
    if (other !== null) copyInto(out, a.steps.length, b, other, whole);
    return out;
  };
  return {
    ...whole,
    count: b.count,
    steps,
    layers,
    values: join(a.values, b.values) ?? new Float32Array(),
    spreads: join(a.spreads, b.spreads),
    gaps: Uint8Array.from([...a.gaps, ...b.gaps]),
    problems: [...a.problems, ...b.problems].slice(0, 20),
  };
}

function changesData(message: ChangesResponse): ChangesData {
  const orNull = (text: string): string | null => (text === "" ? null : text);
  return {
    error: orNull(message.error),
    examples: message.examples,
    layers: message.layers.map(({ layer, heads, mean, spread, floor }) => ({ layer, heads, mean, spread, floor })),
    matches: message.matches.map(({ layer, head, other, distance }) => ({ layer, head, other, distance })),
    noMatches: orNull(message.noMatches),
  };
}

const bytesOf = (data: HeadsData): number => data.values.byteLength + (data.spreads?.byteLength ?? 0) + 64 * data.count;

/** Asks for statistics and changes; keeps what it got up to a budget, and asks a growing series only for what is new. */
export class HeadsClient {
  private readonly transport: Transport;
  private readonly known: ByteLru<HeadsData>;
  private readonly changesKnown = new ByteLru<ChangesData>(1 << 22);

  constructor(base: URL, fetch?: Fetch, budgetBytes = 1 << 27) {
    this.transport = new Transport(base, fetch);
    this.known = new ByteLru(budgetBytes);
  }

  /** Records [0, count) of a series; `example` null = means over all. `statistics` empty = all of them. */
  async heads(
    series: string,
    count: number,
    example: number | null,
    statistics: readonly string[],
    signal?: AbortSignal,
  ): Promise<HeadsData> {
    const key = `${series} ${example ?? "all"} ${statistics.join(" ")}`;
    let data: HeadsData | undefined = this.known.get(key);
    while (data === undefined || data.count < count) {
      const from: number = data?.count ?? 0;
      const part = await this.part(series, example, statistics, from, count, signal);
      if (part.count <= from && count > 0) throw new DataError("The server left out steps that were asked for: reload the page.");
      data = { ...(data === undefined ? part : joined(data, part)), series, example };
      if (part.count >= count) break;
    }
    // What was damaged may be mended: it is asked for again.
    if (data.gaps.every((gap) => gap !== Gap.DAMAGED)) this.known.set(key, data, bytesOf(data));
    return data;
  }

  /** How far the heads of two records are apart over all examples; `match`: and which are alike. */
  async changes(a: string, b: string, match: boolean, signal?: AbortSignal): Promise<ChangesData> {
    const key = `${a} ${b} ${match ? 1 : 0}`;
    const known = this.changesKnown.get(key) ?? this.changesKnown.get(`${a} ${b} 1`);
    if (known !== undefined) return known;
    const query = [["a", a], ["b", b], ["match", match ? "1" : "0"]] as const;
    const { body } = await this.transport.get("changes", query, signal);
    const data = changesData(parse(ChangesResponse, body));
    if (data.error === null && data.noMatches === null) {
      const heads = data.layers.reduce((sum, layer) => sum + layer.heads.length, data.matches.length);
      this.changesKnown.set(key, data, 256 + 64 * heads);
    }
    return data;
  }

  private async part(
    series: string,
    example: number | null,
    statistics: readonly string[],
    from: number,
    to: number,
    signal: AbortSignal | undefined,
  ): Promise<Part> {
    const query = [
      ["series", series],
      ["example", example === null ? "all" : String(example)],
      ["from", String(from)],
      ["to", String(to)],
      ...statistics.map((name) => ["statistic", name] as const),
    ] as const;
    const { body } = await this.transport.get("heads", query, signal);
    return headsPart(parse(HeadsResponse, body));
  }
}
