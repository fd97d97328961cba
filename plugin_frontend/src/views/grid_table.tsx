// The table alternative of the grid: one statistic for every layer and head, in numbers.
import { useComputed } from "@preact/signals";
import type { HeadRef, Overview } from "../data/types";
import type { Table, TableCell } from "../exports/csv";
import { useApp } from "../frame/context";
import { statisticOf } from "../state/facts";
import { DEFAULT_TABLE_STATISTIC } from "../state/selection";
import { statisticDefinition, statisticName, t } from "../text/table";
import { withoutMapText, withoutMapTitle } from "./architecture";
import { useExport } from "./exporting";
import { formatStatistic } from "./head_facts";

interface Props {
  readonly run: string;
  readonly overview: Overview;
  /** A and B may be of one run: their tables need names of their own. */
  readonly label: string;
}

/** As it stands on screen: a row per layer, a column per head; empty where a layer has no such head. */
function tableOf(overview: Overview, heads: readonly number[], statistic: string): Table {
  const rows = overview.layers.map((layer): TableCell[] => [
    layer.layer,
    ...heads.map((head) => (layer.heads.includes(head) ? (statisticOf(overview, { layer: layer.layer, head }, statistic) ?? null) : null)),
  ]);
  return { header: ["layer", ...heads.map((head) => `head ${head}`)], rows };
}

interface CellProps {
  readonly overview: Overview;
  readonly at: HeadRef;
  readonly statistic: string;
}

function Cell({ overview, at, statistic }: CellProps): preact.JSX.Element {
  const { store } = useApp();
  // Of thousands of cells only two change when another head is shown.
  const chosen = useComputed(() => store.head.value?.layer === at.layer && store.head.value.head === at.head).value;
  const value = statisticOf(overview, at, statistic);
  return (
    <td class="number" data-chosen={chosen}>
      <button
        type="button"
        aria-pressed={chosen}
        aria-label={t("headLabel", { ...at, facts: `${statisticName(statistic)} ${formatStatistic(statistic, value)}` })}
        onMouseEnter={() => store.setHover(at)}
        onMouseLeave={() => store.setHover({})}
        onClick={() => store.lockHead(at)}
      >
        {formatStatistic(statistic, value, false)}
      </button>
    </td>
  );
}

function StatisticChoice({ names, shown }: { readonly names: readonly string[]; readonly shown: string }): preact.JSX.Element {
  const { store } = useApp();
  return (
    <label class="control">
      <span class="visually-hidden">{t("tableStatistic")}</span>
      <select value={shown} title={statisticDefinition(shown)} onChange={(event) => store.update({ tableStatistic: event.currentTarget.value })}>
        {names.map((name) => (
          <option key={name} value={name}>
            {statisticName(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function GridTable({ run, overview, label }: Props): preact.JSX.Element {
  const { store } = useApp();
  const { tableStatistic } = store.selection.value;
  // A link may name one that these logs do not have.
  const statistic = overview.statisticNames.includes(tableStatistic) ? tableStatistic : DEFAULT_TABLE_STATISTIC;
  const heads = [...new Set(overview.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
  const rows = [...overview.layers, ...overview.withoutMap].sort((a, b) => a.layer - b.layer);
  useExport([
    {
      id: `0 grid ${run}`,
      section: "table",
      title: t("exportGridTable", { statistic: statisticName(statistic), run }),
      parts: [run, store.resolved.value.name ?? "", `step ${overview.step}`, statistic],
      table: () => tableOf(overview, heads, statistic),
    },
  ]);
  return (
    <div class="grid-table" tabIndex={0} role="region" aria-label={label} data-testid="grid-table">
      <StatisticChoice names={overview.statisticNames} shown={statistic} />
      <table>
        <caption class="visually-hidden">{t("tableCaption", { statistic: statisticName(statistic), run })}</caption>
        <thead>
          <tr>
            <th scope="col">{`${t("layer")} \\ ${t("head")}`}</th>
            {heads.map((head) => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((layer) => "mixer" in layer ? (
            <tr key={layer.layer} data-testid="row-without-map">
              <th scope="row" title={withoutMapTitle(layer)}>{layer.layer}</th>
              <td class="muted" colSpan={heads.length} title={withoutMapTitle(layer)}>{withoutMapText(layer)}</td>
            </tr>
          ) : (
            <tr key={layer.layer}>
              <th scope="row" title={layer.label}>
                {layer.layer}
              </th>
              {heads.map((head) =>
                layer.heads.includes(head) ? <Cell key={head} overview={overview} at={{ layer: layer.layer, head }} statistic={statistic} /> : <td key={head} />,
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
