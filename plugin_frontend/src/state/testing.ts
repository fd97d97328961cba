// Small indexes and anomalies for tests.
import { Kind, MapState, Severity, type AnomalyGroupInfo, type AnomalyInfo, type IndexData, type RunInfo, type SeriesInfo } from "../data/types";

export function series(patch: Partial<SeriesInfo> = {}): SeriesInfo {
  const steps = patch.steps ?? [0, 100, 200];
  return {
    id: "s",
    kind: Kind.ATTENTION,
    name: "probe",
    session: "1",
    sessionStart: 1,
    newest: true,
    steps,
    wallTimes: steps.map(() => 0),
    mapStates: steps.map(() => MapState.FULL),
    severities: steps.map(() => Severity.NONE),
    examples: 2,
    workers: [],
    ...patch,
  };
}

export function index(runs: Readonly<Record<string, readonly SeriesInfo[]>>, patch: Partial<IndexData> = {}): IndexData {
  const list = Object.entries(runs).map(([name, all]): RunInfo => ({ name, series: all }));
  return { generation: "1", scanning: false, runs: list, problems: [], ...patch };
}

export function seen(rule: string, severity: Severity, patch: Partial<AnomalyInfo> = {}): AnomalyInfo {
  return {
    rule,
    severity,
    message: "",
    why: "",
    advice: "",
    observed: null,
    threshold: null,
    example: null,
    layer: null,
    head: null,
    query: null,
    key: null,
    headsAffected: 0,
    headsChecked: 0,
    ...patch,
  };
}

/** What was seen once. */
export function anomalyGroup(run: string, rule: string, severity: Severity, step: number, patch: Partial<AnomalyInfo> = {}): AnomalyGroupInfo {
  const only = seen(rule, severity, patch);
  return {
    run,
    series: run,
    name: "probe",
    kind: Kind.ATTENTION,
    firstStep: step,
    lastStep: step,
    steps: [step],
    ordinals: [0],
    first: only,
    worst: only,
    worstOrdinal: 0,
  };
}
