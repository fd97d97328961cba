// The Attention view: grids side by side, the head in focus under them, its numbers at the end.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { largestDifference } from "../data/difference";
import type { ComparisonInfo } from "../data/types";
import { useApp } from "../frame/context";
import { lazy } from "../frame/lazy";
import { headRowsOf, isPooled, statisticOf } from "../state/facts";
import { mapRef, refKey } from "../state/resolve";
import type { PanelSpec, Store } from "../state/store";
import { shownText } from "../text/format";
import { t } from "../text/table";
import { statisticsTable, useExport } from "./exporting";
import { HeadBar } from "./head_bar";
import { LensBar } from "./lens_bar";
import { ChecksTable, StatisticsTable, type FactColumn } from "./head_facts";
import { OverTime } from "./multiples/over_time";
import { Panel, type Side } from "./panel";
import { TeachButton } from "./teaching/button";
import { Toolbar } from "./toolbar";

const Multiples = lazy(async () => (await import("./multiples/view")).Multiples);
const TeachingPanel = lazy(async () => (await import("./teaching/panel")).TeachingPanel);

/** The code of what opens over the panels, so that it opens at once. */
export function preloadParts(): void {
  for (const part of [Multiples, TeachingPanel]) part.preload();
}

const NO_SIDE: Side = { overview: undefined, map: undefined, stale: false };

/** What is on screen stays until the next answer is there, so every panel remembers its last one. */
function useSides(panels: readonly PanelSpec[]): (panel: PanelSpec) => Side {
  const { store, loader } = useApp();
  const { example } = store.resolved.value;
  const { pool, sinks } = store.look.value;
  const overviews = loader.pictures.value.value?.overviews;
  const maps = loader.heads.value.value;
  const last = useRef(new Map<string, Side>());
  const now = new Map<string, Side>();
  for (const panel of panels) {
    const before = last.current.get(panel.id);
    if (panel.record === undefined) continue;
    const ref = mapRef(panel.record, example);
    const key = refKey(ref);
    const overview = overviews?.get(key) ?? loader.cached(ref) ?? before?.overview;
    const held = before?.map;
    const map = maps?.get(key) ?? (held !== undefined && refKey(held.ref) === key ? held : undefined);
    const stale = overview !== undefined && (refKey(overview.ref) !== key || overview.pool !== pool || overview.sinks !== sinks);
    const same = before !== undefined && before.overview === overview && before.map === map && before.stale === stale;
    now.set(panel.id, same ? before : { overview, map, stale });
  }
  last.current = now;
  return (panel) => now.get(panel.id) ?? NO_SIDE;
}

/** The end of the scale of differences, whose largest the panels show. */
function useDifferenceLimit(a: Side | undefined, b: Side | undefined, on: boolean): number {
  const { differenceScale } = useApp().store;
  const largest = useMemo(
    () => (!on || a?.overview === undefined || b?.overview === undefined ? 0 : largestDifference(a.overview, b.overview)),
    [on, a?.overview, b?.overview],
  );
  useLayoutEffect(() => differenceScale.include(largest), [differenceScale, largest]);
  useLayoutEffect(() => (on ? () => differenceScale.reset() : undefined), [differenceScale, on]);
  return differenceScale.limit(largest);
}

/** The statistics on screen as tables of the export menu: of the head in focus, and of every head. */
function useTables(panels: readonly PanelSpec[], sides: readonly Side[]): void {
  const { store } = useApp();
  const at = store.head.value;
  const measured = panels.flatMap((panel, i) =>
    panel.side === "difference" || sides[i]?.stale === true
      ? []
      : [{ run: panel.run, side: panel.side === "run" ? "" : panel.side, step: panel.record?.step ?? panel.wantedStep, overview: sides[i]?.overview }],
  );
  const parts = [...measured.map(({ run, step }) => `${run} step ${step}`), store.resolved.value.name ?? "", `example ${store.resolved.value.example}`];
  useExport(
    at === null || !measured.some(({ overview }) => overview !== undefined)
      ? []
      : [
          { id: "1 head", section: "table", title: t("exportThisHead", { ...at }), parts: [...parts, `layer ${at.layer} head ${at.head} statistics`], table: () => statisticsTable(measured, at) },
          { id: "2 heads", section: "table", title: t("exportEveryHead"), parts: [...parts, "statistics"], table: () => statisticsTable(measured, null) },
        ],
  );
}

