// Which runs are shown before the reader has chosen any: those that were started last, one with an anomaly
// among them. By the start, not by the last record: of runs that log side by side the picture must not jump.
import { Severity, type SeriesInfo } from "../data/types";
import { compareNames } from "./palette";

/** What fits side by side. */
export const DEFAULT_VISIBLE_RUNS = 3;
/** Runs started at intervals no longer than this are one batch (a sweep, say), which is in the order of names. */
const ONE_BATCH_SECONDS = 60;

export interface Candidate {
  readonly name: string;
  readonly series: SeriesInfo;
}

const isFlagged = ({ series }: Candidate): boolean => series.severities.some((severity) => severity > Severity.INFO);

/** Newest batch first. */
function ranked(candidates: readonly Candidate[]): Candidate[] {
  const byStart = [...candidates].sort((a, b) => b.series.sessionStart - a.series.sessionStart);
  const batches: Candidate[][] = [];
  let before = Infinity;
  for (const one of byStart) {
    const batch = batches[batches.length - 1];
    if (batch !== undefined && before - one.series.sessionStart <= ONE_BATCH_SECONDS) batch.push(one);
    else batches.push([one]);
    before = one.series.sessionStart;
  }
  return batches.flatMap((batch) => batch.sort((a, b) => compareNames(a.name, b.name)));
}

export function defaultRuns(candidates: readonly Candidate[], most = DEFAULT_VISIBLE_RUNS): string[] {
  const all = ranked(candidates);
  const first = all.slice(0, most);
  const flagged = all.find(isFlagged);
  if (flagged !== undefined && !first.some(isFlagged)) first.splice(-1, 1, flagged);
  return first.map(({ name }) => name);
}
