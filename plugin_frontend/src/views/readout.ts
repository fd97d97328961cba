// What is under the pointer on the large map, in words.
import { spanOf } from "../base/axis";
import { formatCount, formatNumber, formatPercent } from "../base/format";
import type { FocusData } from "../render/types";
import { LEAST_REST } from "../data/sinks";
import { t } from "../text/table";
import { blockValue, spanName, tokenName } from "./spans";

const LONG_TEXT = 256;

/** One weight, what it was of the whole row, and whether it is one of the edges that are drawn. */
export function cellText(data: FocusData, row: number, column: number): string {
  const { queryAxis, keyAxis, queryTokens, keyTokens, pool, edges, aside } = data;
  const place = row * data.keys + column;
  const value = (edges?.all ?? data.values)[place] ?? NaN;
  const weight = formatNumber(value);
  if (pool !== null) {
    const [query, key] = [spanName(queryTokens, queryAxis, row), spanName(keyTokens, keyAxis, column)];
    return t("blockAt", { query, key, what: t(blockValue(pool, data.signed)), weight });
  }
  const [query, key] = [spanOf(queryAxis, row).first, spanOf(keyAxis, column).first];
  const names = { query: tokenName(queryTokens, query), key: tokenName(keyTokens, key), weight };
  // In a long text the same token comes many times.
  const long = (queryTokens !== null || keyTokens !== null) && Math.max(queryAxis.size, keyAxis.size) > LONG_TEXT;
  const said = long
    ? t("weightAtPlaces", { ...names, row: formatCount(query), column: formatCount(key) })
    : t("weightAt", names);
  const parts = [said];
  const gone = aside?.mass?.[row] ?? NaN;
  if (!data.signed && gone > 0 && value > 0) parts.push(t("asideRaw", { weight: formatNumber(value * (1 - gone)) }));
  if (edges !== null && value !== 0 && data.values[place] === 0) parts.push(t("edgesOut"));
  const norm = data.valueNorms?.[key];
  if (norm !== undefined) parts.push(t("valueNorm", { norm: formatNumber(norm) }));
  return parts.join(" · ");
}

function asideText(data: FocusData, row: number): string[] {
  const mass = data.aside?.mass;
  if (mass === undefined || mass === null) return [];
  const share = mass[row] ?? NaN;
  const { queryAxis, queryTokens } = data;
  const query = queryAxis.block > 1 ? spanName(queryTokens, queryAxis, row) : tokenName(queryTokens, spanOf(queryAxis, row).first);
  if (Number.isNaN(share)) return [t("asideUnknown", { query })];
  if (data.signed) return [t("asideRowChange", { query, share: formatPercent(share) })];
  const said = [t("asideRow", { query, share: formatPercent(share) })];
  return share > 1 - LEAST_REST && share < 1 ? [...said, t("asideNothingLeft")] : said;
}

function edgesText(data: FocusData, row: number): string[] {
  const { edges, signed, keys } = data;
  if (edges === null) return [];
  const n = formatCount(edges.counts[row] ?? 0);
  return [t(signed ? "edgesCountChange" : "edgesCount", { n, keys: formatCount(keys), percent: edges.percent })];
}

/** A row as a whole: what was set aside of it, and how many edges make up the chosen share. */
export function rowText(data: FocusData, row: number): string {
  return [...asideText(data, row), ...edgesText(data, row)].join(" · ");
}

/** What the pointer or the keyboard is at; "" where there is nothing to say. */
export function readoutText(data: FocusData, row: number | null, column: number | null): string {
  if (row === null) return "";
  if (column === null) return rowText(data, row);
  return [cellText(data, row, column), ...edgesText(data, row)].join(" · ");
}
