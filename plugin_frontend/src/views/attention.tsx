// The Attention view: grids side by side, the head in focus under them, its numbers at the end.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { largestDifference } from "../data/difference";
import { useApp } from "../frame/context";
import { headRowsOf, isPooled, niceCeil } from "../state/facts";
import { mapRef, refKey } from "../state/resolve";
import type { PanelSpec } from "../state/store";
import { shownText } from "../text/format";
import { ChecksTable, StatisticsTable, type FactColumn } from "./head_facts";
import { Panel, type Side } from "./panel";
import { Toolbar } from "./toolbar";

const NO_SIDE: Side = { overview: undefined, map: undefined, stale: false };

/** What is on screen stays until the next answer is there, so every panel remembers its last one. */
function useSides(panels: readonly PanelSpec[]): (panel: PanelSpec) => Side {
  const { store, loader } = useApp();
  const { example } = store.resolved.value;
  const { pool } = store.selection.value;
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
    const stale = overview !== undefined && (refKey(overview.ref) !== key || overview.pool !== pool);
    const same = before !== undefined && before.overview === overview && before.map === map && before.stale === stale;
    now.set(panel.id, same ? before : { overview, map, stale });
  }
  last.current = now;
  return (panel) => now.get(panel.id) ?? NO_SIDE;
}

/** The end of the difference scale: it only grows while a difference is shown, so pictures stay comparable. */
function useDifferenceLimit(a: Side | undefined, b: Side | undefined, on: boolean): number {
  const limit = useRef(0);
  if (!on) limit.current = 0;
  const largest = useMemo(
    () => (a?.overview === undefined || b?.overview === undefined ? 0 : largestDifference(a.overview, b.overview)),
    [a?.overview, b?.overview],
  );
  if (on && largest > limit.current) limit.current = niceCeil(largest);
  return limit.current > 0 ? limit.current : 1;
}

export function AttentionView(): preact.JSX.Element {
  const { store, loader } = useApp();
  const panels = store.panels.value;
  const sideOf = useSides(panels);
  const sides = panels.map(sideOf);
  const { difference } = store.selection.value;
  const [first, second] = sides;
  const limit = useDifferenceLimit(first, second, difference);
  const { comparison } = loader.pictures.value.value ?? { comparison: null };
  const rows = useMemo(() => headRowsOf(sides.flatMap((side) => side.overview ?? [])), sides.map((s) => s.overview));
  useEffect(() => {
    if (rows.length > 0) store.headRows.value = rows;
  }, [rows, store]);
  const at = store.head.value;
  const pooled = sides.some((side) => side.overview?.layers.some(isPooled) === true);
  const columns: FactColumn[] = panels.flatMap((panel, i) =>
    panel.side === "difference"
      ? []
      : [
          {
            id: panel.id,
            title: shownText(panel.side === "run" ? panel.run : `${panel.side} · ${panel.run}`),
            colour: store.colours.value.get(panel.run) ?? "gray",
            overview: sides[i]?.overview,
          },
        ],
  );
  return (
    <div class="attention">
      <Toolbar differenceLimit={limit} pooled={pooled} />
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
          />
        ))}
      </div>
      {at !== null && columns.some((column) => column.overview !== undefined) && (
        <div class="head-facts">
          <StatisticsTable columns={columns} at={at} comparison={difference ? comparison : null} />
          <ChecksTable columns={columns} />
        </div>
      )}
    </div>
  );
}
