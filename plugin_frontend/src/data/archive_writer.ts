// Collects what a saved page carries: of each map its overview in every look and all that is stored of
// its heads, as the server sends them.
import { Comparison, Map as MapMessage, MapsResponse, type LayerView } from "../gen/tb_llmdebug/plugin/view_pb";
import type { Budget } from "./answers";
import { answerKey, pairKey, type Parameters } from "./archive";
import { isRefusal } from "./errors";
import { parse } from "./message";
import type { Transport } from "./transport";
import type { MapRef } from "./types";

const mostPlaces = 32;
/** Weights in one answer: they come uncompressed at worst. */
const mostWeights = 1 << 23;

export interface ArchivedRef {
  readonly ref: MapRef;
  /** Its name in the file. */
  readonly as: MapRef;
}

export interface Wish {
  readonly refs: readonly ArchivedRef[];
  /** How thumbnails may be asked for. */
  readonly looks: readonly Parameters[];
  /** Places in `refs` whose distance is shown. */
  readonly pair: readonly [number, number] | null;
  readonly progress: (done: number, all: number) => void;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

export interface Collected {
  readonly maps: Readonly<Record<string, MapMessage>>;
  readonly comparisons: Readonly<Record<string, Comparison>>;
}

const atOf = ({ series, ordinal, example }: MapRef): string => `${series}.${ordinal}.${example}`;

interface HeadsOfLayer {
  readonly place: ArchivedRef;
  readonly layer: number;
  readonly heads: readonly number[];
  readonly pools: readonly string[];
}

function weightsOf({ queries, keys, rows, keptRows, keptKeys }: LayerView): number {
  const looked = rows.length > 0 ? rows.length : queries;
  return Math.max(1, (looked * keys) / Math.max(1, keptRows * keptKeys));
}

/** One request each. */
function chunks(place: ArchivedRef, layer: LayerView): HeadsOfLayer[] {
  const size = Math.max(1, Math.min(mostPlaces, Math.floor(mostWeights / weightsOf(layer))));
  const pools = layer.keptRows * layer.keptKeys > 1 ? ["max", "mean"] : ["max"];
  const count = Math.ceil(layer.heads.length / size);
  return Array.from({ length: count }, (_, i) => ({ place, layer: layer.layer, heads: layer.heads.slice(i * size, (i + 1) * size), pools }));
}

class Collector {
  private readonly maps: Record<string, MapMessage> = {};
  private readonly comparisons: Record<string, Comparison> = {};

  constructor(
    private readonly transport: Transport,
    private readonly wish: Wish,
  ) {}

  async collect(): Promise<Collected> {
    const { refs, looks, progress } = this.wish;
    for (const look of looks) for (const place of refs) await this.overview(place, look);
    await this.compare();
    const wanted = refs.flatMap((place) => {
      const overview = this.maps[answerKey(atOf(place.as), looks[0] ?? [])];
      return (overview?.layers ?? []).filter((layer) => layer.thumbs.length > 0).flatMap((layer) => chunks(place, layer));
    });
    for (const [done, chunk] of wanted.entries()) {
      progress(done, wanted.length);
      await this.heads(chunk);
    }
    return { maps: this.maps, comparisons: this.comparisons };
  }

  private async ask(query: Parameters): Promise<MapsResponse> {
    try {
      const { body } = await this.transport.get("maps", query, this.wish.signal);
      return parse(MapsResponse, body);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return refused(query, error.message);
    }
  }

  private keep(map: MapMessage, at: string, look: Parameters, bytes: number): void {
    this.maps[answerKey(at, look)] = { ...map, at };
    this.wish.budget.take(bytes);
  }

  private async overview({ ref, as }: ArchivedRef, look: Parameters): Promise<void> {
    const { maps } = await this.ask([["at", atOf(ref)], ...look]);
    for (const map of maps) this.keep(map, atOf(as), look, map.layers.reduce((sum, layer) => sum + layer.thumbs.length + layer.statistics.length, 0));
  }

  private async compare(): Promise<void> {
    const { pair, refs, looks } = this.wish;
    const [a, b] = [refs[pair?.[0] ?? -1], refs[pair?.[1] ?? -1]];
    if (a === undefined || b === undefined || a === b) return;
    const query = [["at", atOf(a.ref)], ["at", atOf(b.ref)], ["compare", "0.1"], ...(looks[0] ?? [])] as const;
    const [found] = (await this.ask(query)).comparisons;
    if (found !== undefined) this.comparisons[pairKey(atOf(a.as), atOf(b.as))] = found;
  }

  private async heads({ place: { ref, as }, layer, heads, pools }: HeadsOfLayer): Promise<void> {
    for (const pool of pools) {
      const how = [["pool", pool]] as const;
      const { maps } = await this.ask([...heads.map((head) => ["at", `${atOf(ref)}.${layer}.${head}`] as const), ...how]);
      maps.forEach((map, i) => {
        const tiles = map.head?.tiles.reduce((sum, tile) => sum + tile.length, 0) ?? 0;
        // What comes with every head is in the overview already.
        this.keep(withoutTokens(map), `${atOf(as)}.${layer}.${heads[i] ?? 0}`, how, tiles / Math.max(1, map.head?.frameHeads ?? 1));
      });
    }
  }
}

/** What the server will not answer, as of maps that cannot be read: each says why. */
function refused(query: Parameters, error: string): MapsResponse {
  const asked = (wanted: string): Parameters => query.filter(([name]) => name === wanted);
  const nothing = new Uint8Array();
  return {
    maps: asked("at").map(() => ({ ...MapMessage.decode(nothing), error })),
    comparisons: asked("compare").map(() => ({ ...Comparison.decode(nothing), error })),
  };
}

function withoutTokens(map: MapMessage): MapMessage {
  return { ...map, queryTokens: undefined, keyTokens: undefined, checks: [], anomalies: [] };
}

/**
 * A map that cannot be read, or that the server refuses, is kept with the sentence that says so, for the page to say
 * it too.
 *
 * Throws a DataError where the server does not answer at all, or where it is more than a page can hold.
 */
export function collect(transport: Transport, wish: Wish): Promise<Collected> {
  return new Collector(transport, wish).collect();
}
