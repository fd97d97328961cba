// The page's one way to the server. Answers about stored maps never change, so they are kept by
// reference up to a byte budget.
import type { Disposable } from "../base/disposables";
import { ByteLru } from "../base/lru";
import { IndexResponse, ScalarsResponse } from "../gen/tb_llmdebug/plugin/view_pb";
import { AutoDecoder, type Decoder } from "./decoder";
import { DataError } from "./errors";
import { headBytes } from "./head_size";
import { decodeOverviews, type Overviews } from "./maps";
import { decoding, parse } from "./message";
import { Readings, type Abortable } from "./readings";
import { indexData, scalarsData } from "./translate";
import { Transport, type Fetch } from "./transport";
import { PLAIN_LOOK } from "./types";
import type {
  ComparisonInfo,
  HeadMap,
  HeadRef,
  IndexData,
  Look,
  MapRef,
  Overview,
  OverviewAnswer,
  Pool,
  ScalarsData,
  Sinks,
} from "./types";

export interface ClientOptions {
  /** The folder of the routes; ends with a slash. */
  readonly base: URL;
  readonly decoder?: Decoder;
  readonly fetch?: Fetch;
  readonly budgetBytes?: number;
}

export interface OverviewOptions extends Abortable {
  readonly look?: Look | undefined;
  /** Pairs of places in the list of refs. */
  readonly compare?: readonly (readonly [number, number])[] | undefined;
}

export interface HeadOptions extends Abortable {
  readonly pool?: Pool | undefined;
  /** Other than "shown": the maps come ready with those keys set aside that their overviews name. */
  readonly sinks?: Sinks | undefined;
}

/** The server's limit on maps in one request. */
export const maxRefs = 64;

type Query = (readonly [string, string])[];

export class PluginClient extends Readings implements Disposable {
  /** Bytes of heads that are kept. */
  readonly headBudget: number;
  private readonly decoder: Decoder;
  private readonly overviews: ByteLru<Overview>;
  private readonly heads: ByteLru<HeadMap>;
  private readonly comparisons = new ByteLru<ComparisonInfo>(1 << 23);
  private lastIndex: { readonly etag: string | null; readonly data: IndexData } | null = null;

  constructor({ base, decoder, fetch, budgetBytes = 1 << 28 }: ClientOptions) {
    super(new Transport(base, fetch));
    this.decoder = decoder ?? new AutoDecoder();
    // A head can be a thousand times the size of a picture.
    this.headBudget = (budgetBytes * 3) / 4;
    this.overviews = new ByteLru(budgetBytes / 4);
    this.heads = new ByteLru(this.headBudget);
  }

  /** The same object as before while nothing has changed. */
  async index({ signal }: Abortable = {}): Promise<IndexData> {
    const known = this.lastIndex;
    const { body, etag } = await this.transport.get("index", [], signal, known?.etag ?? null);
    if (body === null) {
      if (known === null) throw new DataError("The server sent no index: reload the page.");
      return known.data;
    }
    const data = indexData(parse(IndexResponse, body));
    const same = known !== null && data.generation !== "" && known.data.generation === data.generation;
    this.lastIndex = { etag, data: same && known.data.scanning === data.scanning ? known.data : data };
    return this.lastIndex.data;
  }

  /** Thumbnails, statistics and tokens of each ref, in one request for what is not known yet. */
  async overview(refs: readonly MapRef[], options: OverviewOptions = {}): Promise<OverviewAnswer> {
    const { signal, look = PLAIN_LOOK, compare = [] } = options;
    const pairs = compare.map(([i, j]) => [refAt(refs, i), refAt(refs, j)] as const);
    const found = new Map<string, Overview>();
    const compared = new Map<string, ComparisonInfo>();
    const { wanted, wantedPairs } = this.missing(refs, pairs, look, found, compared);
    if (wanted.length > 0) {
      const body = await this.askMaps(wanted, mapsQuery(wanted, null, look, wantedPairs), signal);
      this.keepOverviews(decoding(() => decodeOverviews(new Uint8Array(body), wanted, look)), look, found, compared);
    }
    return {
      overviews: refs.map((ref) => known(found.get(overviewKey(ref, look)))),
      comparisons: pairs.map(([a, b]) => known(compared.get(pairKey(a, b)))),
    };
  }

  /** What is stored of one head in each of the maps; `pool` matters where only pooled maps are. */
  async head(refs: readonly MapRef[], head: HeadRef, { signal, pool = "max", sinks = "shown" }: HeadOptions = {}): Promise<HeadMap[]> {
    const found = new Map<string, HeadMap>();
    // Weights are sent as they are stored, whatever thumbnails leave out.
    const look: Look = { pool, sinks: "shown" };
    const wanted = unique(refs).filter((ref) => {
      const key = headKey(ref, head);
      const cached = this.heads.get(key) ?? this.heads.get(`${key} ${pool}`);
      if (cached !== undefined) found.set(headKey(ref, head), cached);
      return cached === undefined;
    });
    if (wanted.length > 0) {
      this.decoder.prepare();
      const body = await this.askMaps(wanted, mapsQuery(wanted, head, look, []), signal);
      const aside = wanted.map((ref) => this.cached(ref, { pool, sinks })?.layers.find(({ layer }) => layer === head.layer)?.aside ?? []);
      const decoded = await this.decoder.decode(body, { refs: wanted, head, pool, aside });
      signal?.throwIfAborted();
      for (const map of decoded) {
        const key = headKey(map.ref, head);
        found.set(key, map);
        // Weights are the same in either pooling.
        const kept = map.pool === null ? key : `${key} ${map.pool}`;
        if (map.error === null && map.mayPass === undefined) this.heads.set(kept, map, headBytes(map));
      }
    }
    return refs.map((ref) => known(found.get(headKey(ref, head))));
  }

