// What part of something large is in a figure: of a map the whole cells in sight.
import { clamp } from "../base/numbers";
import type { Window } from "../render/focus_raster";
import type { FocusData, FocusView } from "../render/types";

/** Whole cells of the part in sight. */
export function windowOf({ keys, queries }: FocusData, view: FocusView | null): Window {
  if (view === null) return { key: 0, query: 0, keys, queries };
  const key = clamp(Math.floor(view.key + 0.01), 0, keys - 1);
  const query = clamp(Math.floor(view.query + 0.01), 0, queries - 1);
  return {
    key,
    query,
    keys: clamp(Math.ceil(view.key + view.keys - 0.01) - key, 1, keys - key),
    queries: clamp(Math.ceil(view.query + view.queries - 0.01) - query, 1, queries - query),
  };
}

/** Rows of a table that stand below each other in a figure: more are taller than a page. */
export const rowsDown = 56;
