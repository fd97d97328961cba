// The index of a saved page: the records that were on screen, and nothing else.
import type { IndexData, MapRef, RunInfo, SeriesInfo } from "../data/types";
import type { RecordRef } from "./resolve";

export interface Narrowed {
  readonly index: IndexData;
  /** The name of a record's shown example in the file. */
  readonly refOf: (record: RecordRef) => MapRef;
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
    examples: 1,
  };
}

/** Runs and series without any of the records are left out; of the examples the shown one becomes the first. */
export function narrowed(index: IndexData, records: readonly RecordRef[]): Narrowed {
  const kept = new Map<string, number[]>();
  for (const { series, ordinal } of records) {
    const ordinals = kept.get(series.id) ?? [];
    if (!ordinals.includes(ordinal)) kept.set(series.id, [...ordinals, ordinal].sort((a, b) => a - b));
  }
  const runs = index.runs.flatMap((run): RunInfo[] => {
    const series = run.series.flatMap((one) => {
      const ordinals = kept.get(one.id);
      return ordinals === undefined ? [] : [narrowSeries(one, ordinals)];
    });
    return series.length === 0 ? [] : [{ ...run, series }];
  });
  return {
    index: { generation: "saved", scanning: false, runs, problems: [] },
    refOf: ({ series, ordinal }) => ({ series: series.id, ordinal: kept.get(series.id)?.indexOf(ordinal) ?? 0, example: 0 }),
  };
}
