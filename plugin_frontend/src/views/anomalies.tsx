// Anomalies: one group per rule, worst first; a click leads to the evidence.
import { formatCount, formatNumber } from "../base/format";
import { leastAndMost } from "../base/numbers";
import { Severity, type AnomalyGroupInfo, type AnomalyInfo } from "../data/types";
import { Failure } from "../frame/failure";
import { useApp } from "../frame/context";
import { countOf, groupByRule, severityOf, type RuleGroup } from "../state/anomalies";
import { evidencePatch } from "../state/evidence";
import { elideMiddle, shownText } from "../text/format";
import { anomaliesEntry } from "./anomalies_figure";
import { AnomalyLane, type Span } from "./anomaly_lane";
import { useExport } from "./exporting";
import { SEVERITY } from "./severity";
import { ruleSentence, ruleTitle, t } from "../text/table";

function SeverityMark({ severity }: { readonly severity: Severity }): preact.JSX.Element {
  const { text, glyph, name } = SEVERITY[severity];
  return (
    <span class={`severity ${name}`} data-severity={name}>
      <span aria-hidden="true">{glyph}</span> {t(text)}
    </span>
  );
}

function figures(item: AnomalyGroupInfo): string {
  const { first } = item;
  return [
    first.observed === null ? [] : [t("observed", { value: formatNumber(first.observed) })],
    first.threshold === null ? [] : [t("threshold", { value: formatNumber(first.threshold) })],
    // Stored sentences often say so already.
    first.headsChecked === 0 || first.message.includes(`${first.headsAffected} of ${first.headsChecked} heads`)
      ? []
      : [t("headsAffected", { n: first.headsAffected, total: first.headsChecked })],
  ]
    .flat()
    .join(" · ");
}

interface ItemProps {
  readonly item: AnomalyGroupInfo;
  readonly span: Span;
}

function Item({ item, span }: ItemProps): preact.JSX.Element {
  const { store } = useApp();
  const jump = (evidence: AnomalyInfo, step: number): void =>
    store.update(evidencePatch(store.selection.value, store.resolved.value.runs, item, evidence, step));
  const worstStep = item.steps[item.ordinals.indexOf(item.worstOrdinal)] ?? item.firstStep;
  const range =
    item.steps.length > 1
      ? t("seenRange", { first: formatCount(item.firstStep), last: formatCount(item.lastStep), n: item.steps.length })
      : t("seenOnce", { step: formatCount(item.firstStep) });
  return (
    <li class="anomaly" data-testid="anomaly" data-run={item.run} data-rule={item.first.rule}
      style={{ "--run": store.colours.value.get(item.run) }}>
      <div class="anomaly-where">
        <bdi class="run-name" title={shownText(item.run)}>{elideMiddle(item.run, 40)}</bdi>
        <bdi class="muted" title={shownText(item.name)}>{elideMiddle(item.name, 30)}</bdi>
        <span class="muted">{range}</span>
      </div>
      <div class="anomaly-saw">
        <p dir="auto">{shownText(item.first.message)}</p>
        <p class="muted">{figures(item)}</p>
      </div>
      <div class="anomaly-go">
        <button type="button" data-testid="evidence" onClick={() => jump(item.first, item.firstStep)}
          aria-label={`${t("goToEvidence")}: ${item.run}, ${t("step", { step: item.firstStep })}`}>
          {t("goToEvidence")}
        </button>
        {worstStep !== item.firstStep && (
          <button type="button" class="quiet" onClick={() => jump(item.worst, worstStep)}>
            {t("goToWorst", { step: formatCount(worstStep) })}
          </button>
        )}
      </div>
      <AnomalyLane item={item} span={span} now={store.resolved.value.step} label={`${range}: ${ruleTitle(item.first.rule)}, ${item.run}`} severity={SEVERITY[severityOf(item)].name}
        onStep={(step) => jump(step === worstStep ? item.worst : item.first, step)} />
    </li>
  );
}

/** From the first to the last step of all that is logged and of all that was seen. */
function spanOf(items: readonly AnomalyGroupInfo[], steps: readonly number[]): Span {
  const ends = [...items.flatMap((item) => [item.firstStep, item.lastStep]), ...steps.slice(0, 1), ...steps.slice(-1)];
  const [first, last] = leastAndMost(ends);
  return { first, last };
}

function Group({ group, span }: { readonly group: RuleGroup; readonly span: Span }): preact.JSX.Element {
  const example = group.items[0]?.first;
  const why = ruleSentence(group.rule, "why", example?.why ?? "");
  const advice = ruleSentence(group.rule, "advice", example?.advice ?? "");
  return (
    <section class="rule" data-testid="rule" data-rule={group.rule}>
      <header>
        <SeverityMark severity={group.severity} />
        <h2 title={shownText(group.rule)} dir="auto">{elideMiddle(ruleTitle(group.rule), 100)}</h2>
        <span class="muted">{t("firstSeen", { step: formatCount(group.firstStep) })}</span>
      </header>
      <dl>
        {why !== "" && (
          <div>
            <dt>{t("why")}</dt>
            <dd dir="auto">{shownText(why)}</dd>
          </div>
        )}
        {advice !== "" && (
          <div>
            <dt>{t("advice")}</dt>
            <dd dir="auto">{shownText(advice)}</dd>
          </div>
        )}
      </dl>
      <ul>
        {group.items.map((item) => (
          <Item key={`${item.series}:${item.first.rule}`} item={item} span={span} />
        ))}
      </ul>
    </section>
  );
}

interface Listed {
  readonly items: readonly AnomalyGroupInfo[];
  readonly busy: boolean;
}

function RuleList({ items, busy }: Listed): preact.JSX.Element {
  const { store } = useApp();
  const groups = groupByRule(items);
  const span = spanOf(items, store.resolved.value.ticks.map(({ step }) => step));
  const summary = t("anomalySummary", {
    errors: countOf(items, Severity.ERROR),
    warnings: countOf(items, Severity.WARNING),
    infos: items.filter((item) => severityOf(item) <= Severity.INFO).length,
  });
  useExport(items.length === 0 ? [] : [anomaliesEntry(store, { items, groups, span, summary })]);
  return (
    <div class="anomalies" aria-busy={busy}>
      <p class="summary" data-testid="anomaly-summary">
        {items.length === 0 ? t("noAnomalies") : summary} <span class="muted">{t("allRuns")}</span>
      </p>
      {groups.map((group) => (
        <Group key={group.rule} group={group} span={span} />
      ))}
    </div>
  );
}

export function AnomaliesView(): preact.JSX.Element {
  const { loader } = useApp();
  const { value, error, busy } = loader.anomalies.value;
  if (value !== undefined) return <RuleList items={value} busy={busy} />;
  if (error !== null) return <Failure text={t("loadFailed", { reason: error })} retry={() => loader.retry()} />;
  return <p class="placeholder">{t("loading")} …</p>;
}
