// The left rail: runs, sessions of restarted runs, logged names, examples.
import { useMemo } from "preact/hooks";
import { Kind, type RunInfo } from "../data/types";
import { findSeries, holdsData, namesOf, sessionsOf } from "../state/catalog";
import { compileFilter, type Filter } from "../state/filter";
import { elideMiddle, formatTime, visibleName } from "../text/format";
import { language, t } from "../text/table";
import { useApp } from "./context";
import { ExampleList } from "./examples";
import { useResting } from "./resting";

const NAME_LENGTH = 30;
const SHOWN_NAMES = 200;
/** As many as one request, and one link, can name. */
const MOST_RUNS = 64;

function RunFilter({ error, asText }: Filter): preact.JSX.Element {
  const { store } = useApp();
  const problem = error !== null ? t("badRegex", { reason: error }) : asText ? t("filterAsText") : null;
  return (
    <div class="filter">
      <input
        type="search"
        value={store.selection.value.filter}
        maxLength={256}
        spellcheck={false}
        placeholder={t("filterPlaceholder")}
        aria-label={t("runsFilter")}
        aria-invalid={error !== null}
        aria-describedby={problem === null ? undefined : "filter-error"}
        data-testid="run-filter"
        onInput={(event) => store.update({ filter: event.currentTarget.value })}
      />
      {problem !== null && (
        <p id="filter-error" class="inline-error" role="alert" data-testid="filter-error">
          {problem}
        </p>
      )}
    </div>
  );
}

function SessionChoice({ run }: { readonly run: RunInfo }): preact.JSX.Element | null {
  const { store } = useApp();
  const sessions = sessionsOf(run.series);
  if (sessions.length < 2) return null;
  const chosen = store.selection.value.sessions[run.name];
  const newest = sessions.find((session) => session.newest)?.id ?? "";
  const choose = (id: string): void => {
    const others = Object.entries(store.selection.value.sessions).filter(([name]) => name !== run.name);
    store.update({ sessions: Object.fromEntries(id === newest ? others : [...others, [run.name, id]]) });
  };
  return (
    <select
      class="session"
      aria-label={t("session", { run: run.name })}
      title={t("sessionRestarted", { n: sessions.length - 1 })}
      value={sessions.some((session) => session.id === chosen) ? chosen : newest}
      data-testid="session"
      onChange={(event) => choose(event.currentTarget.value)}
    >
      {[...sessions].reverse().map((session) => {
        const time = formatTime(session.start, language.value);
        return (
          <option key={session.id} value={session.id}>
            {session.newest ? t("sessionNewest", { time }) : time}
          </option>
        );
      })}
    </select>
  );
}

function RunRow({ run }: { readonly run: RunInfo }): preact.JSX.Element {
  const { store } = useApp();
  const { runs, run: focused } = store.settled.value;
  const shown = runs.includes(run.name);
  const resting = useResting({ run: run.name });
  const name = visibleName(run.name);
  const colour = store.colours.value.get(run.name) ?? "gray";
  const focus = (): void => store.update(shown ? { run: run.name } : { run: run.name, runs: [...runs, run.name] });
  return (
    <li
      class="run"
      data-testid="run"
      data-run={run.name}
      data-focused={run.name === focused}
      style={{ "--run": colour }}
      data-preview={!shown && store.hover.value.run === run.name}
      {...resting}
    >
      <input
        type="checkbox"
        checked={shown}
        disabled={shown && runs.length === 1}
        aria-label={t("showRun", { run: name })}
        onChange={() => store.toggleRun(run.name)}
      />
      <button
        type="button"
        class="name"
        title={name}
        aria-label={t("focusRun", { run: name })}
        aria-pressed={run.name === focused}
        onClick={focus}
      >
        <bdi>{elideMiddle(name, NAME_LENGTH)}</bdi>
      </button>
      {holdsData(run) ? (
        <button type="button" class="only" onClick={() => store.update({ runs: [run.name], run: run.name })}
          aria-label={`${t("onlyThis")}: ${name}`}>
          {t("onlyThis")}
        </button>
      ) : (
        <span class="muted">{t("runEmpty")}</span>
      )}
      <SessionChoice run={run} />
    </li>
  );
}

