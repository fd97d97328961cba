// Layers x heads: a small curve of one statistic for every head, all on one scale.
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatCount } from "../../base/format";
import { leastAndMost } from "../../base/numbers";
import { useApp } from "../../frame/context";
import { SparkGrid, type SparkData, type SparkRun } from "../../render/spark_grid";
import type { Box } from "../../render/spark_layout";
import { ordinalsByStep, valueAtStep, type Extent } from "../../state/heads";
import { statisticName, t } from "../../text/table";
import { formatStatistic } from "../head_facts";
import { useDrawing } from "../use_drawing";
import type { HeadsShown } from "./focus";

interface Props {
  readonly shown: HeadsShown;
  readonly extent: Extent;
}

function useData({ runs, rows, state, worker }: HeadsShown, { low, high }: Extent): SparkData {
  const { store } = useApp();
  const dark = store.dark.value;
  const colours = store.colours.value;
  const curves = useMemo(
    () => runs.map((run) => ({ run, ordinals: ordinalsByStep(run, worker) })),
    [runs, worker],
  );
  return useMemo(() => {
    const drawn: SparkRun[] = curves.map(({ run: { run, data }, ordinals }) => ({
      colour: colours.get(run) ?? "#808080",
      steps: ordinals.map((ordinal) => data.steps[ordinal] ?? 0),
      ordinals,
      values: data.values,
      places: data.places,
      column: data.names.indexOf(state.statistic),
      columns: data.names.length,
    }));
    const firsts = drawn.flatMap(({ steps }) => steps.slice(0, 1));
    const lasts = drawn.flatMap(({ steps }) => steps.slice(-1));
    const [first, last] = firsts.length === 0 ? [0, 0] : [leastAndMost(firsts)[0], leastAndMost(lasts)[1]];
    return { rows, runs: drawn, low, high, first, last, dark };
  }, [curves, rows, state.statistic, low, high, dark, colours]);
}

export function Matrix({ shown, extent }: Props): preact.JSX.Element {
  const { store } = useApp();
  const { runs, state, step, worker } = shown;
  const [box, setBox] = useState<Box | null>(null);
  const [moves, setMoves] = useState(0);
  const [host, grid] = useDrawing(
    (element) =>
      new SparkGrid(element, {
        hover: (at) => store.setHover(at ?? {}),
        select: (at) => store.lockHead(at),
        moved: () => setMoves((count) => count + 1),
      }),
  );
  const data = useData(shown, extent);
  const locked = store.lockedHead.value;
  const hovered = store.hoveredHead.value;
  const at = locked ?? store.head.value;
  const other = at !== null && state.other !== null && locked !== null ? { layer: at.layer, head: state.other } : null;
  useEffect(() => grid?.setData(data), [grid, data]);
  useEffect(() => grid?.setPointer({ step, hovered, locked, other }), [grid, step, hovered, locked, other?.layer, other?.head]);
  useEffect(() => {
    setBox(at === null ? null : (grid?.cellOf(at) ?? null));
  }, [grid, at?.layer, at?.head, moves, data]);
  const name = statisticName(state.statistic);
  const facts = runs.map((run) =>
    t("headsAt", { run: run.run, value: at === null ? "–" : formatStatistic(state.statistic, valueAtStep(run, step, at, state.statistic, worker)) }),
  );
  const scale = {
    low: formatStatistic(state.statistic, extent.low),
    high: formatStatistic(state.statistic, extent.high),
    first: formatCount(data.first),
    last: formatCount(data.last),
  };
  return (
    <section class="spark-frame" aria-label={t("headsMatrix", { statistic: name })} data-testid="spark-grid">
      <p class="caption muted">
        <span aria-hidden="true">{t("layer")} ↓ {t("head")} → · </span>
        <span data-testid="spark-scale">{t(data.first === data.last ? "headsScaleOne" : "headsScale", scale)}</span>
      </p>
      <div class="spark-scroll">
        <div ref={host} class="spark-canvas" />
        {at !== null && box !== null && (
          <button
            type="button"
            class="grid-cursor"
            data-keys="page"
            data-testid="spark-cursor"
            aria-pressed={locked !== null}
            aria-label={`${t("headLabel", { ...at, facts: `${name}, ${t("step", { step: formatCount(step) })}: ${facts.join("; ")}` })}. ${t("headsHint")}`}
            style={{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }}
            onClick={() => store.lockHead(at)}
          />
        )}
      </div>
    </section>
  );
}
