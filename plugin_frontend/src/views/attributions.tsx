// Attributions: a strip of tokens per step, one above the other, for every visible run.
import { useMemo, useState } from "preact/hooks";
import { formatCount, formatNumber, formatPercent } from "../base/format";
import { leastAndMost } from "../base/numbers";
import type { AttributionsData, AttributionStepInfo } from "../data/types";
import { Failure } from "../frame/failure";
import { useApp } from "../frame/context";
import { NORM_NAMES } from "../state/selection";
import { completeness, peakOf, scalesOf, scoreColour, stretches, type Stretch } from "../state/strips";
import { elideMiddle, shownText } from "../text/format";
import { t } from "../text/table";
import { useExport } from "./exporting";
import { methodText, MOST_TOKENS, partText, stripParts, stripToken, targetText, verdictText } from "./strip_text";
import { stripsEntry } from "./strips_figure";
import { scoresTable } from "./tables";
import { Choice } from "./toolbar";

/** Strips drawn at first: every one is a row of spans. */
const MOST_STRIPS = 40;

function Badge({ strip }: { readonly strip: AttributionStepInfo }): preact.JSX.Element | null {
  const found = completeness(strip.scores, strip.delta, strip.output, strip.baselineOutput);
  if (found === undefined) return null;
  const percent = (share: number | undefined): string => (share === undefined ? "–" : formatPercent(share));
  const title = t("completenessTitle", {
    ofOutput: percent(found.ofOutput),
    ofScores: percent(found.ofScores),
    delta: formatNumber(strip.delta ?? NaN),
  });
  return (
    <span class={`badge ${found.verdict}`} title={title} data-testid="completeness">
      {verdictText(found)}
    </span>
  );
}

interface StripProps {
  readonly strip: AttributionStepInfo;
  readonly scale: number;
  readonly chosen: boolean;
  readonly dark: boolean;
  /** Repeated tokens stand as one. */
  readonly folded: boolean;
  readonly onUnfold: () => void;
  /** What the scores explain differs from step to step. */
  readonly withTarget: boolean;
  readonly onChoose: () => void;
  readonly onPoint: (text: string) => void;
}

function Strip(props: StripProps): preact.JSX.Element {
  const { strip, scale, chosen, dark, folded, withTarget, onUnfold, onChoose, onPoint } = props;
  const shown = (place: number): string => stripToken(strip, place);
  const said = ({ start, length, score }: Stretch): string => {
    if (length === 1) return t("rawScore", { token: shown(start), score: formatNumber(score) });
    const [low, high] = leastAndMost(strip.scores.subarray(start, start + length));
    const range = { low: formatNumber(low), high: formatNumber(high) };
    return t("foldedScore", { token: shown(start), n: length, score: formatNumber(score), ...range });
  };
  const parts = stripParts(strip, folded);
  const partOf = (event: Event): Stretch | undefined => {
    const token = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-token]") : null;
    return parts.find((part) => part.start === Number(token?.dataset["token"] ?? -1));
  };
  const point = (event: Event): void => {
    const part = partOf(event);
    if (part !== undefined) onPoint(said(part));
  };
  const click = (event: Event): void => ((partOf(event)?.length ?? 1) > 1 ? onUnfold() : onChoose());
  return (
    <li class="strip" data-testid="strip" data-step={strip.step} data-chosen={chosen}>
      <button type="button" class="strip-step" aria-pressed={chosen} onClick={onChoose}
        aria-label={t("stripLabel", { step: formatCount(strip.step) })}>
        {formatCount(strip.step)}
      </button>
      <div class="strip-tokens" dir="auto" onMouseOver={point} onMouseLeave={() => onPoint("")} onClick={click}>
        {parts.map((part) => {
          const { start: place, length, score } = part;
          const kind = length > 1 ? (score === 0 ? "padding" : "folded") : Number.isFinite(score) ? undefined : "broken";
          return (
            <span key={place} class="token" dir="auto" data-token={place} title={said(part)}
              data-kind={kind}
              style={{ background: scoreColour(score, scale, dark) }}>
              {partText(strip, part)}
            </span>
          );
        })}
        {strip.scores.length > MOST_TOKENS && " …"}
        {withTarget && (
          <span class="strip-target muted" title={t("target", { target: targetText(strip) })}>
            → <bdi>{targetText(strip)}</bdi>
          </span>
        )}
      </div>
      <Badge strip={strip} />
    </li>
  );
}

interface MethodProps {
  readonly strip: AttributionStepInfo;
  readonly withTarget: boolean;
}

function Method({ strip, withTarget }: MethodProps): preact.JSX.Element {
  return (
    <p class="caption muted" dir="auto" data-testid="method">
      {methodText(strip, withTarget)}
    </p>
  );
}

interface RunProps {
  readonly run: string;
  readonly data: AttributionsData | undefined;
  readonly folded: boolean;
  readonly onUnfold: () => void;
}

/** Whether any strip repeats a token often enough to be folded. */
function repeatsItself(data: AttributionsData): boolean {
  return data.steps.some((one) => stretches(one.tokens, one.scores).length < one.scores.length);
}

