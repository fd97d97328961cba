// The time axis under all views.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, formatNumber } from "../base/format";
import { MapState, Severity } from "../data/types";
import { SPEEDS } from "../state/playing";
import { isAbsent } from "../state/resolve";
import type { Pin } from "../state/selection";
import { axisPlace, nearestStep, niceLabels, sliderMove, type Tick } from "../state/timeline";
import { formatTick } from "../text/format";
import { t, type TextKey } from "../text/table";
import { useApp } from "./context";
import { curvePath, marksOf, tickPaths, valueAt, type Mark, type Span } from "./curve";

const CURVE_HEIGHT = 26;
const TICK_HEIGHT = 10;
const MARK_WIDTH = 7;
const HOVER_MS = 120;

const STATE_TEXT: Readonly<Record<MapState, TextKey>> = {
  [MapState.NO_MAP]: "stateRecord",
  [MapState.FULL]: "stateFull",
  [MapState.REDUCED]: "stateReduced",
  [MapState.STATISTICS_ONLY]: "stateStatistics",
  [MapState.DROPPED]: "stateDropped",
};

const STATE_CLASS: Readonly<Record<MapState, string>> = {
  [MapState.NO_MAP]: "record",
  [MapState.FULL]: "full",
  [MapState.REDUCED]: "reduced",
  [MapState.STATISTICS_ONLY]: "statistics",
  [MapState.DROPPED]: "dropped",
};

export function useWidth(): [preact.RefObject<HTMLDivElement | null>, number] {
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    // It tells the first width too, after the layout that the frame needs anyway.
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [host, width];
}

function describe(ticks: readonly Tick[], step: number): string {
  const tick = ticks.find((one) => one.step === step);
  const state = t(STATE_TEXT[tick?.presence ?? MapState.NO_MAP]);
  const marked = tick !== undefined && tick.severity > Severity.INFO ? `${state}, ${t("marks")}` : state;
  return t("scrubberValue", { step: formatCount(step), state: marked });
}

function markText({ count, first, last }: Mark): string {
  if (count === 1) return `${t("step", { step: formatCount(first) })}: ${t("marks")}`;
  return t("marksPooled", { n: count, first: formatCount(first), last: formatCount(last) });
}

/** Nothing of this changes while steps are played or pointed at. */
function useGeometry(ticks: readonly Tick[], { first, last, width, height }: Span): { curve: string; paths: [MapState, string][]; marks: Mark[] } {
  const scalars = useApp().loader.scalars.value.value;
  const span = { first, last, width, height };
  const curve = useMemo(() => curvePath(scalars?.steps ?? [], scalars?.values ?? [], span), [scalars, first, last, width, height]);
  const paths = useMemo(() => [...tickPaths(ticks, { ...span, height: TICK_HEIGHT })], [ticks, first, last, width]);
  const marks = useMemo(() => marksOf(ticks, span, MARK_WIDTH), [ticks, first, last, width]);
  return { curve, paths, marks };
}

interface AxisProps {
  readonly ticks: readonly Tick[];
  readonly span: Span;
}

