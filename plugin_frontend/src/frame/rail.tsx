// The left rail: runs, sessions of restarted runs, logged names, examples.
import { Kind, type RunInfo } from "../data/types";
import { findSeries, holdsData, namesOf, sessionsOf } from "../state/catalog";
import { compileFilter } from "../state/filter";
import { elideMiddle, formatTime, shownText } from "../text/format";
import { language, t } from "../text/table";
import { useApp } from "./context";
import { ExampleList } from "./examples";

const NAME_LENGTH = 30;
const SHOWN_NAMES = 200;

function RunFilter({ error }: { readonly error: string | null }): preact.JSX.Element {
  const { store } = useApp();
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
        aria-describedby={error === null ? undefined : "filter-error"}
        data-testid="run-filter"
        onInput={(event) => store.update({ filter: event.currentTarget.value })}
      />
      {error !== null && (
        <p id="filter-error" class="inline-error" role="alert" data-testid="filter-error">
          {t("badRegex", { reason: error })}
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
  const { runs, run: focused } = store.resolved.value;
  const shown = runs.includes(run.name);
  const colour = store.colours.value.get(run.name) ?? "gray";
  const focus = (): void => store.update(shown ? { run: run.name } : { run: run.name, runs: [...runs, run.name] });
  return (
    <li
      class="run"
      data-testid="run"
      data-run={run.name}
      data-focused={run.name === focused}
      style={{ "--run": colour }}
      onMouseEnter={() => store.setHover({ run: run.name })}
      onMouseLeave={() => store.setHover({})}
    >
      <input
        type="checkbox"
        checked={shown}
        disabled={shown && runs.length === 1}
        aria-label={t("showRun", { run: run.name })}
        onChange={() => store.toggleRun(run.name)}
      />
      <button
        type="button"
        class="name"
        title={shownText(run.name)}
        aria-label={t("focusRun", { run: run.name })}
        aria-pressed={run.name === focused}
        onClick={focus}
      >
        <bdi>{elideMiddle(run.name, NAME_LENGTH)}</bdi>
      </button>
      {holdsData(run) ? (
        <button type="button" class="only" onClick={() => store.update({ runs: [run.name], run: run.name })}
          aria-label={`${t("onlyThis")}: ${run.name}`}>
          {t("onlyThis")}
        </button>
      ) : (
        <span class="muted">{t("runEmpty")}</span>
      )}
      <SessionChoice run={run} />
    </li>
  );
}

function Runs(): preact.JSX.Element {
  const { store } = useApp();
  const filter = compileFilter(store.selection.value.filter);
  const matching = store.index.value.runs.filter((run) => filter.matches(run.name));
  return (
    <section aria-labelledby="rail-runs">
      <h2 id="rail-runs">{t("runs")}</h2>
      <RunFilter error={filter.error} />
      <ul class="runs">
        {matching.map((run) => (
          <RunRow key={run.name} run={run} />
        ))}
      </ul>
      {matching.length === 0 && <p class="muted">{t("noRunMatches")}</p>}
    </section>
  );
}

interface NamesProps {
  readonly title: string;
  readonly kind: Kind.ATTENTION | Kind.ATTRIBUTION;
}

function Names({ title, kind }: NamesProps): preact.JSX.Element | null {
  const { store } = useApp();
  const { runs, name, attribution, view } = store.resolved.value;
  const index = store.index.value;
  const names = namesOf(index, kind, runs);
  if (names.length === 0) return null;
  const attention = kind === Kind.ATTENTION;
  const chosen = attention ? name : attribution;
  const own = attention ? "attention" : "attributions";
  const choose = (next: string): void =>
    store.update(attention ? { name: next, view: "attention" } : { attribution: next, view: "attributions" });
  const count = (one: string): number =>
    Math.max(0, ...runs.map((run) => findSeries(index, run, kind, one)?.steps.length ?? 0));
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul class="names" data-testid={`names-${own}`}>
        {names.slice(0, SHOWN_NAMES).map((one) => (
          <li key={one}>
            <button type="button" class="name" title={shownText(one)} aria-pressed={one === chosen && view === own}
              data-chosen={one === chosen} onClick={() => choose(one)}>
              <bdi>{elideMiddle(one, NAME_LENGTH)}</bdi>
              <span class="muted">{count(one)}</span>
            </button>
          </li>
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
