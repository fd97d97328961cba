// The body of a `maps` answer -> what the application sees. Pure: runs in the worker, on the page and
// in Node alike.
import { fromBinary } from "@bufbuild/protobuf";
import {
  MapsResponseSchema,
  type Comparison,
  type LayerView,
  type Map as MapMessage,
} from "../gen/tb_llmdebug/plugin/view_pb";
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";
import { DataError } from "./errors";
import { decodeFloat32 } from "./float16";
import { axesOf, decodeHead, isPooled } from "./tiles";
import { anomalyInfo, checkInfo, tokenList } from "./translate";
import { tokenAxis } from "../base/axis";
import type { ComparisonInfo, HeadMap, HeadRef, MapRef, Overview, OverviewLayer, Pool } from "./types";
import type { Unzstd } from "./zstd";

/** Bytes of all thumbnails of one layer, at most. */
const maxThumbBytes = 1 << 26;

export interface DecodedMaps {
  /** Exactly one of the two is set per `at`. */
  readonly maps: readonly { readonly overview: Overview | null; readonly head: HeadMap | null }[];
  readonly comparisons: readonly ComparisonInfo[];
}

export interface MapsQuestion {
  readonly refs: readonly MapRef[];
  /** Set when one head was asked for. */
  readonly head: HeadRef | null;
  readonly pool: Pool;
}

export function decodeMaps(body: Uint8Array, question: MapsQuestion, unzstd: Unzstd): DecodedMaps {
  const { refs, head, pool } = question;
  const response = fromBinary(MapsResponseSchema, body);
  if (response.maps.length !== refs.length) {
    throw new DataError(`The server answered ${response.maps.length} maps where ${refs.length} were asked for.`);
  }
  const maps = refs.map((ref, i) => {
    const message = response.maps[i];
    if (message === undefined) throw new DataError("The server left a map out.");
    return head === null
      ? { overview: decodeOverview(message, ref, pool, unzstd), head: null }
      : { overview: null, head: decodeHeadMap(message, ref, head, pool, unzstd) };
  });
  return { maps, comparisons: response.comparisons.map((one) => comparisonInfo(one, refs)) };
}

function decodeHeadMap(message: MapMessage, ref: MapRef, asked: HeadRef, pool: Pool, unzstd: Unzstd): HeadMap {
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
    };
  } catch (error) {
    if (error instanceof DataError) return failed(error.message);
    throw error;
  }
}

function decodeOverview(message: MapMessage, ref: MapRef, pool: Pool, unzstd: Unzstd): Overview {
  let error = message.error === "" ? null : message.error;
  let layers: OverviewLayer[] = [];
  if (error === null) {
    try {
      layers = message.layers.map((layer) => decodeLayer(layer, message.statistics.length, unzstd));
    } catch (problem) {
      if (!(problem instanceof DataError)) throw problem;
      error = problem.message;
    }
  }
  return {
    ref,
    pool,
    error,
    step: Number(message.step),
    mapState: message.mapState,
    layers,
    statisticNames: message.statistics,
    queryTokens: message.queryTokens === undefined ? null : tokenList(message.queryTokens),
    keyTokens: message.keyTokens === undefined ? null : tokenList(message.keyTokens),
    queryMask: message.queryMask.length === 0 ? null : message.queryMask.slice(),
    keyMask: message.keyMask.length === 0 ? null : message.keyMask.slice(),
    checks: message.checks.map(checkInfo),
    anomalies: message.anomalies.map(anomalyInfo),
    reduction: message.reduction,
    causal: message.causal ?? null,
    batch: message.batch,
  };
}

function decodeLayer(view: LayerView, statistics: number, unzstd: Unzstd): OverviewLayer {
  const heads = view.heads.length;
  if (view.statistics.length !== 0 && view.statistics.length !== 4 * heads * statistics) {
    throw new DataError(
      `Layer ${view.layer} has ${view.statistics.length} bytes of statistics where ${4 * heads * statistics} belong.`,
    );
  }
  const thumbs = decodeThumbs(view, unzstd);
  return {
    layer: view.layer,
    label: view.label,
    heads: view.heads,
    queries: view.queries,
    keys: view.keys,
    statistics: decodeFloat32(view.statistics),
    keyValueHeads: view.keyValueHeads,
    thumbRows: view.thumbRows,
    thumbCols: view.thumbCols,
    pooled: view.pooled,
    pooledRows: view.pooledRows === 0 ? view.pooled : view.pooledRows,
    rows: view.rows,
    keptRows: view.keptRows,
    keptKeys: view.keptKeys,
    thumbs,
    thumbPeak: view.thumbPeak,
    headPeaks: headPeaks(thumbs, heads),
    notFinite: Uint8Array.from({ length: heads }, (_, i) => view.notFinite[i] ?? 0),
  };
}

function decodeThumbs(view: LayerView, unzstd: Unzstd): Uint8Array | null {
  if (view.thumbs.length === 0) return null;
  const size = view.heads.length * view.thumbRows * view.thumbCols;
  if (size === 0 || size > maxThumbBytes) {
    throw new DataError(`The thumbnails of layer ${view.layer} declare ${size} bytes, which the page refuses.`);
  }
  return unzstd(view.thumbs, size);
}

/** Largest value of each head's thumbnail. */
export function headPeaks(thumbs: Uint8Array | null, heads: number): Uint8Array {
  const peaks = new Uint8Array(heads);
  if (thumbs === null || heads === 0) return peaks;
  const size = thumbs.length / heads;
  for (let head = 0; head < heads; head += 1) {
    let peak = 0;
    for (let i = head * size; i < (head + 1) * size; i += 1) peak = Math.max(peak, thumbs[i] ?? 0);
    peaks[head] = peak;
  }
  return peaks;
}

function comparisonInfo(message: Comparison, refs: readonly MapRef[]): ComparisonInfo {
  const a = refs[message.a];
  const b = refs[message.b];
  if (a === undefined || b === undefined) throw new DataError("The server compared maps that were not asked for.");
  const layers = message.layers.map(({ layer, heads, distance, floor }) => ({ layer, heads, distance, floor }));
  return { a, b, error: message.error === "" ? null : message.error, layers };
}

/** The buffers that may move to another thread instead of being copied. */
export function transferables(decoded: DecodedMaps): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const add = (array: { readonly buffer: ArrayBufferLike } | null): void => {
    if (array !== null && array.buffer instanceof ArrayBuffer) buffers.add(array.buffer);
  };
  for (const { overview, head } of decoded.maps) {
    if (head !== null) add(head.values);
    if (head !== null) add(head.valueNorms);
    for (const layer of overview?.layers ?? []) {
      add(layer.thumbs);
      add(layer.statistics);
    }
  }
  return [...buffers];
}