function Drawing({ ticks, span }: AxisProps): preact.JSX.Element {
  const { store } = useApp();
  const { curve, paths, marks } = useGeometry(ticks, span);
  const x = (step: number): number => axisPlace(step, span.first, span.last) * span.width;
  const current = store.resolved.value.step;
  const hovered = store.hover.value.step;
  const { a, b } = store.selection.value;
  const there = (pin: Pin | null): Pin | null => (isAbsent(store.index.value, pin) ? null : pin);
  const pins = { a: there(a), b: there(b) };
  const labels = niceLabels(span.first, span.last, Math.max(2, Math.floor(span.width / 80)));
  return (
    <svg class="axis" width={span.width} height={64} aria-hidden="true">
      <g transform="translate(0 4)">
        <path class="curve" d={curve} style={{ stroke: store.colours.value.get(store.resolved.value.run ?? "") }} />
      </g>
      <g transform={`translate(0 ${CURVE_HEIGHT + 8})`}>
        <line class="base" x1={0} x2={span.width} y1={TICK_HEIGHT + 0.5} y2={TICK_HEIGHT + 0.5} />
        {paths.map(([state, d]) => (
          <path key={state} class={`tick ${STATE_CLASS[state]}`} d={d} />
        ))}
        {marks.map((mark) => (
          <path
            key={mark.first}
            class={`mark ${mark.severity === Severity.ERROR ? "error" : "warning"}`}
            d={`M${mark.x - MARK_WIDTH / 2} -7h${MARK_WIDTH}l${-MARK_WIDTH / 2} 6z`}
            data-testid="scrubber-mark"
          >
            <title>{markText(mark)}</title>
          </path>
        ))}
        {labels.map((step) => (
          <text key={step} x={Math.min(span.width - 8, Math.max(8, x(step)))} y={TICK_HEIGHT + 14}>
            {formatTick(step)}
          </text>
        ))}
      </g>
      {hovered !== undefined && <line class="cursor hover" x1={x(hovered)} x2={x(hovered)} y1={2} y2={46} />}
      {(["a", "b"] as const).map((pin) => {
        const at = pins[pin];
        if (at === null) return null;
        // Two pins at one place: the second letter stands under the first.
        const under = pin === "b" && pins.a !== null && Math.abs(x(pins.a.step) - x(at.step)) < 12;
        return (
          <g key={pin} class="pin" transform={`translate(${x(at.step)} 0)`}>
            <line y1={2} y2={46} />
            <text y={under ? 20 : 9} x={x(at.step) > span.width - 16 ? -10 : 3}>
              {pin.toUpperCase()}
            </text>
          </g>
        );
      })}
      {current !== null && (
        <g transform={`translate(${x(current)} 0)`}>
          <line class="cursor" y1={2} y2={46} />
          <circle class="thumb" cy={CURVE_HEIGHT + 8 + TICK_HEIGHT} r={5} />
        </g>
      )}
    </svg>
  );
}

function Axis({ ticks }: { readonly ticks: readonly Tick[] }): preact.JSX.Element {
  const { store } = useApp();
  const [host, width] = useWidth();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { steps, step } = store.resolved.value;
  const first = ticks[0]?.step ?? 0;
  const last = ticks[ticks.length - 1]?.step ?? 0;
  const span: Span = { first, last, width: Math.max(1, width - 16), height: CURVE_HEIGHT };

  const stepAt = (event: PointerEvent): number | undefined => {
    const left = host.current?.getBoundingClientRect().left ?? 0;
    const share = Math.min(1, Math.max(0, (event.clientX - left - 8) / span.width));
    return nearestStep(steps, first + share * (last - first));
  };
  const drag = (event: PointerEvent): void => {
    const at = stepAt(event);
    clearTimeout(timer.current);
    if (at === undefined) return;
    if ((event.buttons & 1) === 1) {
      store.setHover({});
      if (at !== store.resolved.peek().step) store.goToStep(at);
      return;
    }
    // A short rest before the preview: crossing the axis on the way elsewhere changes nothing.
    timer.current = setTimeout(() => store.setHover({ step: at }), HOVER_MS);
  };
  const leave = (): void => {
    clearTimeout(timer.current);
    store.setHover({});
  };
  const keys = (event: KeyboardEvent): void => {
    const move = sliderMove(event);
    if (move === undefined) return;
    event.preventDefault();
    store.moveStep(move);
  };
  return (
    <div
      ref={host}
      class="axis-host"
      role="slider"
      tabIndex={0}
      aria-label={t("scrubber")}
      aria-valuemin={first}
      aria-valuemax={last}
      aria-valuenow={step ?? first}
      aria-valuetext={describe(ticks, step ?? first)}
      data-testid="scrubber"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag(event);
      }}
      onPointerMove={drag}
      onPointerLeave={leave}
      onKeyDown={keys}
    >
      {width > 0 && <Drawing ticks={ticks} span={span} />}
    </div>
  );
}