/** Shows or hides every run that matches the filter; the one in focus stays, for something has to. */
function AllOrNone({ matching }: { readonly matching: readonly RunInfo[] }): preact.JSX.Element {
  const { store } = useApp();
  const { runs, run } = store.settled.value;
  const names = matching.filter(holdsData).map(({ name }) => name);
  const wanted = [...new Set([...runs, ...names])].slice(0, MOST_RUNS);
  const rest = runs.filter((one) => !names.includes(one));
  const left = rest.length > 0 ? rest : run === null ? runs : [run];
  const same = (list: readonly string[]): boolean => list.length === runs.length;
  return (
    <div class="all-or-none" role="group" aria-label={t("runsMatching", { n: names.length })}>
      <button type="button" class="quiet" disabled={same(wanted)} data-testid="runs-all" title={t("runsAllTitle", { n: names.length })}
        onClick={() => store.update({ runs: wanted })}>
        {t("runsAll")}
      </button>
      <button type="button" class="quiet" disabled={same(left)} data-testid="runs-none" title={t("runsNoneTitle")}
        onClick={() => store.update({ runs: left })}>
        {t("runsNone")}
      </button>
    </div>
  );
}

function Runs(): preact.JSX.Element {
  const { store } = useApp();
  const text = store.selection.value.filter;
  const index = store.index.value;
  const filter = useMemo(() => compileFilter(text), [text]);
  const matching = useMemo(() => index.runs.filter((run) => filter.matches(run.name)), [index, filter]);
  const all = store.index.value.runs.filter(holdsData).length;
  const { runs } = store.settled.value;
  const byDefault = store.selection.value.runs === null && runs.length < all;
  return (
    <section aria-labelledby="rail-runs">
      <h2 id="rail-runs">{t("runs")}</h2>
      <RunFilter {...filter} />
      {all > 1 && <AllOrNone matching={matching} />}
      <ul class="runs">
        {matching.map((run) => (
          <RunRow key={run.name} run={run} />
        ))}
      </ul>
      {matching.length === 0 && <p class="muted">{t("noRunMatches")}</p>}
      {byDefault && (
        <p class="muted hint" data-testid="runs-by-default">{t("runsByDefault", { n: runs.length, all })}</p>
      )}
    </section>
  );
}

interface NamesProps {
  readonly title: string;
  readonly kind: Kind.ATTENTION | Kind.ATTRIBUTION;
}

interface NameProps {
  readonly name: string;
  readonly count: number;
  readonly attention: boolean;
}

function NameRow({ name, count, attention }: NameProps): preact.JSX.Element {
  const { store } = useApp();
  const { name: chosenName, attribution, view } = store.settled.value;
  const chosen = name === (attention ? chosenName : attribution);
  const resting = useResting(attention ? { name } : { attribution: name });
  const hovered = attention ? store.hover.value.name : store.hover.value.attribution;
  return (
    <li>
      <button type="button" class="name" title={visibleName(name)} aria-pressed={chosen && view === (attention ? "attention" : "attributions")}
        data-chosen={chosen} data-preview={!chosen && hovered === name} {...resting}
        onClick={() => store.update(attention ? { name, view: "attention" } : { attribution: name, view: "attributions" })}>
        <bdi>{elideMiddle(visibleName(name), NAME_LENGTH)}</bdi>
        <span class="muted">{count}</span>
      </button>
    </li>
  );
}

function Names({ title, kind }: NamesProps): preact.JSX.Element | null {
  const { store } = useApp();
  const { runs } = store.settled.value;
  const index = store.index.value;
  const names = namesOf(index, kind, runs);
  if (names.length === 0) return null;
  const attention = kind === Kind.ATTENTION;
  const count = (one: string): number =>
    Math.max(0, ...runs.map((run) => findSeries(index, run, kind, one)?.steps.length ?? 0));
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul class="names" data-testid={`names-${attention ? "attention" : "attributions"}`}>
        {names.slice(0, SHOWN_NAMES).map((one) => (
          <NameRow key={one} name={one} count={count(one)} attention={attention} />
        ))}
      </ul>
    </section>
  );
}

export function Rail(): preact.JSX.Element {
  return (
    <nav class="rail" aria-label={t("runs")} data-testid="rail">
      <Runs />
      <Names title={t("attentionNames")} kind={Kind.ATTENTION} />
      <Names title={t("attributionNames")} kind={Kind.ATTRIBUTION} />
      <ExampleList />
    </nav>
  );
}