  async scalars(run: string, tag?: string, { signal }: Abortable = {}): Promise<ScalarsData> {
    const query: Query = tag === undefined ? [["run", run]] : [["run", run], ["tag", tag]];
    return scalarsData(parse(ScalarsResponse, await this.bodyOf("scalars", query, signal)));
  }

  /** What is known without asking. */
  cached(ref: MapRef, look: Look = PLAIN_LOOK): Overview | undefined {
    return this.overviews.get(overviewKey(ref, look));
  }

  /** A head that is known without asking. */
  cachedHead(ref: MapRef, head: HeadRef, pool: Pool): HeadMap | undefined {
    const key = headKey(ref, head);
    return this.heads.get(key) ?? this.heads.get(`${key} ${pool}`);
  }

  dispose(): void {
    this.decoder.dispose();
    this.overviews.clear();
    this.heads.clear();
    this.comparisons.clear();
  }

  private missing(
    refs: readonly MapRef[],
    pairs: readonly (readonly [MapRef, MapRef])[],
    look: Look,
    found: Map<string, Overview>,
    compared: Map<string, ComparisonInfo>,
  ): { wanted: MapRef[]; wantedPairs: (readonly [MapRef, MapRef])[] } {
    const wanted = refs.filter((ref) => {
      const cached = this.cached(ref, look);
      if (cached !== undefined) found.set(overviewKey(ref, look), cached);
      return cached === undefined;
    });
    const wantedPairs = pairs.filter(([a, b]) => {
      const cached = this.comparisons.get(pairKey(a, b));
      if (cached !== undefined) compared.set(pairKey(a, b), cached);
      return cached === undefined;
    });
    // A comparison is answered only next to the two maps that it compares.
    return { wanted: unique([...wanted, ...wantedPairs.flat()]), wantedPairs };
  }

  private keepOverviews(
    { overviews, comparisons }: Overviews,
    look: Look,
    found: Map<string, Overview>,
    compared: Map<string, ComparisonInfo>,
  ): void {
    for (const overview of overviews) {
      const key = overviewKey(overview.ref, look);
      // Keep the object that was handed out before: its identity says "unchanged".
      found.set(key, this.overviews.get(key) ?? overview);
      if (overview.error === null && overview.mayPass === undefined && this.overviews.get(key) === undefined) {
        this.overviews.set(key, overview, overviewBytes(overview));
      }
    }
    for (const comparison of comparisons) {
      const key = pairKey(comparison.a, comparison.b);
      compared.set(key, comparison);
      if (comparison.error === null) this.comparisons.set(key, comparison, comparisonBytes(comparison));
    }
  }

  private async askMaps(refs: readonly MapRef[], query: Query, signal: AbortSignal | undefined): Promise<ArrayBuffer> {
    if (refs.length > maxRefs) {
      throw new DataError(`${refs.length} maps were asked for at once, and ${maxRefs} is the most: choose fewer runs.`);
    }
    const body = await this.bodyOf("maps", query, signal);
    signal?.throwIfAborted();
    return body;
  }

  private async bodyOf(route: string, query: Query, signal: AbortSignal | undefined): Promise<ArrayBuffer> {
    const { body } = await this.transport.get(route, query, signal);
    return body ?? new ArrayBuffer(0);
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new DataError("The server left out something that was asked for: reload the page.");
  return value;
}

function refAt(refs: readonly MapRef[], place: number): MapRef {
  const ref = refs[place];
  if (ref === undefined) throw new RangeError(`compare names place ${place} of ${refs.length} refs.`);
  return ref;
}

function refKey({ series, ordinal, example }: MapRef): string {
  return `${series}.${ordinal}.${example}`;
}

function overviewKey(ref: MapRef, { pool, sinks }: Look): string {
  return `${refKey(ref)} ${pool} ${sinks}`;
}

function headKey(ref: MapRef, { layer, head }: HeadRef): string {
  return `${refKey(ref)}.${layer}.${head}`;
}

function pairKey(a: MapRef, b: MapRef): string {
  return `${refKey(a)} ${refKey(b)}`;
}

function unique(refs: readonly MapRef[]): MapRef[] {
  return [...new Map(refs.map((ref) => [refKey(ref), ref])).values()];
}

function mapsQuery(
  refs: readonly MapRef[],
  head: HeadRef | null,
  { pool, sinks }: Look,
  pairs: readonly (readonly [MapRef, MapRef])[],
): Query {
  const query: Query = refs.map((ref) => ["at", head === null ? refKey(ref) : headKey(ref, head)] as const);
  query.push(["pool", pool]);
  if (sinks !== "shown") query.push(["sinks", sinks]);
  const place = new Map(refs.map((ref, i) => [refKey(ref), i]));
  for (const [a, b] of pairs) query.push(["compare", `${place.get(refKey(a)) ?? 0}.${place.get(refKey(b)) ?? 0}`]);
  return query;
}

function overviewBytes(overview: Overview): number {
  const tokens = (overview.queryTokens?.text.length ?? 0) + (overview.keyTokens?.text.length ?? 0);
  const layers = overview.layers.map((layer) => (layer.thumbs?.length ?? 0) + layer.statistics.byteLength + 256);
  return layers.reduce((sum, bytes) => sum + bytes, 1024 + 64 * tokens);
}

function comparisonBytes(comparison: ComparisonInfo): number {
  return comparison.layers.reduce((sum, layer) => sum + 16 * layer.heads.length + 64, 256);
}