function Transport(): preact.JSX.Element {
  const { store } = useApp();
  const playing = store.playing.value;
  return (
    <div class="transport">
      <button type="button" aria-label={t("previousStep")} title={`${t("previousStep")}  [`}
        onClick={() => store.moveStep(-1)}>‹</button>
      <button type="button" aria-label={playing ? t("pause") : t("play")} title={t(playing ? "pause" : "play")}
        data-testid="play" onClick={() => (store.playing.value = !playing)}>
        {playing ? "❚❚" : "▶"}
      </button>
      <button type="button" aria-label={t("nextStep")} title={`${t("nextStep")}  ]`}
        onClick={() => store.moveStep(1)}>›</button>
      <button type="button" aria-pressed={store.loop.value} aria-label={t("loop")} title={t("loop")} data-testid="loop"
        onClick={() => store.update({ playing: { ...store.selection.value.playing, loop: !store.loop.value } })}>↻</button>
      <select
        value={String(store.selection.value.playing.speed)}
        aria-label={t("speed")}
        title={t("speed")}
        data-testid="speed"
        onChange={(event) => store.update({ playing: { ...store.selection.value.playing, speed: Number(event.currentTarget.value) } })}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={String(speed)}>
            {t("perSecond", { n: speed })}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Any step by its number: with many of them a pixel of the axis stands for several. */
function GoTo(): preact.JSX.Element {
  const { store } = useApp();
  const go = (input: HTMLInputElement): void => {
    const wanted = Number(input.value.replace(/[\s,_]/g, ""));
    const found = input.value.trim() === "" || !Number.isFinite(wanted) ? undefined : nearestStep(store.resolved.peek().steps, wanted);
    input.value = "";
    if (found !== undefined) store.goToStep(found);
  };
  return (
    <input
      type="text"
      inputMode="numeric"
      class="go-to"
      placeholder={t("goToShort")}
      aria-label={t("goTo")}
      title={t("goTo")}
      data-testid="go-to"
      onKeyDown={(event) => {
        if (event.key === "Enter") go(event.currentTarget);
      }}
      onBlur={(event) => (event.currentTarget.value = "")}
    />
  );
}

function Readout({ ticks, still }: { readonly ticks: readonly Tick[]; readonly still: boolean }): preact.JSX.Element {
  const { store, loader } = useApp();
  const step = store.step.value;
  const scalars = loader.scalars.value.value;
  const value = step === null ? undefined : valueAt(scalars?.steps ?? [], scalars?.values ?? [], step);
  const tick = ticks.find((one) => one.step === step);
  return (
    <div class="readout" data-testid="readout">
      <span class="readout-step">
        <b data-testid="step">{step === null ? "–" : t("step", { step: formatCount(step) })}</b>
        {!still && <GoTo />}
      </span>
      <span class="muted">{tick === undefined ? "" : t(STATE_TEXT[tick.presence])}</span>
      {scalars !== undefined && scalars.tags.length > 0 ? (
        <label class="loss">
          <select
            aria-label={t("lossTag")}
            title={t("lossTag")}
            value={scalars.tag}
            onChange={(event) => store.update({ lossTag: event.currentTarget.value })}
          >
            {scalars.tags.slice(0, 500).map((tag) => (
              <option key={tag} value={tag}>
                {tag}
              </option>
            ))}
          </select>
          <span>{value === undefined ? "" : formatNumber(value)}</span>
        </label>
      ) : (
        <span class="muted">{t("noLoss")}</span>
      )}
    </div>
  );
}

export function Scrubber(): preact.JSX.Element | null {
  const { store } = useApp();
  const { ticks, steps } = store.resolved.value;
  if (ticks.length === 0) return null;
  // A run may get a second step at any time, a saved page never does.
  const still = store.saved.value !== null && steps.length < 2;
  return (
    <footer class={still ? "scrubber still" : "scrubber"}>
      {!still && <Transport />}
      <Readout ticks={ticks} still={still} />
      <Axis ticks={ticks} />
    </footer>
  );
}
