// Looking up what an overview says about one head.
import { tokenAxis, type TokenAxis } from "../base/axis";
import { axisWithout, type Aside } from "../data/sinks";
import type { Edges } from "./edges";
import type { HeadMap, HeadRef, Overview, OverviewLayer, Pool, TokenList } from "../data/types";

export function layerOf(overview: Overview | undefined, layer: number): OverviewLayer | undefined {
  return overview?.layers.find((one) => one.layer === layer);
}

/** A statistic of a head by name; undefined when it was not logged. NaN means "not defined here". */
export function statisticOf(overview: Overview | undefined, at: HeadRef, name: string): number | undefined {
  const layer = layerOf(overview, at.layer);
  const column = overview?.statisticNames.indexOf(name) ?? -1;
  const row = layer?.heads.indexOf(at.head) ?? -1;
  if (layer === undefined || overview === undefined || column < 0 || row < 0) return undefined;
  return layer.statistics[row * overview.statisticNames.length + column];
}

/** What is known of one head's map. */
export interface Weights {
  readonly queryAxis: TokenAxis;
  readonly keyAxis: TokenAxis;
  /** [rows, columns] */
  readonly values: Float32Array;
  /** What a block's value is; null where each cell is one weight. */
  readonly pool: Pool | null;
  readonly valueNorms: Float32Array | null;
  /** Keys that were set aside; absent: all are there. */
  readonly aside?: Aside;
  /** Which edges are drawn; absent: all are. */
  readonly edges?: Edges;
}

/** The weights of a head out of its thumbnail, if the thumbnail holds every one: shown until the exact ones come. */
export function weightsFromThumb(overview: Overview | undefined, at: HeadRef): Weights | undefined {
  const layer = layerOf(overview, at.layer);
  const place = layer?.heads.indexOf(at.head) ?? -1;
  if (layer === undefined || layer.thumbs === null || place < 0) return undefined;
  const queryAxis = tokenAxis(layer.queries, 1, layer.rows);
  const { aside } = layer;
  const keyAxis = aside.length === 0 ? tokenAxis(layer.keys) : axisWithout(tokenAxis(layer.keys), aside);
  const every = layer.pooled === 1 && layer.pooledRows === 1;
  if (!every || layer.thumbRows !== queryAxis.cells || layer.thumbCols !== keyAxis.cells) return undefined;
  const size = layer.thumbRows * layer.thumbCols;
  const codes = layer.thumbs.subarray(place * size, (place + 1) * size);
  const values = Float32Array.from(codes, (code) => layer.thumbPeak * (code / 255) ** 2);
  const known = { queryAxis, keyAxis, values, pool: null, valueNorms: null };
  return aside.length === 0 ? known : { ...known, aside: { positions: aside, mass: null } };
}

export function usable(map: HeadMap | undefined): Weights | undefined {
  return map === undefined || map.error !== null ? undefined : map;
}

/** Whether a thumbnail or what is stored of a layer shows blocks of weights. */
export function isPooled(layer: OverviewLayer): boolean {
  return Math.max(layer.pooled, layer.pooledRows, layer.keptRows, layer.keptKeys) > 1;
}

/** Whether nothing finer than blocks of weights was kept of any layer. */
export function onlyBlocks(overview: Overview): boolean {
  return overview.layers.length > 0 && overview.layers.every((layer) => layer.keptRows * layer.keptKeys > 1);
}

/** Whether two records keep blocks of the same size of the same inputs: then B-A of the blocks means something. */
export function sameBlocks(a: Overview | undefined, b: Overview | undefined): boolean {
  if (a === undefined || b === undefined || !onlyBlocks(a) || !onlyBlocks(b)) return false;
  const [one, other] = [a.layers[0], b.layers[0]];
  const blocks = one?.keptRows === other?.keptRows && one?.keptKeys === other?.keptKeys;
  return blocks && sameTokens(a.queryTokens, b.queryTokens) && sameTokens(a.keyTokens, b.keyTokens);
}

/** Nothing known of one of them counts as the same. */
export function sameTokens(a: TokenList | null, b: TokenList | null): boolean {
  if (a === b || a === null || b === null) return true;
  return a.text.length === b.text.length && a.text.every((text, i) => text === b.text[i]);
}

/** Layers and heads over all overviews, so that the arrow keys reach every one of them. */
export function headRowsOf(overviews: readonly Overview[]): { layer: number; heads: number[] }[] {
  const rows = new Map<number, Set<number>>();
  for (const overview of overviews) {
    for (const layer of overview.layers) {
      const heads = rows.get(layer.layer) ?? new Set<number>();
      layer.heads.forEach((head) => heads.add(head));
      rows.set(layer.layer, heads);
    }
  }
  return [...rows]
    .map(([layer, heads]) => ({ layer, heads: [...heads].sort((a, b) => a - b) }))
    .sort((a, b) => a.layer - b.layer);
}

/** A round number at or above x: the end of a locked scale. */
export function niceCeil(x: number): number {
  if (!(x > 0) || !Number.isFinite(x)) return 1;
  const power = 10 ** Math.floor(Math.log10(x));
  const unit = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((one) => one * power >= x * (1 - 1e-9)) ?? 10;
  return Math.min(1, Number((unit * power).toPrecision(6)));
}
