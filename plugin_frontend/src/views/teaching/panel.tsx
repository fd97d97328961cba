// One row of attention, one step at a time: the formula, the numbers of every key, and what came of them.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { formatCount, formatNumber } from "../../base/format";
import { isolate } from "../../base/tokens";
import type { AttentionSteps, StepName } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import { useApp } from "../../frame/context";
import { Failure } from "../../frame/failure";
import { layerOf } from "../../state/facts";
import { shownStep } from "../../state/teaching";
import { goToLessonStep, moveTeaching } from "../../state/teaching_moves";
import type { Answer, Lesson } from "../../state/teaching_loader";
import { elideMiddle, shownText } from "../../text/format";
import { t } from "../../text/table";
import { useExport } from "../exporting";
import { Choices } from "./choices";
import { columnsOf } from "./columns";
import { aboutStep, Output, Terms, Verdict } from "./details";
import { lessonEntry, stepTitle } from "./exporting";
import { Formula } from "./formula";
import { KeyTable } from "./key_table";
import { tokenText } from "./token_text";

/** The steps as tabs, and the way through them. */
function StepBar({ names, at }: { readonly names: readonly StepName[]; readonly at: StepName }): preact.JSX.Element {
  const { store } = useApp();
  const bar = useRef<HTMLOListElement>(null);
  const place = names.indexOf(at);
  const press = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    moveTeaching(store, by);
    const next = Math.min(names.length - 1, Math.max(0, place + by));
    bar.current?.querySelectorAll<HTMLButtonElement>("button")[next]?.focus();
  };
  return (
    <nav class="lesson-steps" aria-label={t("teachSteps")}>
      <button type="button" disabled={place <= 0} aria-keyshortcuts="," title={`${t("teachPrevious")} (,)`} data-testid="teach-previous" onClick={() => moveTeaching(store, -1)}>
        ‹ {t("teachPrevious")}
      </button>
      <ol ref={bar} onKeyDown={press}>
        {names.map((name, i) => (
          <li key={name}>
            <button
              type="button"
              aria-current={name === at ? "step" : undefined}
              tabIndex={name === at ? 0 : -1}
              data-testid={`teach-step-${name}`}
              onClick={() => goToLessonStep(store, name)}
            >
              <span class="muted">{i + 1}</span> {stepTitle(name)}
            </button>
          </li>
        ))}
      </ol>
      <button type="button" disabled={place >= names.length - 1} aria-keyshortcuts="." title={`${t("teachNext")} (.)`} data-testid="teach-next" onClick={() => moveTeaching(store, 1)}>
        {t("teachNext")} ›
      </button>
      <span class="muted progress" data-testid="teach-progress">{t("teachProgress", { k: place + 1, n: names.length })}</span>
    </nav>
  );
}

interface RowProps {
  readonly lesson: Lesson;
  readonly vectors: RowVectors;
  readonly steps: AttentionSteps;
  readonly at: StepName;
}

function heaviest(weights: Float64Array): number {
  let best = 0;
  for (let key = 1; key < weights.length; key += 1) if ((weights[key] ?? 0) > (weights[best] ?? 0)) best = key;
  return best;
}

