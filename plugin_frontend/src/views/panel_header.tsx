// What stands over the pictures of a panel: which run and step they are of, and what was done to them.
import { formatCount, formatPercent } from "../base/format";
import type { Overview, OverviewLayer } from "../data/types";
import { useApp } from "../frame/context";
import { hasAsideSpecial, meanAsideShare } from "../state/aside";
import { onlyBlocks } from "../state/facts";
import { workersOf } from "../state/catalog";
import type { RecordRef } from "../state/resolve";
import type { PanelSpec } from "../state/store";
import { shownText } from "../text/format";
import { t } from "../text/table";
import { modelCaption } from "./architecture";

/** How the pictures of a layer relate to its weights. */
function fineness(layer: OverviewLayer, pool: string): string[] {
  const { keptRows, keptKeys, pooledRows, pooled } = layer;
  const parts: string[] = [];
  if (keptRows * keptKeys > 1) parts.push(t("captionKept", { pool, rows: keptRows, keys: keptKeys }));
  const same = pooledRows === keptRows && pooled === keptKeys;
  if (pooledRows * pooled > 1 && !same) parts.push(t("captionPooled", { pool, rows: pooledRows, keys: pooled }));
  return parts.length > 0 ? parts : [t("captionEvery")];
}

/** What was left out of the pictures, and how much of the weight that is. */
function asideCaption(overview: Overview): string[] {
  if (overview.sinks === "shown") return [];
  const share = meanAsideShare(overview);
  if (share === undefined) return onlyBlocks(overview) ? [t("asideBlocks")] : [];
  return [t(hasAsideSpecial(overview) ? "asideSpecial" : "asideFirst", { share: formatPercent(share) }), t("asideMark")];
}

function caption(overview: Overview, examples: number, onPadding: boolean): string[] {
  const layer = overview.layers.find((one) => one.thumbs !== null);
  const parts: string[] = [];
  if (layer !== undefined) {
    const [queries, keys] = [formatCount(layer.queries), formatCount(layer.keys)];
    const chosen = layer.rows.length > 0;
    parts.push(t(chosen ? "captionRows" : "captionSize", { n: formatCount(layer.rows.length), queries, keys }));
    parts.push(...fineness(layer, t(overview.pool === "max" ? "poolMax" : "poolMean")));
    parts.push(...asideCaption(overview));
  }
  if (!onPadding && overview.keyMask?.includes(0) === true) parts.push(t("captionNoPadding"));
  else if (overview.queryMask?.includes(0) === true) parts.push(t("captionPadding"));
  parts.push(...modelCaption(overview));
  if (examples < overview.batch) parts.push(t("captionBatch", { shown: examples, batch: overview.batch }));
  return parts;
}

/** Which process of a distributed run; nothing where there is only one. */
function WorkerChoice({ record }: { readonly record: RecordRef }): preact.JSX.Element | null {
  const { store } = useApp();
  const workers = workersOf(record.series);
  if (workers.length < 2) return null;
  const shown = record.series.workers[record.ordinal] ?? 0;
  const logged = record.series.workers.filter((_, i) => record.series.steps[i] === record.step);
  return (
    <select
      class="worker"
      value={String(shown)}
      aria-label={t("worker", { run: record.run })}
      title={t("workerTitle", { n: new Set(logged).size, all: workers.length })}
      data-testid="worker"
      onChange={(event) => store.update({ worker: Number(event.currentTarget.value) })}
    >
      {workers.map((worker) => (
        <option key={worker} value={String(worker)} disabled={!logged.includes(worker)}>
          {t("workerNumber", { n: worker })}
        </option>
      ))}
    </select>
  );
}

/** Under an exported picture: how it was reduced, and what its frames mean. */
export function exportCaption(panel: PanelSpec, overview: Overview, blocksOnly: boolean, onPadding: boolean): string[] {
  const reduction = overview.reduction === "" ? [] : [shownText(overview.reduction)];
  const difference = panel.side === "difference" ? [differenceCaption(overview, blocksOnly)] : [];
  return [...caption(overview, panel.record?.series.examples ?? 1, onPadding), ...reduction, ...difference];
}

interface HeaderProps {
  readonly panel: PanelSpec;
  readonly overview: Overview | undefined;
  /** A difference of blocks: there is no distance of the weights. */
  readonly blocksOnly: boolean;
  readonly onPadding: boolean;
}

function differenceCaption(overview: Overview | undefined, blocksOnly: boolean): string {
  const same = overview !== undefined && meanAsideShare(overview) !== undefined ? ` · ${t("asideSame")}` : "";
  if (!blocksOnly) return `${t("frameMeaning")} · ${t("hatchMeaning")}${same}`;
  const layer = overview?.layers[0];
  return t("blocksCompared", { n: `${layer?.keptRows ?? 1} × ${layer?.keptKeys ?? 1}` });
}

export function Header({ panel, overview, blocksOnly, onPadding }: HeaderProps): preact.JSX.Element {
  const { store } = useApp();
  const { record, wantedStep } = panel;
  const colour = store.colours.value.get(panel.run);
  const step = record?.step;
  const when =
    step === undefined
      ? ""
      : step === wantedStep
        ? t("captionStep", { step: formatCount(step) })
        : t("captionEarlier", { step: formatCount(step), wanted: formatCount(wantedStep) });
  const parts = overview === undefined ? [] : caption(overview, record?.series.examples ?? 1, onPadding);
  const title = panel.side === "difference" ? t("panelDifference") : shownText(panel.run);
  return (
    <header class="panel-head" style={{ "--run": panel.side === "difference" ? "transparent" : colour }}>
      <h2>
        {panel.side === "run" ? null : <b class="side">{panel.side === "difference" ? "" : panel.side}</b>}
        <bdi class="run-name" title={title}>
          {title}
        </bdi>
        <span class="when" data-testid="panel-step">
          {panel.side === "difference" ? "" : when}
        </span>
        {panel.side !== "difference" && record !== undefined && <WorkerChoice record={record} />}
      </h2>
      <p class="caption muted" dir="auto" title={parts.join(" · ")} data-testid="caption">
        {panel.side === "difference" ? differenceCaption(overview, blocksOnly) : parts.join(" · ")}
      </p>
      {panel.side !== "difference" && overview !== undefined && overview.reduction !== "" && (
        <p class="caption muted" dir="auto" data-testid="reduction">
          {shownText(overview.reduction)}
        </p>
      )}
      {panel.side !== "difference" && overview !== undefined && overview.gap !== "" && (
        <p class="caption muted" dir="auto" data-testid="gap">
          {shownText(overview.gap)}
        </p>
      )}
    </header>
  );
}
