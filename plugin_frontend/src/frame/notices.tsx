// Small notices above the view: what a link asked for in vain, damaged files, a silent server.
import { useEffect } from "preact/hooks";
import { language, t, type TextKey } from "../text/table";
import type { Missing } from "../state/resolve";
import { elideMiddle, formatTime, shownText } from "../text/format";
import { useApp } from "./context";

const MISSING: Readonly<Record<Missing["what"], TextKey>> = {
  run: "missingRun",
  name: "missingName",
  step: "missingStep",
};

const SHOWN_PROBLEMS = 50;
const TOAST_MS = 6000;

export function Notices(): preact.JSX.Element {
  const { store } = useApp();
  const { missing } = store.resolved.value;
  const saved = store.saved.value;
  const all = store.index.value.problems;
  const problems = all.filter((one) => one.run !== "" || one.file !== "");
  // Of the whole log directory: to be read without opening a list.
  const general = all.filter((one) => !problems.includes(one));
  const error = store.indexError.value;
  return (
    <div class="notices">
      {saved !== null && (
        <p class="saved muted" dir="auto" data-testid="saved">{t("savedPage", { when: formatTime(Date.parse(saved.when) / 1000, language.value), title: saved.title })}</p>
      )}
      {error !== null && store.loaded.value && (
        <p class="notice" role="alert" data-testid="index-error">
          {t("indexFailed", { reason: error })}
        </p>
      )}
      {general.slice(0, 3).map((problem) => (
        <p class="notice" key={problem.message} data-testid="general-problem" dir="auto">
          {shownText(problem.message)}
        </p>
      ))}
      {missing.slice(0, 3).map((one) => (
        <p class="notice" key={`${one.what}:${one.value}`} data-testid="missing" dir="auto">
          {t(MISSING[one.what], { value: elideMiddle(one.value, 80) })}
        </p>
      ))}
      {problems.length > 0 && (
        <details class="notice" data-testid="problems">
          <summary>{t("problems", { n: problems.length })}</summary>
          <ul>
            {problems.slice(0, SHOWN_PROBLEMS).map((problem) => (
              <li key={`${problem.run}/${problem.file}/${problem.message}`} dir="auto">
                <b>{elideMiddle(problem.run, 60)}</b> {elideMiddle(problem.file, 60)} {shownText(problem.message)}
              </li>
            ))}
            {problems.length > SHOWN_PROBLEMS && <li>{t("moreProblems", { n: problems.length - SHOWN_PROBLEMS })}</li>}
          </ul>
        </details>
      )}
    </div>
  );
}

export function Toast(): preact.JSX.Element {
  const { store } = useApp();
  const text = store.toast.value;
  useEffect(() => {
    if (text === null) return;
    const timer = setTimeout(() => (store.toast.value = null), TOAST_MS);
    return () => clearTimeout(timer);
  }, [text, store]);
  return (
    <div class="toast" role="status" data-open={text !== null} data-testid="toast">
      {text}
    </div>
  );
}