/** The columns of the numbers at the end: one per panel that shows a record. */
function columnsOf({ colours, partner }: Store, panels: readonly PanelSpec[], sides: readonly Side[]): FactColumn[] {
  return panels.flatMap((panel, i) =>
    panel.side === "difference"
      ? []
      : [
          {
            id: panel.id,
            title: shownText(panel.side === "run" ? panel.run : `${panel.side} · ${panel.run}`),
            colour: colours.value.get(panel.run) ?? "gray",
            overview: sides[i]?.overview,
            at: panel.side === "B" ? (partner.value ?? undefined) : undefined,
          },
        ],
  );
}

/** What the head in focus is in numbers. */
function Facts({ panels, sides, comparison }: { readonly panels: readonly PanelSpec[]; readonly sides: readonly Side[]; readonly comparison: ComparisonInfo | null }): preact.JSX.Element | null {
  const { store } = useApp();
  const at = store.head.value;
  const columns = columnsOf(store, panels, sides);
  if (at === null || !store.drawn.value || columns.every(({ overview }) => overview === undefined)) return null;
  return (
    <div class="head-facts">
      <StatisticsTable columns={columns} at={at} comparison={store.partner.value === null ? comparison : null} />
      <ChecksTable columns={columns} />
    </div>
  );
}

/** Whether in some panel a head in focus has weight on padding. */
function looksAtPadding({ head, partner }: Store, sides: readonly Side[]): boolean {
  const heads = [head.value, partner.value].filter((one) => one !== null);
  return sides.some(({ overview }) => heads.some((one) => (statisticOf(overview, one, "padding") ?? 0) > 0));
}

export function AttentionView(): preact.JSX.Element {
  const { store, loader } = useApp();
  const panels = store.panels.value;
  const sideOf = useSides(panels);
  const sides = panels.map(sideOf);
  const { difference, multiples, teaching } = store.selection.value;
  const [first, second] = sides;
  const limit = useDifferenceLimit(first, second, difference);
  const { comparison } = loader.pictures.value.value ?? { comparison: null };
  const rows = useMemo(() => headRowsOf(sides.flatMap((side) => side.overview ?? [])), sides.map((s) => s.overview));
  useLayoutEffect(() => {
    if (rows.length > 0) store.headRows.value = rows;
  }, [rows, store]);
  const at = store.head.value;
  const exact = sides.some((side) => side.overview?.layers.some(({ keptRows, keptKeys }) => keptRows * keptKeys === 1) === true);
  const pooled = sides.some((side) => side.overview?.layers.some(isPooled) === true);
  const onPadding = looksAtPadding(store, sides);
  useTables(panels, sides);
  return (
    <div class="attention">
      <Toolbar differenceLimit={limit} pooled={pooled} />
      <HeadBar>
        <LensBar exact={exact} />
        <OverTime />
        <TeachButton />
      </HeadBar>
      {teaching.step !== null && <TeachingPanel />}
      {multiples.on && at !== null && <Multiples at={at} />}
      <div class="panels" data-count={panels.length} style={{ "--columns": panels.length }}>
        {panels.map((panel, i) => (
          <Panel
            key={panel.id}
            panel={panel}
            side={sides[i] ?? NO_SIDE}
            against={panel.side === "difference" ? first : undefined}
            comparison={panel.side === "difference" ? comparison : null}
            differenceLimit={limit}
            busy={loader.pictures.value.busy}
            onPadding={onPadding}
          />
        ))}
      </div>
      <Facts panels={panels} sides={sides} comparison={difference ? comparison : null} />
    </div>
  );
}
