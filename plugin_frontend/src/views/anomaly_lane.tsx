// One anomaly over the steps: a mark wherever it was seen, on the axis of the scrubber below.
import { useMemo, useState } from "preact/hooks";
import { formatCount } from "../base/format";
import type { AnomalyGroupInfo } from "../data/types";
import type { FigureLane } from "../exports/figure_table";
import { axisPlace, nearestStep, neighbourStep, sliderMove } from "../state/timeline";
import { t } from "../text/table";

export interface Span {
  readonly first: number;
  readonly last: number;
}

interface Props {
  readonly item: AnomalyGroupInfo;
  readonly span: Span;
  /** The step on screen. */
  readonly now: number | null;
  /** Which anomaly of which run: a page holds many lanes. */
  readonly label: string;
  readonly severity: string;
  readonly onStep: (step: number) => void;
}

/** Units across; more marks than these cannot be told apart. */
const WIDTH = 1000;

/** One place of `WIDTH` per stroke, however many steps fall on it. */
function lanePlaces(steps: readonly number[], { first, last }: Span): number[] {
  return [...new Set(steps.map((step) => Math.round(axisPlace(step, first, last) * WIDTH)))];
}

export function lanePath(steps: readonly number[], span: Span): string {
  return lanePlaces(steps, span).map((place) => `M${place} 2V10`).join("");
}

/** The same strokes in a figure. */
export const figureLane = (steps: readonly number[], span: Span): FigureLane => lanePlaces(steps, span).map((place) => place / WIDTH);

export function AnomalyLane({ item, span, now, label, severity, onStep }: Props): preact.JSX.Element {
  const steps = useMemo(() => [...item.steps].sort((a, b) => a - b), [item.steps]);
  const [reached, reach] = useState<number | null>(null);
  const at = nearestStep(steps, reached ?? now ?? item.firstStep) ?? item.firstStep;
  const choose = (event: MouseEvent & { readonly currentTarget: SVGSVGElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const wanted = span.first + ((event.clientX - left) / Math.max(1, width)) * (span.last - span.first);
    const step = nearestStep(steps, wanted);
    if (step !== undefined) onStep(step);
  };
  const press = (event: KeyboardEvent): void => {
    const going = event.key === "Enter" || event.key === " ";
    const by = sliderMove(event);
    if (!going && by === undefined) return;
    // Neither played nor scrolled by.
    event.preventDefault();
    if (by === undefined) onStep(at);
    else reach(neighbourStep(steps, at, by) ?? at);
  };
  const placeOf = (step: number): number => axisPlace(step, span.first, span.last) * WIDTH;
  const place = now === null || now < span.first || now > span.last ? null : placeOf(now);
  return (
    <div class="lane" data-severity={severity}>
      <span class="muted">{formatCount(span.first)}</span>
      {/* Attributes of SVG are told apart by case: `tabIndex` would be none. */}
      <svg viewBox={`0 0 ${WIDTH} 12`} preserveAspectRatio="none" role="slider" tabindex={0}
        aria-label={label} aria-valuemin={item.firstStep} aria-valuemax={item.lastStep} aria-valuenow={at}
        aria-valuetext={t("laneValue", { step: formatCount(at) })} data-testid="lane" onClick={choose} onKeyDown={press}>
        <title>{t("laneTitle")}</title>
        <path class="base" d={`M0 11.5H${WIDTH}`} />
        <path class="seen" d={lanePath(item.steps, span)} />
        <path class="reached" d={`M${placeOf(at)} 0V12`} />
        {place !== null && <path class="now" d={`M${place} 0V12`} />}
      </svg>
      <span class="muted">{formatCount(span.last)}</span>
    </div>
  );
}
