// Other ways to see a head, computed by the server: the mean over examples, attention rollout.
import { ByteLru } from "../base/lru";
import { LensResponse } from "../gen/tb_llmdebug/plugin/view_pb";
import { DataError } from "./errors";
import { decodeFloat32 } from "./float16";
import { parse } from "./message";
import { Transport, type Fetch } from "./transport";
import type { HeadRef, MapRef } from "./types";

export type ServerLens = "mean" | "rollout";

export interface LensData {
  /** Why there is none, one sentence. */
  readonly error: string | null;
  readonly rows: number;
  readonly keys: number;
  /** [rows, keys] */
  readonly values: Float32Array;
  /** Mean: over so many examples, and how many of them have each row. */
  readonly examples: number;
  readonly counts: readonly number[];
  /** Mean: equal for equal texts; "" if none were logged. */
  readonly inputs: string;
  /** Rollout: so many layers were followed. */
  readonly layers: number;
}

export function lensData(message: LensResponse): LensData {
  const values = decodeFloat32(message.values);
  const { error, rows, keys, examples, counts, inputs, layers } = message;
  if (values.length !== rows * keys || (counts.length > 0 && counts.length !== rows)) {
    throw new DataError("The server's map has another size than it says: reload the page.");
  }
  return { error: error === "" ? null : error, rows, keys, values, examples, counts, inputs: inputs.join(","), layers };
}

export class LensClient {
  private readonly transport: Transport;
  private readonly known: ByteLru<LensData>;

  constructor(base: URL, fetch?: Fetch, budgetBytes = 1 << 26) {
    this.transport = new Transport(base, fetch);
    this.known = new ByteLru(budgetBytes);
  }

  async lens(ref: MapRef, { layer, head }: HeadRef, lens: ServerLens, signal?: AbortSignal): Promise<LensData> {
    // A rollout is the same for every head of a layer.
    const at = `${ref.series}.${ref.ordinal}.${ref.example}.${layer}.${lens === "rollout" ? 0 : head}`;
    const key = `${lens} ${at}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { body } = await this.transport.get("lens", [["at", at], ["lens", lens]], signal);
    const data = lensData(parse(LensResponse, body));
    if (data.error === null) this.known.set(key, data, data.values.byteLength + 8 * data.counts.length + 256);
    return data;
  }
}
