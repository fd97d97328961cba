// Anomaly groups as the list shows them: worst first, then by when they began.
import { leastAndMost } from "../base/numbers";
import type { AnomalyGroupInfo, Severity } from "../data/types";
import { compareNames } from "./palette";

export interface RuleGroup {
  readonly rule: string;
  readonly severity: Severity;
  readonly firstStep: number;
  readonly items: readonly AnomalyGroupInfo[];
}

export function severityOf(item: AnomalyGroupInfo): Severity {
  return item.worst.severity > item.first.severity ? item.worst.severity : item.first.severity;
}

function earlierWorse(a: AnomalyGroupInfo, b: AnomalyGroupInfo): number {
  return severityOf(b) - severityOf(a) || a.firstStep - b.firstStep || compareNames(a.run, b.run);
}

/** One group per rule, its runs inside. Severe first; equal severity: the earlier first. */
export function groupByRule(items: readonly AnomalyGroupInfo[]): RuleGroup[] {
  const byRule = new Map<string, AnomalyGroupInfo[]>();
  for (const item of [...items].sort(earlierWorse)) {
    const list = byRule.get(item.first.rule);
    if (list === undefined) byRule.set(item.first.rule, [item]);
    else list.push(item);
  }
  const groups = [...byRule].flatMap(([rule, members]): RuleGroup[] => {
    const worst = members[0];
    if (worst === undefined) return [];
    const firstStep = leastAndMost(members.map((item) => item.firstStep))[0];
    return [{ rule, severity: severityOf(worst), firstStep, items: members }];
  });
  return groups.sort((a, b) => b.severity - a.severity || a.firstStep - b.firstStep || compareNames(a.rule, b.rule));
}

export function countOf(items: readonly AnomalyGroupInfo[], severity: Severity): number {
  return items.filter((item) => severityOf(item) === severity).length;
}
