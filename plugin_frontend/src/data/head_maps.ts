// The body of a `maps` answer that holds one head of each map -> its weights. Pure: runs in the worker, on
// the page where none starts, and in Node.
import type { Map as MapMessage } from "../gen/tb_llmdebug/plugin/view_pb";
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";
import { tokenAxis } from "../base/axis";
import { DataError } from "./errors";
import { decodeFloat32 } from "./float16";
import { mapsAnswer, zip } from "./maps";
import { canSetAside, restOf } from "./sinks";
import { axesOf, decodeHead, isPooled } from "./tiles";
import type { HeadMap, HeadRef, MapRef, Pool } from "./types";
import type { Unzstd } from "./zstd";

export interface HeadQuestion {
  readonly refs: readonly MapRef[];
  readonly head: HeadRef;
  readonly pool: Pool;
  /** Keys to set aside in each of the maps; none where it says nothing. */
  readonly aside?: readonly (readonly number[])[];
}

export function decodeHeads(body: Uint8Array, question: HeadQuestion, unzstd: Unzstd): HeadMap[] {
  const { maps } = mapsAnswer(body, question.refs);
  return zip(maps, question.refs).map(([message, ref], i) => {
    const map = decodeHeadMap(message, ref, question, unzstd);
    return withoutKeys(map, question.aside?.[i] ?? []);
  });
}

export function decodeHeadMap(message: MapMessage, ref: MapRef, { head: asked, pool }: HeadQuestion, unzstd: Unzstd): HeadMap {
  const failed = (error: string): HeadMap => ({
    ref,
    ...asked,
    error,
    queryAxis: tokenAxis(0),
    keyAxis: tokenAxis(0),
    values: new Float32Array(0),
    pool: null,
    valueNorms: null,
    codec: Codec.CODEC_UNKNOWN,
    quantised: false,
  });
  if (message.error !== "") return failed(message.error);
  const tiles = message.head;
  if (tiles === undefined) return failed(`No map of layer ${asked.layer} head ${asked.head} was stored.`);
  try {
    const values = decodeHead(tiles, unzstd);
    const { query, key } = axesOf(tiles);
    return {
      ref,
      layer: tiles.layer,
      head: tiles.head,
      error: null,
      queryAxis: query,
      keyAxis: key,
      values,
      pool: isPooled(tiles) ? pool : null,
      valueNorms: tiles.valueNorms.length === 4 * tiles.keys && tiles.keys > 0 ? decodeFloat32(tiles.valueNorms) : null,
      codec: tiles.codec,
      quantised: tiles.codec === Codec.SQRT_U8,
      ...(message.gapMayPass && { mayPass: true as const }),
    };
  } catch (error) {
    if (error instanceof DataError) return failed(error.message);
    throw error;
  }
}

/** With what the page shows while keys are set aside: for millions of weights that is too much for its own thread. */
function withoutKeys(map: HeadMap, positions: readonly number[]): HeadMap {
  const { error, pool, values, queryAxis, keyAxis } = map;
  if (error !== null || pool !== null || !canSetAside(keyAxis, positions)) return map;
  return { ...map, ready: { positions, rest: restOf(values, queryAxis.cells, keyAxis, positions) } };
}

/** The buffers that may move to another thread instead of being copied. */
export function transferables(maps: readonly HeadMap[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { values, valueNorms, ready } of maps) {
    for (const array of [values, valueNorms, ready?.rest.values, ready?.rest.aside.mass]) {
      if (array?.buffer instanceof ArrayBuffer) buffers.add(array.buffer);
    }
  }
  return [...buffers];
}
