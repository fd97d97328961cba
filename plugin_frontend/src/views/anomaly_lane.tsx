// One anomaly over the steps: a mark wherever it was seen, on the axis of the scrubber below.
import { formatCount } from "../base/format";
import type { AnomalyGroupInfo } from "../data/types";
import { axisPlace, nearestStep } from "../state/timeline";
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
  readonly label: string;
  readonly severity: string;
  readonly onStep: (step: number) => void;
}

/** Units across; more marks than these cannot be told apart. */
const WIDTH = 1000;

/** One stroke per place, however many steps fall on it. */
export function lanePath(steps: readonly number[], { first, last }: Span): string {
  const places = new Set(steps.map((step) => Math.round(axisPlace(step, first, last) * WIDTH)));
  return [...places].map((place) => `M${place} 2V10`).join("");
}

export function AnomalyLane({ item, span, now, label, severity, onStep }: Props): preact.JSX.Element {
  const choose = (event: MouseEvent & { readonly currentTarget: SVGSVGElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const wanted = span.first + ((event.clientX - left) / Math.max(1, width)) * (span.last - span.first);
    const step = nearestStep(item.steps, wanted);
    if (step !== undefined) onStep(step);
  };
  const place = now === null || now < span.first || now > span.last ? null : axisPlace(now, span.first, span.last) * WIDTH;
  return (
    <div class="lane" data-severity={severity}>
      <span class="muted">{formatCount(span.first)}</span>
      <svg viewBox={`0 0 ${WIDTH} 12`} preserveAspectRatio="none" role="img" aria-label={label} data-testid="lane" onClick={choose}>
        <title>{t("laneTitle")}</title>
        <path class="base" d={`M0 11.5H${WIDTH}`} />
        <path class="seen" d={lanePath(item.steps, span)} />
        {place !== null && <path class="now" d={`M${place} 0V12`} />}
      </svg>
      <span class="muted">{formatCount(span.last)}</span>
    </div>
  );
}
