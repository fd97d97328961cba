// The index of a saved page: the records that were on screen, or the series they are of, and nothing else.
import type { IndexData, RunInfo, SeriesInfo } from "../data/types";
import type { RecordRef } from "./resolve";

export interface Narrowed {
  readonly index: IndexData;
  /** The number of a record in the file. */
  readonly renumber: (series: string, ordinal: number) => number;
}

function pick<T>(list: readonly T[], ordinals: readonly number[]): T[] {
  return list.length === 0 ? [] : ordinals.flatMap((ordinal) => (ordinal < list.length ? [list[ordinal] as T] : []));
}

function narrowSeries(series: SeriesInfo, ordinals: readonly number[]): SeriesInfo {
  return {
    ...series,
    newest: true,
    steps: pick(series.steps, ordinals),
    wallTimes: pick(series.wallTimes, ordinals),
    mapStates: pick(series.mapStates, ordinals),
    severities: pick(series.severities, ordinals),
    workers: pick(series.workers, ordinals),
  };
}

/** Holds the series in `whole`, and of others only the records given; runs without either are left out. */
export function narrowed(index: IndexData, records: readonly RecordRef[], whole: ReadonlySet<string> = new Set()): Narrowed {
  const kept = new Map<string, number[]>();
  for (const { series, ordinal } of records) {
    const ordinals = kept.get(series.id) ?? [];
    if (!ordinals.includes(ordinal)) kept.set(series.id, [...ordinals, ordinal].sort((a, b) => a - b));
  }
  const runs = index.runs.flatMap((run): RunInfo[] => {
    const series = run.series.flatMap((one) => {
      if (whole.has(one.id)) return [{ ...one, newest: true }];
      const ordinals = kept.get(one.id);
      return ordinals === undefined ? [] : [narrowSeries(one, ordinals)];
    });
    return series.length === 0 ? [] : [{ ...run, series }];
  });
  return {
    index: { generation: "saved", scanning: false, runs, problems: [] },
    renumber: (series, ordinal) => (whole.has(series) ? ordinal : (kept.get(series)?.indexOf(ordinal) ?? 0)),
  };
}
