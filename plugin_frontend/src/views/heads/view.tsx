// The Heads view: every statistic of every head at every step.
import { useEffect, useMemo } from "preact/hooks";
import { useApp } from "../../frame/context";
import { Failure } from "../../frame/failure";
import { extentOf, HEADS_TOOLS, type HeadsTool } from "../../state/heads";
import { shownText } from "../../text/format";
import { statisticDefinition, statisticName, t, type TextKey } from "../../text/table";
import { useExport } from "../exporting";
import { Choice, PinButton } from "../toolbar";
import { MostAlike } from "./alike";
import { Matches, MostChanged } from "./changes";
import { headsEntries } from "./exporting";
import { Finder } from "./finder";
import { useChange, useShown, type HeadsShown } from "./focus";
import { Matrix } from "./matrix";
import { MatrixTable } from "./matrix_table";
import { Scatter, withChosen } from "./scatter";
import { Trend } from "./trend";

const TOOL_TEXT: Readonly<Record<HeadsTool, TextKey>> = {
  scatter: "toolScatter",
  find: "toolFind",
  alike: "toolAlike",
  changes: "toolChanges",
  matches: "toolMatches",
};

function Toolbar({ shown }: { readonly shown: HeadsShown }): preact.JSX.Element {
  const { store } = useApp();
  const change = useChange();
  const { state, names } = shown;
  const { table } = store.selection.value;
  const { examples, example } = store.resolved.value;
  const compared = state.tool === "changes" || state.tool === "matches";
  return (
    <div class="toolbar" role="group" aria-label={t("headsStatistic")}>
      <div class="group">
        <Choice label={t("headsStatistic")} value={state.statistic} options={withChosen(names, state.statistic)} name={statisticName}
          testId="heads-statistic" onChange={(statistic) => change({ statistic })} />
        <span class="definition muted" data-testid="definition">{statisticDefinition(state.statistic)}</span>
      </div>
      <div class="group">
        {examples > 1 && (
          <label class="control" title={state.mean ? undefined : t("headsExample", { n: example })}>
            <input type="checkbox" checked={state.mean} data-testid="heads-mean" onChange={() => change({ mean: !state.mean })} />
            <span>{t("headsMean", { n: examples })}</span>
          </label>
        )}
        <PinButton pin="a" compared={compared} />
        <PinButton pin="b" compared={compared} />
        <button type="button" aria-pressed={table} title={`${t("tableTitle")}  T`} data-testid="table-toggle" onClick={() => store.update({ table: !table })}>
          {t("table")}
        </button>
      </div>
    </div>
  );
}

function Tools({ shown }: { readonly shown: HeadsShown }): preact.JSX.Element {
  const { store } = useApp();
  const change = useChange();
  const { tool } = shown.state;
  const run = shown.runs.find((one) => one.run === store.resolved.value.run) ?? shown.runs[0];
  const move = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = HEADS_TOOLS[(HEADS_TOOLS.indexOf(tool) + by + HEADS_TOOLS.length) % HEADS_TOOLS.length];
    if (by === 0 || next === undefined) return;
    event.preventDefault();
    change({ tool: next });
    document.getElementById(`heads-tab-${next}`)?.focus();
  };
  return (
    <section class="tools">
      <div class="tabs" role="tablist" aria-label={t("headsTools")} onKeyDown={move}>
        {HEADS_TOOLS.map((one) => (
          <button key={one} id={`heads-tab-${one}`} type="button" role="tab" aria-selected={one === tool} aria-controls="heads-tool"
            tabIndex={one === tool ? 0 : -1} data-testid={`tool-${one}`} onClick={() => change({ tool: one })}>
            {t(TOOL_TEXT[one])}
          </button>
        ))}
      </div>
      <div id="heads-tool" class="tool" role="tabpanel" aria-labelledby={`heads-tab-${tool}`} data-tool={tool}>
        {tool === "scatter" && <Scatter shown={shown} />}
        {tool === "find" && <Finder shown={shown} run={run} />}
        {tool === "alike" && <MostAlike />}
        {tool === "changes" && <MostChanged />}
        {tool === "matches" && <Matches />}
      </div>
    </section>
  );
}

export function HeadsView(): preact.JSX.Element {
  const { store, heads, loader } = useApp();
  const shown = useShown();
  const { runs, rows, state } = shown;
  const { error, value } = heads.heads.value;
  const extent = useMemo(() => extentOf(runs, state.statistic), [runs, state.statistic]);
  const spread = useMemo(() => extentOf(runs, state.statistic, true), [runs, state.statistic]);
  useEffect(() => {
    if (rows.length > 0) store.headRows.value = rows;
  }, [rows, store]);
  useExport(headsEntries(shown, store.resolved.value.name ?? ""));
  const problems = runs.flatMap(({ run, data }) => data.problems.slice(0, 1).map((problem) => `${shownText(run)}: ${shownText(problem)}`));
  const known = runs.some(({ names }) => names.includes(state.statistic));
  return (
    <div class="heads" data-testid="heads">
      <Toolbar shown={shown} />
      {error !== null && <Failure text={t("loadFailed", { reason: error })} retry={() => loader.retry()} />}
      {problems.map((problem) => (
        <p key={problem} class="notice" dir="auto" data-testid="heads-gap">{t("headsGap", { reason: problem })}</p>
      ))}
      {value === undefined && error === null && <p class="placeholder" role="status">{t("loading")} …</p>}
      {value !== undefined && !known && <p class="placeholder">{t("headsNothing", { statistic: statisticName(state.statistic) })}</p>}
      {rows.length > 0 && (
        <div class="heads-body">
          {store.selection.value.table ? (
            <div class="heads-tables">
              {runs.map((run) => <MatrixTable key={run.run} shown={shown} run={run} />)}
            </div>
          ) : (
            <Matrix shown={shown} extent={extent} />
          )}
          <div class="heads-side">
            <Trend shown={shown} extent={spread} />
            <Tools shown={shown} />
          </div>
        </div>
      )}
    </div>
  );
}
