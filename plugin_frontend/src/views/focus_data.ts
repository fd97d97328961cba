// What the large map is told: weights, and of the example whatever belongs to their rows and columns.
import { cellMask } from "../base/axis";
import type { Overview, OverviewLayer } from "../data/types";
import type { Extent } from "../render/grid_layout";
import type { FocusData } from "../render/types";
import type { Weights } from "../state/facts";
import { withoutPaddingKeys, withoutPaddingRows } from "../state/padding";

export interface FocusInput {
  readonly overview: Overview | undefined;
  readonly weights: Weights | undefined;
  readonly signed: boolean;
  /** The map is of many texts: its rows and columns have positions, but no tokens. */
  readonly nameless?: boolean;
  readonly layer?: OverviewLayer | undefined;
  /** Of a map that grows: the size that it is drawn as a part of. */
  readonly extent?: Extent | null;
  /** Some map beside this one has weight on padding: all are to have the same columns. */
  readonly onPadding?: boolean;
}

export function focusData({ overview, weights, signed, nameless = false, layer, extent = null, onPadding = false }: FocusInput): FocusData | null {
  if (overview === undefined || weights === undefined) return null;
  const { queryAxis, keyAxis, values, pool, valueNorms, aside, edges } = weights;
  const data = withoutPaddingRows({
    queries: queryAxis.cells,
    keys: keyAxis.cells,
    queryAxis,
    keyAxis,
    values: edges?.values ?? values,
    signed,
    pool,
    aside: aside ?? null,
    edges: edges === undefined ? null : { ...edges, all: values },
    valueNorms: signed ? null : valueNorms,
    queryTokens: nameless ? null : overview.queryTokens,
    keyTokens: nameless ? null : overview.keyTokens,
    queryMask: cellMask(queryAxis, overview.queryMask),
    keyMask: cellMask(keyAxis, overview.keyMask),
    // With a cache there are more keys than queries: the last query sees the last key.
    diagonal: overview.causal === true ? keyAxis.size - queryAxis.size : null,
    window: layer?.window ?? 0,
    extent,
  });
  return onPadding || extent !== null ? data : withoutPaddingKeys(data);
}
