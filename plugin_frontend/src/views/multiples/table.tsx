// The head over time in numbers: one line per step, one column per run.
import { useEffect } from "preact/hooks";
import { batch } from "@preact/signals";
import { formatCount } from "../../base/format";
import { useApp } from "../../frame/context";
import { dependOn } from "../../state/depend";
import { shownText } from "../../text/format";
import { statisticName, t } from "../../text/table";
import { useExport } from "../exporting";
import { formatStatistic } from "../head_facts";
import { multiplesEntries } from "./exporting";
import { pictureAt, sentenceAt, type Shown } from "./rows";

/** Lines on each side of the step on screen: the scrubber moves through all of them. */
const AROUND = 50;
const STATISTICS = ["entropy", "first_token"] as const;

interface Around {
  readonly columns: readonly number[];
  readonly current: number;
}

/** Asks for what the lines show, those near the step on screen first. */
function useWanted({ rows, steps }: Shown, { columns, current }: Around): void {
  const { multiples } = useApp();
  useEffect(() => {
    const near = [...columns].sort((a, b) => Math.abs(a - current) - Math.abs(b - current));
    multiples.want(
      rows.flatMap(({ series, strip, byStep }) =>
        series === undefined || strip === undefined
          ? []
          : [{ strip, count: series.steps.length, ordinals: near.flatMap((column) => byStep.get(steps[column] ?? NaN) ?? []) }],
      ),
    );
  }, [multiples, rows, columns[0], columns.length, multiples.arrived.value]);
}

interface CellProps {
  readonly shown: Shown;
  readonly row: number;
  readonly column: number;
  readonly current: number;
}

/** What a run was at a step; a click shows it there. */
function StepCell({ shown, row, column, current }: CellProps): preact.JSX.Element {
  const { store, multiples } = useApp();
  dependOn(multiples.arrived.value);
  const run = shown.rows[row]?.run ?? "";
  const chosen = column === current && run === store.resolved.value.run;
  const picture = pictureAt(multiples, shown, { row, column });
  const said =
    picture === undefined || picture.error !== null ? "–" : STATISTICS.map((name) => formatStatistic(name, picture.values.get(name))).join(" · ");
  const show = (): void =>
    batch(() => {
      store.update({ run });
      store.goToStep(shown.steps[column] ?? 0);
    });
  return (
    <td class="number" data-chosen={chosen}>
      <button type="button" aria-label={sentenceAt(multiples, shown, { row, column })} aria-pressed={chosen} onClick={show}>
        {said}
      </button>
    </td>
  );
}

export function StepTable({ shown }: { readonly shown: Shown }): preact.JSX.Element {
  const { store, multiples } = useApp();
  dependOn(multiples.arrived.value);
  const { rows, steps, at } = shown;
  const current = Math.max(0, steps.indexOf(store.resolved.value.step ?? NaN));
  const first = Math.max(0, current - AROUND);
  const end = Math.min(steps.length, current + AROUND + 1);
  const columns = Array.from({ length: end - first }, (_, i) => first + i);
  useWanted(shown, { columns, current });
  useExport(multiplesEntries(store, shown, { first, end }, (place) => pictureAt(multiples, shown, place), null));
  const names = STATISTICS.map(statisticName).join(", ");
  const range = { first: formatCount(steps[first] ?? 0), last: formatCount(steps[end - 1] ?? 0), n: steps.length };
  // Not named as the section around it: a list of landmarks would hold the same name twice.
  const caption = t("multiplesTable", { statistics: names, layer: at.layer, head: at.head, ...range });
  return (
    <div class="grid-table" tabIndex={0} role="region" aria-label={caption} data-testid="multiples-table">
      <table>
        <caption class="caption">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t("stepColumn")}</th>
            {rows.map(({ run }) => (
              <th key={run} scope="col" class="number" style={{ "--run": store.colours.value.get(run) }}><bdi class="run-name">{shownText(run)}</bdi></th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column}>
              <th scope="row" class="number">{formatCount(steps[column] ?? 0)}</th>
              {rows.map(({ run }, row) => <StepCell key={run} shown={shown} row={row} column={column} current={current} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
