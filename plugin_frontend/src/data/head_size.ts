// How much memory one head's map takes, before and after it has come.
import { tokenAxis } from "../base/axis";
import type { HeadMap, OverviewLayer } from "./types";

/** What stands round the weights. */
const around = 256;

export function headBytes({ values, ready }: HeadMap): number {
  return values.byteLength + (ready?.rest.values.byteLength ?? 0) + (ready?.rest.aside.mass?.byteLength ?? 0) + around;
}

/** The same of any head of a layer, from what its overview says; 0 where no map was stored. */
export function headBytesOf({ queries, keys, rows, keptRows, keptKeys, aside }: OverviewLayer): number {
  if (keptRows === 0 || keptKeys === 0) return 0;
  const cells = tokenAxis(queries, keptRows, rows).cells;
  const every = 4 * cells * tokenAxis(keys, keptKeys).cells;
  return aside.length === 0 || keptKeys > 1 ? every + around : every + 4 * cells * (keys - aside.length + 1) + around;
}
