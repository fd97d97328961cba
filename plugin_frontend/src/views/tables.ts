// The Attributions and Anomalies views as tables for the export menu.
import { Severity, type AnomalyGroupInfo, type AttributionsData } from "../data/types";
import type { Table, TableCell } from "../exports/csv";
import { rawToken } from "./exporting";

/** One row per run, step and token: scores signed and raw, as they were logged. */
export function scoresTable(runs: ReadonlyMap<string, AttributionsData>): Table {
  const rows = [...runs].flatMap(([run, { steps }]) =>
    [...steps]
      .sort((a, b) => a.step - b.step)
      .flatMap((strip) =>
        Array.from(strip.scores, (score, place): TableCell[] => [
          run, strip.step, place, rawToken(strip.tokens, place), score, strip.target, strip.method, strip.rule, strip.baseline, strip.output, strip.baselineOutput, strip.delta,
        ]),
      ),
  );
  const header = ["run", "step", "position", "token", "score", "target", "method", "rule", "baseline", "output", "baseline output", "delta"];
  return { header, rows };
}

const SEVERITY: Readonly<Record<Severity, string>> = {
  [Severity.NONE]: "none",
  [Severity.INFO]: "info",
  [Severity.WARNING]: "warning",
  [Severity.ERROR]: "error",
};

/** One row per rule that spoke in a series, as it spoke first and at its worst. */
export function anomaliesTable(groups: readonly AnomalyGroupInfo[]): Table {
  const rows = groups.map(({ run, name, first, worst, firstStep, lastStep, steps, ordinals, worstOrdinal }): TableCell[] => [
    run, name, first.rule, SEVERITY[worst.severity], firstStep, lastStep, steps.length, first.message, first.observed, first.threshold,
    first.example, first.layer, first.head, first.query, first.key, first.headsAffected, first.headsChecked,
    steps[ordinals.indexOf(worstOrdinal)] ?? null, worst.observed, first.why, first.advice,
  ]);
  const header = [
    "run", "name", "rule", "severity", "first step", "last step", "records", "message", "observed", "threshold",
    "example", "layer", "head", "query", "key", "heads affected", "heads checked", "worst step", "worst observed", "why", "advice",
  ];
  return { header, rows };
}
