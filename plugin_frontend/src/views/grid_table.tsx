// The table alternative of the grid: one statistic for every layer and head, in numbers.
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

export function GridTable({ run, overview, label }: Props): preact.JSX.Element {
  const { store } = useApp();
  const { tableStatistic } = store.selection.value;
  // A link may name one that these logs do not have.
  const statistic = overview.statisticNames.includes(tableStatistic) ? tableStatistic : DEFAULT_TABLE_STATISTIC;
  const heads = [...new Set(overview.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
  const rows = [...overview.layers, ...overview.withoutMap].sort((a, b) => a.layer - b.layer);
  const at = store.head.value;
  useExport([
    {
      id: `0 grid ${run}`,
      section: "table",
      title: t("exportGridTable", { statistic: statisticName(statistic), run }),
      parts: [run, store.resolved.value.name ?? "", `step ${overview.step}`, statistic],
      table: () => tableOf(overview, heads, statistic),
    },
  ]);
  const cell = (layer: Overview["layers"][number], head: number): preact.JSX.Element => {
    if (!layer.heads.includes(head)) return <td key={head} />;
    const here: HeadRef = { layer: layer.layer, head };
    const chosen = at?.layer === here.layer && at.head === head;
    return (
      <td key={head} class="number" data-chosen={chosen}>
        <button
          type="button"
          aria-pressed={chosen}
          aria-label={t("headLabel", {
            ...here,
            facts: `${statisticName(statistic)} ${formatStatistic(statistic, statisticOf(overview, here, statistic))}`,
          })}
          onMouseEnter={() => store.setHover(here)}
          onMouseLeave={() => store.setHover({})}
          onClick={() => store.lockHead(here)}
        >
          {formatStatistic(statistic, statisticOf(overview, here, statistic), false)}
        </button>
      </td>
    );
  };
  return (
    <div class="grid-table" tabIndex={0} role="region" aria-label={label} data-testid="grid-table">
      <label class="control">
        <span class="visually-hidden">{t("tableStatistic")}</span>
        <select
          value={statistic}
          title={statisticDefinition(statistic)}
          onChange={(event) => store.update({ tableStatistic: event.currentTarget.value })}
        >
          {overview.statisticNames.map((name) => (
            <option key={name} value={name}>
              {statisticName(name)}
            </option>
          ))}
        </select>
      </label>
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
              {heads.map((head) => cell(layer, head))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
