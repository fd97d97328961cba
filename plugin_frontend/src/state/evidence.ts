// From an anomaly to the selection that shows it.
import { Kind, type AnomalyGroupInfo, type AnomalyInfo } from "../data/types";
import type { Selection } from "./selection";

/**
 * The change that brings the evidence on screen: its run among the visible ones and in focus, its step,
 * example, head and tokens. What the anomaly does not name stays as it is, except that locks of another
 * place are released.
 */
export function evidencePatch(
  selection: Selection,
  visible: readonly string[],
  group: AnomalyGroupInfo,
  evidence: AnomalyInfo,
  step: number,
): Partial<Selection> {
  const attribution = group.kind === Kind.ATTRIBUTION;
  const shown = visible.includes(group.run) ? {} : { runs: [...visible, group.run] };
  const named = attribution ? { attribution: group.name } : group.kind === Kind.ATTENTION ? { name: group.name } : {};
  return {
    ...shown,
    ...named,
    view: attribution ? "attributions" : "attention",
    run: group.run,
    step,
    example: evidence.example ?? selection.example,
    layer: evidence.layer ?? (evidence.head === null ? null : selection.layer),
    head: evidence.head,
    query: evidence.query,
    key: evidence.key,
    difference: false,
  };
}
