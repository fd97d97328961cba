// Overviews of maps for tests: what is not named is as plain as can be.
import { MapState, type Overview, type OverviewLayer } from "./types";

export function overviewOf(patch: Partial<Overview> = {}): Overview {
  return {
    ref: { series: "s", ordinal: 0, example: 0 },
    pool: "max",
    sinks: "shown",
    error: null,
    step: 0,
    mapState: MapState.FULL,
    layers: [],
    statisticNames: [],
    queryTokens: null,
    keyTokens: null,
    queryMask: null,
    keyMask: null,
    checks: [],
    anomalies: [],
    reduction: "",
    causal: null,
    batch: 1,
    withoutMap: [],
    continued: 0,
    gap: "",
    ...patch,
  };
}

/** A layer of thumbnails of `rows` x `cols` texels, as many heads as are named. */
export function overviewLayerOf(heads: readonly number[], rows: number, cols: number, thumbs: Uint8Array | null, patch: Partial<OverviewLayer> = {}): OverviewLayer {
  return {
    layer: 0,
    label: "",
    heads,
    queries: rows,
    keys: cols,
    statistics: new Float32Array(0),
    keyValueHeads: 0,
    ofHeads: 0,
    window: 0,
    thumbRows: rows,
    thumbCols: cols,
    pooled: 1,
    pooledRows: 1,
    rows: [],
    keptRows: 1,
    keptKeys: 1,
    thumbs,
    thumbPeak: 1,
    headPeaks: new Uint8Array(heads.length),
    notFinite: new Uint8Array(heads.length),
    aside: [],
    asideMass: new Float32Array(0),
    ...patch,
  };
}
