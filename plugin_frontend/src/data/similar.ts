// The most similar head of every head of a record, computed by the server.
import { ByteLru } from "../base/lru";
import { SimilarResponse } from "../gen/tb_llmdebug/plugin/view_pb";
import { isBelowFloor } from "./distance";
import { headName } from "./heads";
import { parse } from "./message";
import { Transport, type Fetch } from "./transport";
import type { HeadRef } from "./types";

/** A record and one of its examples; null = the mean over all. */
export interface SimilarRef {
  readonly series: string;
  readonly ordinal: number;
  readonly example: number | null;
}

export interface SimilarHeadInfo extends HeadRef {
  /** null: there is no other to compare with. */
  readonly other: HeadRef | null;
  readonly distance: number;
  readonly floor: number;
  /** The codec alone could have made the distance. */
  readonly belowFloor: boolean;
}

export interface SimilarData {
  /** Why there is nothing, one sentence. */
  readonly error: string | null;
  readonly examples: number;
  /** By "layer.head"; heads without stored weights are not there. */
  readonly heads: ReadonlyMap<string, SimilarHeadInfo>;
}

export const similarKey = ({ series, ordinal, example }: SimilarRef): string => `${series}.${ordinal}.${example ?? "all"}`;

export function similarData({ error, examples, heads }: SimilarResponse): SimilarData {
  const infos = heads.map(({ layer, head, alone, otherLayer, otherHead, distance, floor }): SimilarHeadInfo => ({
    layer,
    head,
    other: alone ? null : { layer: otherLayer, head: otherHead },
    distance: alone ? NaN : distance,
    floor: alone ? NaN : floor,
    belowFloor: !alone && isBelowFloor(distance, floor),
  }));
  return { error: error === "" ? null : error, examples, heads: new Map(infos.map((info) => [headName(info), info])) };
}

export class SimilarClient {
  private readonly transport: Transport;
  private readonly known = new ByteLru<SimilarData>(1 << 22);

  constructor(base: URL, fetch?: Fetch) {
    this.transport = new Transport(base, fetch);
  }

  /** What is already here, without asking for it. */
  cached(ref: SimilarRef): SimilarData | undefined {
    return this.known.get(similarKey(ref));
  }

  async similar(ref: SimilarRef, signal?: AbortSignal): Promise<SimilarData> {
    const known = this.cached(ref);
    if (known !== undefined) return known;
    const { body } = await this.transport.get("similar", [["at", similarKey(ref)]], signal);
    const data = similarData(parse(SimilarResponse, body));
    if (data.error === null) this.known.set(similarKey(ref), data, 256 + 128 * data.heads.size);
    return data;
  }
}