/** What to draw first of very many strips: evenly spread over the run, the chosen step among them. */
function spread(steps: readonly AttributionStepInfo[], keep: number | null): readonly AttributionStepInfo[] {
  if (steps.length <= MOST_STRIPS) return steps;
  const stride = (steps.length - 1) / (MOST_STRIPS - 1);
  const places = new Set(Array.from({ length: MOST_STRIPS }, (_, i) => Math.round(i * stride)));
  return steps.filter((step, i) => places.has(i) || step.step === keep);
}

function RunStrips({ run, data, folded, onUnfold }: RunProps): preact.JSX.Element {
  const { store } = useApp();
  const [all, setAll] = useState(false);
  const [pointed, setPointed] = useState("");
  const { norm } = store.selection.value;
  const { step, attribution } = store.resolved.value;
  const dark = store.dark.value;
  const steps = useMemo(() => [...(data?.steps ?? [])].sort((a, b) => a.step - b.step), [data]);
  const scales = useMemo(() => scalesOf(steps.map((one) => one.scores), norm), [steps, norm]);
  const scaleOf = new Map(steps.map((one, i) => [one, scales[i] ?? 0]));
  // The strip that holds at the chosen step: the last one at or before it.
  const chosen = steps.reduce<AttributionStepInfo | undefined>(
    (best, one) => (step !== null && one.step <= step ? one : best),
    undefined,
  );
  const shown = all ? steps : spread(steps, chosen?.step ?? null);
  const sample = chosen ?? steps[0];
  const name = elideMiddle(attribution ?? "", 60);
  const manyTargets = new Set(steps.map((one) => one.target)).size > 1;
  useExport(
    sample === undefined
      ? []
      : [stripsEntry(store, { run, strips: shown, chosen, all: steps.length, norm, folded, withTarget: manyTargets, scaleOf: (one) => scaleOf.get(one) ?? peakOf(one.scores), method: methodText(sample, !manyTargets) })],
  );
  return (
    <section class="strips" data-testid="strips" data-run={run} aria-label={t("strips", { run })}
      style={{ "--run": store.colours.value.get(run) }}>
      <h2>
        <bdi class="run-name" title={shownText(run)}>{elideMiddle(run, 100)}</bdi>
        <output class="cell-readout" dir="auto" data-testid="score-readout">{pointed}</output>
      </h2>
      {sample !== undefined && <Method strip={sample} withTarget={!manyTargets} />}
      {data !== undefined && data.error !== null && <Failure text={data.error} />}
      {(data === undefined || data.error === null) && steps.length === 0 && (
        <p class="placeholder">{t("noStrips", { run: elideMiddle(run, 60), name })}</p>
      )}
      <ol>
        {shown.map((strip) => (
          <Strip key={strip.ordinal} strip={strip} scale={scaleOf.get(strip) ?? peakOf(strip.scores)} dark={dark}
            chosen={strip === chosen} folded={folded} onUnfold={onUnfold} withTarget={manyTargets} onPoint={setPointed} onChoose={() => store.goToStep(strip.step)} />
        ))}
      </ol>
      {shown.length < steps.length && (
        <button type="button" onClick={() => setAll(true)}>{t("showAllSteps", { n: steps.length })}</button>
      )}
    </section>
  );
}

function ScoreBar({ dark }: { readonly dark: boolean }): preact.JSX.Element {
  const stops = [-1, -0.5, 0, 0.5, 1].map((share) => scoreColour(share, 1, dark));
  return (
    <span class="colour-bar" role="img" title={t("scoreTitle")} aria-label={t("scoreTitle")}>
      <i>{t("scoreLow")}</i>
      <span style={{ background: `linear-gradient(to right, ${stops.join(",")})` }} />
      <i>{t("scoreHigh")}</i>
    </span>
  );
}

export function AttributionsView(): preact.JSX.Element {
  const { store, loader } = useApp();
  const { runs } = store.resolved.value;
  const { value, error, busy } = loader.attributions.value;
  const { norm } = store.selection.value;
  const [folded, setFolded] = useState(true);
  useExport(
    value === undefined || value.size === 0
      ? []
      : [{ id: "scores", section: "table", title: t("exportScores"), parts: [...value.keys(), store.resolved.value.attribution ?? "", `example ${store.resolved.value.example}`], table: () => scoresTable(value) }],
  );
  const foldable = useMemo(() => [...(value?.values() ?? [])].some(repeatsItself), [value]);
  return (
    <div class="attributions" aria-busy={busy}>
      <div class="toolbar" role="group" aria-label={t("colours")}>
        <div class="group">
          <Choice label={t("normLabel")} value={norm} options={NORM_NAMES} testId="norm"
            name={(one) => t(one === "step" ? "normStep" : "normAll")} onChange={(next) => store.update({ norm: next })} />
        </div>
        <div class="group">
          {foldable && (
            <label class="control">
              <input type="checkbox" checked={!folded} data-testid="unfold" onChange={() => setFolded(!folded)} />
              <span>{t("writeOut")}</span>
            </label>
          )}
          <ScoreBar dark={store.dark.value} />
        </div>
      </div>
      {error !== null && <Failure text={t("loadFailed", { reason: error })} retry={() => loader.retry()} />}
      {value === undefined && error === null && <p class="placeholder">{t("loading")} …</p>}
      {value !== undefined && runs.map((run) => (
        <RunStrips key={run} run={run} data={value.get(run)} folded={folded} onUnfold={() => setFolded(false)} />
      ))}
    </div>
  );
}
