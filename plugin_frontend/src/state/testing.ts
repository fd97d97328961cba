// Small indexes for tests.
import { Kind, MapState, Severity, type IndexData, type RunInfo, type SeriesInfo } from "../data/types";

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
