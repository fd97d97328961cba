// Statistics and checks of the head in focus, one column per panel, so that runs can be read across.
import { formatCount, formatNumber, formatPercent } from "../base/format";
import { distanceOf } from "../data/distance";
import { CheckState, type CheckInfo, type ComparisonInfo, type HeadRef, type Overview } from "../data/types";
import { statisticOf } from "../state/facts";
import { STATISTIC_TEXT } from "../text/rules";
import { ruleTitle, statisticDefinition, statisticName, t } from "../text/table";
import { SimilarRow } from "./similar_row";

export interface FactColumn {
  readonly id: string;
  readonly title: string;
  readonly colour: string;
  readonly overview: Overview | undefined;
  /** The column is about another head than the others, of a matched pair. */
  readonly at?: HeadRef | undefined;
}

export function formatStatistic(name: string, value: number | undefined, unit = true): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  switch (Object.hasOwn(STATISTIC_TEXT, name) ? STATISTIC_TEXT[name]?.unit : undefined) {
    case "bits":
      return unit ? t("bits", { value: formatNumber(value) }) : formatNumber(value);
    case "share":
      return formatPercent(value);
    case "count":
      return formatCount(value);
    default:
      return formatNumber(value);
  }
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}

interface HeadsProps {
  readonly columns: readonly FactColumn[];
  readonly first: string;
  readonly numbers: boolean;
}

function Heads({ columns, first, numbers }: HeadsProps): preact.JSX.Element {
  return (
    <thead>
      <tr>
        <th scope="col">{first}</th>
        {columns.map((column) => (
          <th key={column.id} scope="col" class={numbers ? "number" : undefined} style={{ "--run": column.colour }}>
            <bdi class="run-name" title={column.title}>
              {column.title}
            </bdi>
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface StatisticsProps {
  readonly columns: readonly FactColumn[];
  readonly at: HeadRef;
  readonly comparison: ComparisonInfo | null;
}

export function StatisticsTable({ columns, at, comparison }: StatisticsProps): preact.JSX.Element {
  const names = union(columns.map((column) => column.overview?.statisticNames ?? []));
  const distance = distanceOf(comparison, at);
  const ofStep = columns.some(({ overview }) => (overview?.continued ?? 0) > 0);
  return (
    <section class="facts" data-testid="statistics">
      <h3>
        {t("statistics")} <small class="muted">{t(ofStep ? "statisticsOfStep" : "statisticsNote")}</small>
      </h3>
      <table>
        <Heads columns={columns} first={t("statistic")} numbers />
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row" title={statisticDefinition(name)}>
                <span class="defined">{statisticName(name)}</span>
              </th>
              {columns.map((column) => (
                <td key={column.id} class="number" data-statistic={name}>
                  {formatStatistic(name, statisticOf(column.overview, column.at ?? at, name))}
                </td>
              ))}
            </tr>
          ))}
          <SimilarRow columns={columns} at={at} />
          {distance !== null && (
            <tr>
              <th scope="row" title={t("jsDefinition")}>
                <span class="defined">{t("jsDistance")}</span>
              </th>
              <td class="number" colSpan={columns.length} data-statistic="js_distance">
                {formatNumber(distance.distance)}
                {distance.belowFloor ? ` (${t("belowFloor")})` : ""}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}

function Verdict({ check }: { readonly check: CheckInfo | undefined }): preact.JSX.Element {
  switch (check?.state) {
    case CheckState.PASSED:
      return <span class="verdict passed">✓ {t("checkPassed")}</span>;
    case CheckState.FAILED:
      return <span class="verdict failed">✕ {t("checkFailed")}</span>;
    default:
      return (
        <span class="verdict open" title={check?.reason}>
          ○ {t("checkNotChecked")}
        </span>
      );
  }
}

/** One row per rule. The reason why something was not checked stands in full, once. */
export function ChecksTable({ columns }: { readonly columns: readonly FactColumn[] }): preact.JSX.Element | null {
  const rules = union(columns.map((column) => column.overview?.checks.map((check) => check.rule) ?? []));
  if (rules.length === 0) return null;
  const find = (column: FactColumn, rule: string): CheckInfo | undefined =>
    column.overview?.checks.find((check) => check.rule === rule);
  return (
    <section class="facts" data-testid="checks">
      <h3>
        {t("checks")} <small class="muted">{t("checksNote")}</small>
      </h3>
      <table>
        <Heads columns={columns} first={t("check")} numbers={false} />
        <tbody>
          {rules.map((rule) => {
            const found = columns.map((column) => find(column, rule));
            const reasons = union([found.flatMap((check) => (check === undefined || check.reason === "" ? [] : [check.reason]))]);
            return (
              <tr key={rule}>
                <th scope="row" title={rule}>
                  {ruleTitle(rule)}
                  {reasons.map((reason) => (
                    <small key={reason} class="muted reason" dir="auto">
                      {reason}
                    </small>
                  ))}
                </th>
                {found.map((check, i) => (
                  <td key={columns[i]?.id ?? i}>
                    <Verdict check={check} />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
