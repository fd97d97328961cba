// Small notices above the view: what a link asked for in vain, damaged files, a silent server.
import { Fragment, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { language, t, type TextKey } from "../text/table";
import { standIns, type Missing, type StandIn } from "../state/resolve";
import type { Saved } from "../state/store";
import { formatCount } from "../base/format";
import { elideMiddle, formatTime, shownText } from "../text/format";
import { useApp } from "./context";

const MISSING: Readonly<Record<Missing["what"], TextKey>> = {
  run: "missingRun",
  name: "missingName",
  step: "missingStep",
};

const missingText = ({ what, value }: Missing): string => t(MISSING[what], { value: elideMiddle(value, 80) });

function standInText({ pin, wanted, shown }: StandIn): string {
  const at = ({ run, step }: StandIn["shown"]): string => t("pinSet", { run: elideMiddle(run, 60), step: formatCount(step) });
  return t("pinStandIn", { pin: pin.toUpperCase(), wanted: at(wanted), shown: at(shown) });
}

const SHOWN_PROBLEMS = 50;
const TOAST_MS = 6000;

interface NoticeProps {
  /** What it says: dismissed, it comes back when this has changed. */
  readonly says: string;
  readonly children: ComponentChildren;
}

/** A warning that can be put away: by its button, or by Escape while the focus is in it. */
function Notice({ says, children }: NoticeProps): preact.JSX.Element | null {
  const [dismissed, setDismissed] = useState<string | null>(null);
  if (dismissed === says) return null;
  const dismiss = (): void => setDismissed(says);
  return (
    <div
      class="notice"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        dismiss();
      }}
    >
      {children}
      <button type="button" class="quiet" aria-label={t("dismiss")} title={t("dismiss")} data-testid="dismiss" onClick={dismiss}>
        ×
      </button>
    </div>
  );
}

/** When it was saved and what, broken between its parts rather than in them. */
function SavedBanner({ when, title }: Pick<Saved, "when" | "title">): preact.JSX.Element {
  const parts = t("savedPage", { when: formatTime(Date.parse(when) / 1000, language.value), title }).split(" · ");
  return (
    <p class="saved muted" dir="auto" data-testid="saved">
      {parts.map((part, i) => (
        <Fragment key={i}>
          {i > 0 && " · "}
          <span>{part}</span>
        </Fragment>
      ))}
    </p>
  );
}

export function Notices(): preact.JSX.Element {
  const { store } = useApp();
  const saved = store.saved.value;
  const { difference, run, runs } = store.selection.value;
  const comparing = difference || store.resolved.value.view === "heads";
  const instead = comparing ? standIns(store.index.value, store.selection.value, store.pins.value) : [];
  // One sentence about a run is enough.
  const told = (one: Missing): boolean =>
    one.what === "run" && one.value !== run && runs?.includes(one.value) !== true && instead.some(({ wanted }) => wanted.run === one.value);
  const missing = store.resolved.value.missing.filter((one) => !told(one));
  const all = store.index.value.problems;
  const problems = all.filter((one) => one.run !== "" || one.file !== "");
  // Of the whole log directory: to be read without opening a list.
  const general = all.filter((one) => !problems.includes(one));
  const error = store.indexError.value;
  return (
    <div class="notices">
      {saved !== null && (
        <SavedBanner {...saved} />
      )}
      {error !== null && store.loaded.value && (
        <p class="notice" role="alert" data-testid="index-error">
          {t("indexFailed", { reason: error })}
        </p>
      )}
      {general.slice(0, 3).map((problem) => (
        <Notice key={problem.message} says={problem.message}>
          <p data-testid="general-problem" dir="auto">{shownText(problem.message)}</p>
        </Notice>
      ))}
      {instead.map((one) => (
        <Notice key={one.pin} says={standInText(one)}>
          <p data-testid="stand-in" dir="auto">{standInText(one)}</p>
        </Notice>
      ))}
      {missing.slice(0, 3).map((one) => (
        <Notice key={`${one.what}:${one.value}`} says={missingText(one)}>
          <p data-testid="missing" dir="auto">{missingText(one)}</p>
        </Notice>
      ))}
      {problems.length > 0 && (
        <Notice says={problems.map(({ run, file, message }) => `${run}/${file}/${message}`).join("\n")}>
          <details data-testid="problems">
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
        </Notice>
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
