// Whose row is explained: the run, where there are several, and the query token.
import { tokenText } from "./token_text";
import { useApp } from "../../frame/context";
import { layerOf } from "../../state/facts";
import { toggleTeaching } from "../../state/teaching_moves";
import type { Lesson } from "../../state/teaching_loader";
import { shownText } from "../../text/format";
import { t } from "../../text/table";

/** A longer list is no help, and slow: the position is typed instead. */
const MOST_LISTED = 1024;

function RunChoice(): preact.JSX.Element | null {
  const { store, teaching } = useApp();
  const panels = teaching.panels.value;
  if (panels.length < 2) return null;
  const at = panels.findIndex((panel) => panel.id === teaching.panel.value?.id);
  return (
    <label class="control">
      <span>{t("teachRun")}</span>
      <select
        value={String(at)}
        data-testid="teach-run"
        onChange={(event) => store.update({ teaching: { ...store.selection.peek().teaching, place: Number(event.currentTarget.value) } })}
      >
        {panels.map((panel, place) => (
          <option key={panel.id} value={String(place)}>
            {panel.side === "run" ? shownText(panel.run) : `${panel.side} · ${shownText(panel.run)}`}
          </option>
        ))}
      </select>
    </label>
  );
}

function QueryChoice({ lesson }: { readonly lesson: Lesson }): preact.JSX.Element {
  const { store } = useApp();
  const layer = layerOf(lesson.overview, lesson.at.layer);
  const kept = layer === undefined || layer.rows.length === 0 ? null : layer.rows;
  const count = kept?.length ?? layer?.queries ?? 0;
  const place = kept === null ? lesson.query : kept.indexOf(lesson.query);
  const choose = (next: number): void => {
    const query = kept === null ? next : (kept[next] ?? 0);
    store.setHover({});
    store.update({ query, key: null });
  };
  const queryAt = (next: number): number => kept?.[next] ?? next;
  const { queryTokens } = lesson.overview;
  const named = (query: number): string => `${query} ${tokenText(queryTokens, query)}`.trim();
  return (
    <span class="control">
      <label class="control">
        <span>{t("teachQuery")}</span>
        {count <= MOST_LISTED ? (
          <select value={String(place)} data-testid="teach-query" dir="auto" onChange={(event) => choose(Number(event.currentTarget.value))}>
            {Array.from({ length: count }, (_, i) => (
              <option key={i} value={String(i)}>{named(queryAt(i))}</option>
            ))}
          </select>
        ) : (
          <input
            type="number"
            min={0}
            max={count - 1}
            value={place}
            data-testid="teach-query"
            onChange={(event) => choose(Math.min(count - 1, Math.max(0, Math.round(Number(event.currentTarget.value)) || 0)))}
          />
        )}
      </label>
      {count > MOST_LISTED && <bdi>{tokenText(queryTokens, lesson.query)}</bdi>}
    </span>
  );
}

export function Choices(): preact.JSX.Element {
  const { store, teaching } = useApp();
  const lesson = teaching.lesson.value;
  const at = store.head.value;
  return (
    <header class="lesson-head">
      <h3>{at === null ? "" : t("teachPanel", { ...at })}</h3>
      <RunChoice />
      {lesson !== null && <QueryChoice lesson={lesson} />}
      <button type="button" class="quiet" aria-keyshortcuts="q Escape" data-testid="teach-close" onClick={() => toggleTeaching(store)}>
        {t("teachClose")}
      </button>
    </header>
  );
}
