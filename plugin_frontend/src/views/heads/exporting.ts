// What the Heads view enters for the export menu: the numbers behind its curves and its matrix.
import { formatCount } from "../../base/format";
import type { Table, TableCell } from "../../exports/csv";
import type { Exportable } from "../../exports/registry";
import { ordinalsByStep, spreadAt, valueAt, valueAtStep } from "../../state/heads";
import { statisticName, t } from "../../text/table";
import type { HeadsShown } from "./focus";

/** One row per run, step and head; with the standard deviation where values are means over examples. */
export function curvesTable({ runs, state, worker }: HeadsShown): Table {
  const means = runs.some(({ data }) => data.spreads !== null);
  const rows = runs.flatMap((run) =>
    ordinalsByStep(run, worker).flatMap((ordinal) =>
      run.data.layers.flatMap(({ layer, heads }) =>
        heads.map((head): TableCell[] => {
          const at = { layer, head };
          const spread = means ? [spreadAt(run.data, ordinal, at, state.statistic)] : [];
          return [run.run, run.data.steps[ordinal] ?? null, layer, head, valueAt(run.data, ordinal, at, state.statistic), ...spread];
        }),
      ),
    ),
  );
  return { header: ["run", "step", "layer", "head", state.statistic, ...(means ? [`${state.statistic} spread`] : [])], rows };
}

/** One row per run and layer, one column per head, at the step on screen. */
export function matrixTable({ runs, rows: all, state, step, worker }: HeadsShown): Table {
  const heads = [...new Set(all.flatMap((row) => row.heads))].sort((a, b) => a - b);
  const rows = runs.flatMap((run) =>
    run.data.layers.map((layer): TableCell[] => [
      run.run,
      layer.layer,
      ...heads.map((head) => (layer.heads.includes(head) ? valueAtStep(run, step, { layer: layer.layer, head }, state.statistic, worker) : null)),
    ]),
  );
  return { header: ["run", "layer", ...heads.map((head) => `head ${head}`)], rows };
}

export function headsEntries(shown: HeadsShown, name: string): Exportable[] {
  const { runs, state, step } = shown;
  if (runs.length === 0) return [];
  const statistic = statisticName(state.statistic);
  const parts = [...runs.map(({ run }) => run), name, state.statistic];
  return [
    { id: "1 curves", section: "table", title: t("exportCurves", { statistic }), parts: [...parts, "all steps"], table: () => curvesTable(shown) },
    {
      id: "2 matrix",
      section: "table",
      title: t("exportMatrix", { statistic, step: formatCount(step) }),
      parts: [...parts, `step ${step}`],
      table: () => matrixTable(shown),
    },
  ];
}
