// The body of a `maps` answer that holds overviews -> what the application sees. Pure. Runs on the page:
// nothing in it is compressed any more, so that the first picture waits for no worker.
import {
  MapsResponse,
  type Comparison,
  type LayerView,
  type Map as MapMessage,
} from "../gen/tb_llmdebug/plugin/view_pb";
import { DataError } from "./errors";
import { decodeFloat32 } from "./float16";
import { anomalyInfo, checkInfo, tokenList } from "./translate";
import type { ComparisonInfo, Look, MapRef, Overview, OverviewLayer } from "./types";

export interface Overviews {
  readonly overviews: readonly Overview[];
  readonly comparisons: readonly ComparisonInfo[];
}

/** The answer for `refs`, with one message for each. */
export function mapsAnswer(body: Uint8Array, refs: readonly MapRef[]): MapsResponse {
  const response = MapsResponse.decode(body);
  if (response.maps.length !== refs.length) {
    throw new DataError(`The server answered ${response.maps.length} maps where ${refs.length} were asked for.`);
  }
  return response;
}

export function decodeOverviews(body: Uint8Array, refs: readonly MapRef[], look: Look): Overviews {
  const { maps, comparisons } = mapsAnswer(body, refs);
  return {
    overviews: zip(maps, refs).map(([message, ref]) => decodeOverview(message, ref, look)),
    comparisons: comparisons.map((one) => comparisonInfo(one, refs)),
  };
}

/** Pairs of two lists of equal length. */
export function zip<A, B>(first: readonly A[], second: readonly B[]): [A, B][] {
  return first.flatMap((one, i): [A, B][] => {
    const other = second[i];
    return other === undefined ? [] : [[one, other]];
  });
}

export function decodeOverview(message: MapMessage, ref: MapRef, { pool, sinks }: Look): Overview {
  let error = message.error === "" ? null : message.error;
  let layers: OverviewLayer[] = [];
  if (error === null) {
    try {
      layers = message.layers.map((layer) => decodeLayer(layer, message.statistics.length));
    } catch (problem) {
      if (!(problem instanceof DataError)) throw problem;
      error = problem.message;
    }
  }
  return {
    ref,
    pool,
    sinks,
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
    withoutMap: message.withoutMap.map(({ layer, label, mixer, linear }) => ({ layer, label, mixer, linear })),
    continued: message.continued,
    gap: message.gap,
    ...(message.gapMayPass && { mayPass: true as const }),
  };
}

function decodeLayer(view: LayerView, statistics: number): OverviewLayer {
  const heads = view.heads.length;
  if (view.statistics.length !== 0 && view.statistics.length !== 4 * heads * statistics) {
    throw new DataError(
      `Layer ${view.layer} has ${view.statistics.length} bytes of statistics where ${4 * heads * statistics} belong.`,
    );
  }
  const thumbs = thumbsOf(view);
  return {
    layer: view.layer,
    label: view.label,
    heads: view.heads,
    queries: view.queries,
    keys: view.keys,
    statistics: decodeFloat32(view.statistics),
    keyValueHeads: view.keyValueHeads,
    ofHeads: view.ofHeads,
    window: view.window,
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
    aside: view.aside,
    asideMass: view.asideMass.length === 4 * heads ? decodeFloat32(view.asideMass) : new Float32Array(0),
  };
}

function thumbsOf({ layer, heads, thumbRows, thumbCols, thumbs }: LayerView): Uint8Array | null {
  if (thumbs.length === 0) return null;
  const size = heads.length * thumbRows * thumbCols;
  if (thumbs.length !== size) {
    throw new DataError(`The thumbnails of layer ${layer} have ${thumbs.length} bytes where ${size} belong.`);
  }
  // A copy: the whole answer, with other maps in it, would stay for as long as one of them is kept.
  return thumbs.slice();
}

/** Largest value of each head's thumbnail. */
export function headPeaks(thumbs: Uint8Array | null, heads: number): Uint8Array {
  const peaks = new Uint8Array(heads);
  if (thumbs === null || heads === 0) return peaks;
  const size = thumbs.length / heads;
  for (let head = 0; head < heads; head += 1) {
    let peak = 0;
    for (let i = head * size; i < (head + 1) * size; i += 1) {
      const value = thumbs[i] ?? 0;
      if (value > peak) peak = value;
    }
    peaks[head] = peak;
  }
  return peaks;
}

export function comparisonInfo(message: Comparison, refs: readonly MapRef[]): ComparisonInfo {
  const a = refs[message.a];
  const b = refs[message.b];
  if (a === undefined || b === undefined) throw new DataError("The server compared maps that were not asked for.");
  const layers = message.layers.map(({ layer, heads, distance, floor }) => ({ layer, heads, distance, floor }));
  return { a, b, error: message.error === "" ? null : message.error, layers };
}
