// What the list of anomalies enters for the export menu: what was seen where, with its steps on one axis.
import { formatCount, formatNumber } from "../base/format";
import { leastAndMost } from "../base/numbers";
import type { AnomalyGroupInfo } from "../data/types";
import type { Exportable } from "../exports/registry";
import { rowsDown } from "../exports/window";
import { severityOf, type RuleGroup } from "../state/anomalies";
import type { Store } from "../state/store";
import { elideMiddle, shownText } from "../text/format";
import { ruleSentence, ruleTitle, t } from "../text/table";
import { figureLane, type Span } from "./anomaly_lane";
import { listEntry } from "./lists";
import { SEVERITY } from "./severity";
import { anomaliesTable } from "./tables";

export interface AnomaliesShown {
  /** As they were logged. */
  readonly items: readonly AnomalyGroupInfo[];
  /** As they are listed. */
  readonly groups: readonly RuleGroup[];
  readonly span: Span;
  /** How many of each severity, in words. */
  readonly summary: string;
}

/** Characters of rule, run and name beside each other: a page has room for so many. */
const MOST_WORDS = 54;
const LONGEST_TITLE = 60;

/** What columns of words get of `all` characters: the longest is cut first. */
export function shares(longest: readonly number[], all: number): number[] {
  const given = longest.map((length) => Math.min(length, all));
  for (let over = given.reduce((sum, one) => sum + one, 0) - all; over > 0; over -= 1) {
    const most = Math.max(...given);
    given[given.indexOf(most)] = most - 1;
  }
  return given;
}

/** Rule, run and name of every row, so long that they fit beside each other. */
function wordsOf(rows: readonly AnomalyGroupInfo[]): Map<AnomalyGroupInfo, readonly string[]> {
  const whole = rows.map(({ first, run, name }) => [ruleTitle(first.rule), run, name]);
  const most = [0, 1, 2].map((column) => leastAndMost(whole.map((words) => words[column]?.length ?? 0))[1]);
  const lengths = shares(most, MOST_WORDS);
  return new Map(rows.map((one, row) => [one, (whole[row] ?? []).map((text, column) => elideMiddle(text, lengths[column] ?? 0))]));
}

const numberText = (value: number | null): string => (value === null ? "–" : formatNumber(value));
const stepsText = ({ firstStep, lastStep }: AnomalyGroupInfo): string => [...new Set([firstStep, lastStep])].map(formatCount).join(" – ");

function whyText({ rule, items }: RuleGroup): string[] {
  const why = ruleSentence(rule, "why", items[0]?.first.why ?? "");
  return why === "" ? [] : [t("exportWhy", { rule: elideMiddle(ruleTitle(rule), LONGEST_TITLE), why: shownText(why) })];
}

export function anomaliesEntry(store: Store, { items, groups, span, summary }: AnomaliesShown): Exportable {
  const rows = groups.flatMap((group) => group.items);
  const words = wordsOf(rows);
  const word = (one: AnomalyGroupInfo, column: number): string => words.get(one)?.[column] ?? "";
  return listEntry(store, {
    id: "anomalies",
    title: t("exportAnomalies"),
    subtitle: summary,
    caption: groups.flatMap(whyText),
    parts: ["anomalies"],
    rows,
    of: rows.length,
    mostRows: rowsDown,
    placeTitle: "",
    nameTitle: t("exportRule"),
    rowOf: (one) => ({ place: t(SEVERITY[severityOf(one)].text), name: word(one, 0), chosen: false }),
    columns: [
      { title: t("exportRun"), words: true, text: (one) => word(one, 1) },
      { title: t("exportName"), words: true, muted: true, text: (one) => word(one, 2) },
      { title: t("exportObserved"), text: ({ first }) => numberText(first.observed) },
      { title: t("exportThreshold"), muted: true, text: ({ first }) => numberText(first.threshold) },
      { title: t("exportSeen"), text: stepsText },
      { title: t("exportLane", { first: formatCount(span.first), last: formatCount(span.last) }), muted: true, lane: ({ steps }) => figureLane(steps, span) },
    ],
    table: () => anomaliesTable(items),
  });
}
