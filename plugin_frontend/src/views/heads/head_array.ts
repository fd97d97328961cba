// Values per head as an array for the export menu.
import type { HeadMatchInfo } from "../../data/heads";
import type { HeadRef } from "../../data/types";
import type { NumberArray } from "../../exports/npy";
import type { ExportableArray } from "../../exports/registry";
import { t } from "../../text/table";

function layersByHeads<Head extends HeadRef>(all: readonly Head[], valueOf: (one: Head) => number): NumberArray {
  const places = (numbers: readonly number[]): Map<number, number> => new Map([...new Set(numbers)].sort((a, b) => a - b).map((one, place) => [one, place]));
  const [layers, heads] = [places(all.map(({ layer }) => layer)), places(all.map(({ head }) => head))];
  const values = new Float32Array(layers.size * heads.size).fill(NaN);
  for (const one of all) values[(layers.get(one.layer) ?? 0) * heads.size + (heads.get(one.head) ?? 0)] = valueOf(one);
  return { shape: [layers.size, heads.size], values };
}

/** A value per head as [layers, heads], both ascending as in the table of the matrix; NaN where there is no such head. */
export function headArray<Head extends HeadRef>(all: readonly Head[], valueOf: (one: Head) => number): ExportableArray {
  return { axes: t("exportHeadAxes"), make: () => layersByHeads(all, valueOf) };
}

/** The pairs as [pairs, 4] in the order of the table, as `llmdebug.match_heads` returns them: layer, head of A, head of B, distance. */
export function matchArray(all: readonly HeadMatchInfo[]): ExportableArray {
  const rows = (): number[] => all.flatMap(({ layer, head, other, distance }) => [layer, head, other, distance]);
  return { axes: t("exportMatchAxes"), make: () => ({ shape: [all.length, 4], values: Float32Array.from(rows()) }) };
}