/** The table and, beside it, the formula with what it says about the chosen key. */
function RowSteps({ lesson, vectors, steps, at }: RowProps): preact.JSX.Element {
  const { store } = useApp();
  const columns = useMemo(() => columnsOf(steps, at), [steps, at]);
  const best = useMemo(() => heaviest(steps.weights), [steps]);
  const known = (key: number | null | undefined): key is number => key !== null && key !== undefined && key < vectors.keys;
  const { key: locked } = store.selection.value;
  const { key: hovered } = store.hover.value;
  const chosen = known(hovered) ? hovered : known(locked) ? locked : best;
  const { keyTokens } = lesson.overview;
  const nameOf = (key: number): string => tokenText(keyTokens, key);
  const latest = columns[columns.length - 1];
  useExport([lessonEntry(store, { lesson, vectors, steps, at, columns, chosen })]);
  const hasWeights = at === "softmax" || at === "output";
  return (
    <div class="lesson-body">
      <div class="lesson-text">
        <Formula name={at} vectors={vectors} />
        {aboutStep(at, { vectors, steps }).map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {at !== "bias" && <p class="muted source"><small>{t(at === "cap" ? "teachSourceCap" : "teachSource")}</small></p>}
        {hasWeights && <Verdict vectors={vectors} steps={steps} />}
        {hasWeights && store.selection.value.lens.sinks === "aside" && (
          <p class="muted" data-testid="teach-sinks"><small>{t("teachSinksShown")}</small></p>
        )}
      </div>
      <KeyTable
        columns={columns}
        vectors={vectors}
        chosen={chosen}
        nameOf={nameOf}
        onPreview={(key) => store.setHover(key === null ? {} : { query: lesson.query, key })}
        onChoose={(key) => store.update({ query: lesson.query, key })}
      />
      {at === "output" ? (
        <Output vectors={vectors} steps={steps} chosen={chosen} />
      ) : (
        <Terms vectors={vectors} steps={steps} chosen={chosen} name={isolate(nameOf(chosen))} />
      )}
      <p class="visually-hidden" role="status">
        {latest !== undefined &&
          t("teachKeySays", { key: chosen, token: nameOf(chosen), column: t(latest.title), value: formatNumber(latest.values[chosen] ?? NaN) })}
      </p>
    </div>
  );
}

function NoVectors({ answer }: { readonly answer: Answer }): preact.JSX.Element {
  const { store } = useApp();
  const { leftOut, error } = answer.data;
  if (error !== null) return <p class="placeholder">{t("teachFailed", { reason: error })}</p>;
  if (leftOut !== null) return <p class="placeholder" data-testid="teach-left-out">{t("teachLeftOut", { reason: shownText(leftOut) })}</p>;
  const name = JSON.stringify(shownText(store.resolved.value.name ?? "decoder"));
  return (
    <div class="placeholder" data-testid="teach-how">
      <p>{t("teachHow")}</p>
      <pre><code>{`llmdebug.log_probe(${name}, model, inputs, vectors=True, step=step)`}</code></pre>
    </div>
  );
}

function Lessons({ wanted }: { readonly wanted: StepName }): preact.JSX.Element {
  const { store, loader, teaching } = useApp();
  const { value, busy, error } = teaching.answer.value;
  const lesson = teaching.lesson.value;
  const panel = teaching.panel.value;
  const at = store.head.value;
  if (panel?.record === undefined) {
    const said = { run: elideMiddle(panel?.run ?? "", 60), step: formatCount(panel?.wantedStep ?? 0) };
    return <p class="placeholder">{t("teachNoRecord", said)}</p>;
  }
  if (error !== null) return <Failure text={t("teachFailed", { reason: error })} retry={() => loader.retry()} />;
  if (lesson === null || value === undefined) {
    const overview = loader.pictures.value.value?.overviews.values().next().value;
    const missing = lesson === null && at !== null && overview !== undefined && !loader.pictures.value.busy && layerOf(overview, at.layer)?.heads.includes(at.head) !== true;
    return <p class="placeholder">{missing ? t("noHead", { run: elideMiddle(panel.run, 60), ...at }) : `${t("loading")} …`}</p>;
  }
  if (value.row === null) return <NoVectors answer={value} />;
  const { vectors, steps } = value.row;
  const shown = shownStep(steps.names, wanted);
  return (
    <div data-stale={busy} aria-busy={busy} class="lesson-row" data-query={value.lesson.query} data-testid="teach-row">
      <StepBar names={steps.names} at={shown} />
      <RowSteps lesson={value.lesson} vectors={vectors} steps={steps} at={shown} />
    </div>
  );
}

export function TeachingPanel(): preact.JSX.Element | null {
  const { store } = useApp();
  const { step } = store.selection.value.teaching;
  const at = store.head.value;
  const section = useRef<HTMLElement>(null);
  const open = step !== null;
  useEffect(() => {
    if (open) section.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  if (step === null || at === null) return null;
  return (
    <section ref={section} class="lesson" aria-label={t("teachPanel", { ...at })} data-testid="teaching">
      <Choices />
      <Lessons wanted={step} />
    </section>
  );
}
