// Layers x heads: a small curve of one statistic for every head, all on one scale.
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatCount } from "../../base/format";
import { useApp } from "../../frame/context";
import { SparkGrid } from "../../render/spark_grid";
import type { Box } from "../../render/spark_layout";
import { ordinalsByStep, valueAtStep, type Extent } from "../../state/heads";
import { statisticName, t } from "../../text/table";
import { useExport } from "../exporting";
import { formatStatistic } from "../head_facts";
import { useDrawing } from "../use_drawing";
import { matrixEntry, scaleText, sparkData, type RunCurves } from "./figures";
import type { HeadsShown } from "./focus";

interface Props {
  readonly shown: HeadsShown;
  readonly extent: Extent;
}

function useCurves({ runs, worker }: HeadsShown): readonly RunCurves[] {
  return useMemo(() => runs.map((run) => ({ run, ordinals: ordinalsByStep(run, worker) })), [runs, worker]);
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
  const curves = useCurves(shown);
  const [dark, colours] = [store.dark.value, store.colours.value];
  const data = useMemo(
    () => sparkData(curves, shown, extent, colours, dark),
    [curves, shown.rows, state.statistic, extent.low, extent.high, dark, colours],
  );
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
  useExport([matrixEntry(store, shown, { curves, extent, locked, other })]);
  const facts = runs.map((run) =>
    t("headsAt", { run: run.run, value: at === null ? "–" : formatStatistic(state.statistic, valueAtStep(run, step, at, state.statistic, worker)) }),
  );
  return (
    <section class="spark-frame" aria-label={t("headsMatrix", { statistic: name })} data-testid="spark-grid">
      <p class="caption muted">
        <span aria-hidden="true">{t("layer")} ↓ {t("head")} → · </span>
        <span data-testid="spark-scale">{scaleText(state.statistic, data)}</span>
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
