// The matrix in numbers: the statistic of every head of one run at the step on screen.
import { formatCount } from "../../base/format";
import { useApp } from "../../frame/context";
import { valueAtStep, type RunHeads } from "../../state/heads";
import { statisticName, t } from "../../text/table";
import { formatStatistic } from "../head_facts";
import { sameHead, type HeadsShown } from "./focus";

export function MatrixTable({ shown, run }: { readonly shown: HeadsShown; readonly run: RunHeads }): preact.JSX.Element {
  const { store } = useApp();
  const { state, step, worker } = shown;
  const at = store.head.value;
  const heads = [...new Set(run.data.layers.flatMap((layer) => layer.heads))].sort((a, b) => a - b);
  const name = statisticName(state.statistic);
  return (
    <div class="grid-table" tabIndex={0} role="region" aria-label={t("gridLabel", { run: run.run })} data-testid="heads-table">
      <table>
        <caption class="caption">{t("headsTableCaption", { statistic: name, run: run.run, step: formatCount(step) })}</caption>
        <thead>
          <tr>
            <th scope="col">{`${t("layer")} \\ ${t("head")}`}</th>
            {heads.map((head) => (
              <th key={head} scope="col" class="number">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {run.data.layers.map((layer) => (
            <tr key={layer.layer}>
              <th scope="row" title={layer.label}>{layer.layer}</th>
              {heads.map((head) => {
                const here = { layer: layer.layer, head };
                if (!layer.heads.includes(head)) return <td key={head} />;
                const value = valueAtStep(run, step, here, state.statistic, worker);
                return (
                  <td key={head} class="number" data-chosen={sameHead(at, here)}>
                    <button
                      type="button"
                      aria-pressed={sameHead(at, here)}
                      aria-label={t("headLabel", { ...here, facts: `${name} ${formatStatistic(state.statistic, value)}` })}
                      onMouseEnter={() => store.setHover(here)}
                      onMouseLeave={() => store.setHover({})}
                      onClick={() => store.lockHead(here)}
                    >
                      {formatStatistic(state.statistic, value, false)}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
