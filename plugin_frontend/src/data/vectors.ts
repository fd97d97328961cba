// What the weights of one query row of one head are made of: what the server answers, as a plain object.
import { ByteLru } from "../base/lru";
import { VectorsResponse } from "../gen/tb_llmdebug/plugin/view_pb";
import { DataError } from "./errors";
import { decodeFloat32 } from "./float16";
import { parse } from "./message";
import { Transport, type Fetch } from "./transport";
import type { HeadRef, MapRef } from "./types";

/** The vectors of a head, for one query. */
export interface RowVectors {
  readonly keys: number;
  readonly size: number;
  readonly valueSize: number;
  /** [size] */
  readonly q: Float32Array;
  /** [keys, size] */
  readonly k: Float32Array;
  /** [keys, valueSize] */
  readonly v: Float32Array;
  /** What q · k is multiplied with. */
  readonly scale: number;
  /** The layer did not say its scale; it was worked out from its logits. */
  readonly scaleFitted: boolean;
  /** Logits are softcap tanh(x / softcap); 0 = they are not. */
  readonly softcap: number;
  /** A logit that takes part in the softmax and is dropped from the weights. */
  readonly sink: number | null;
  /** [keys], 1 = the query may not look there; null = it may everywhere. */
  readonly masked: Uint8Array | null;
  /** [keys], added to the logits; null = nothing is. */
  readonly bias: Float32Array | null;
  /** [keys], as they were stored; null where only pooled maps were. */
  readonly weights: Float32Array | null;
  /** What these were stored with: record_pb's Codec. */
  readonly codec: number;
}

export interface VectorsData {
  /** null: there are none, for a reason below. */
  readonly vectors: RowVectors | null;
  /** Why vectors that were asked for are not in the record; null = none were asked for. */
  readonly leftOut: string | null;
  /** Why what is there cannot be shown. */
  readonly error: string | null;
}

/** The most numbers of keys and values that the page takes. */
const mostNumbers = 1 << 22;

function floats(bytes: Uint8Array, count: number): Float32Array {
  if (bytes.length !== 4 * count) throw new DataError("The server sent vectors of another size than it says: reload the page.");
  return decodeFloat32(bytes);
}

export function vectorsData(message: VectorsResponse): VectorsData {
  const orNull = (text: string): string | null => (text === "" ? null : text);
  const reasons = { leftOut: orNull(message.leftOut), error: orNull(message.error) };
  if (!message.found) return { vectors: null, ...reasons };
  const { keys, size, valueSize, masked } = message;
  if (keys * (size + valueSize) > mostNumbers) throw new DataError("The server sent more vectors than the page can take.");
  if (masked.length !== 0 && masked.length !== keys) throw new DataError("The server sent a mask of another size than it says: reload the page.");
  return {
    vectors: {
      keys,
      size,
      valueSize,
      q: floats(message.q, size),
      k: floats(message.k, keys * size),
      v: floats(message.v, keys * valueSize),
      scale: message.scale,
      scaleFitted: message.scaleFitted,
      softcap: message.softcap,
      sink: message.sink ?? null,
      masked: masked.length === 0 ? null : masked.slice(),
      bias: message.bias.length === 0 ? null : floats(message.bias, keys),
      weights: message.weights.length === 0 ? null : floats(message.weights, keys),
      codec: message.codec,
    },
    ...reasons,
  };
}

/** Asks for vectors; keeps what it got up to a budget. */
export class VectorsClient {
  private readonly transport: Transport;
  private readonly known: ByteLru<VectorsData>;

  constructor(base: URL, fetch?: Fetch, budgetBytes = 1 << 26) {
    this.transport = new Transport(base, fetch);
    this.known = new ByteLru(budgetBytes);
  }

  async vectors(ref: MapRef, { layer, head }: HeadRef, query: number, signal?: AbortSignal): Promise<VectorsData> {
    const at = [ref.series, ref.ordinal, ref.example, layer, head, query].join(".");
    const known = this.known.get(at);
    if (known !== undefined) return known;
    const { body } = await this.transport.get("vectors", [["at", at]], signal);
    const data = vectorsData(parse(VectorsResponse, body));
    // What is damaged may be mended: it is asked for again.
    if (data.error === null) this.known.set(at, data, 256 + 4 * (data.vectors === null ? 0 : data.vectors.k.length + data.vectors.v.length));
    return data;
  }
}
