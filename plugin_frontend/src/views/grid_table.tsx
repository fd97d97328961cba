// The table alternative of the grid: one statistic for every layer and head, in numbers.
import type { HeadRef, Overview } from "../data/types";
import { useApp } from "../frame/context";
import { statisticOf } from "../state/facts";
import { statisticDefinition, statisticName, t } from "../text/table";
import { formatStatistic } from "./head_facts";

interface Props {
  readonly run: string;
  readonly overview: Overview;
}

export function GridTable({ run, overview }: Props): preact.JSX.Element {
  const { store } = useApp();
  const statistic = store.tableStatistic.value;
  const heads = [...new Set(overview.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
  const at = store.head.value;
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
    <div class="grid-table" tabIndex={0} role="region" aria-label={t("gridLabel", { run })} data-testid="grid-table">
      <label class="control">
        <span class="visually-hidden">{t("tableStatistic")}</span>
        <select
          value={statistic}
          title={statisticDefinition(statistic)}
          onChange={(event) => (store.tableStatistic.value = event.currentTarget.value)}
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
          {overview.layers.map((layer) => (
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
