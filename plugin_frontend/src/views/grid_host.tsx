// The layers x heads grid of one panel: the canvas, and over it one real, focusable cell.
import { useLayoutEffect, useState } from "preact/hooks";
import { distanceOf } from "../data/distance";
import type { HeadRef, Overview } from "../data/types";
import { formatNumber, formatPercent } from "../base/format";
import { useApp } from "../frame/context";
import type { GridCell } from "../render/grid_layout";
import { HeadGrid } from "../render/head_grid";
import type { GridData, GridMode, GridOptions } from "../render/types";
import { asideShare } from "../state/aside";
import { statisticOf } from "../state/facts";
import { t } from "../text/table";
import { gridEntry, useExport, type Origin } from "./exporting";
import { useAlignment } from "./use_alignment";
import { useDrawing } from "./use_drawing";

interface Props {
  readonly label: string;
  readonly data: GridData;
  readonly mode: GridMode;
  readonly differenceLimit: number;
  /** For the export menu; null while the picture is of another step. */
  readonly origin: Origin | null;
  /** Of a matched pair, the head that this side shows in place of the chosen one; null = that one. */
  readonly own: HeadRef | null;
}

/** "layer 3 head 5, entropy 1.20 bit, 61.0 % on the first token" */
export function headLabel(overview: Overview | undefined, data: GridData, at: HeadRef): string {
  const entropy = statisticOf(overview, at, "entropy");
  const first = statisticOf(overview, at, "first_token");
  const distance = distanceOf(data.comparison, at);
  const aside = asideShare(overview, at);
  const facts = [
    entropy === undefined ? [] : [t("factEntropy", { value: formatNumber(entropy) })],
    first === undefined ? [] : [t("factFirst", { value: formatPercent(first) })],
    aside === undefined ? [] : [t("factAside", { value: formatPercent(aside) })],
    distance === null ? [] : [t("factDistance", { value: formatNumber(distance.distance) })],
  ].flat();
  const name = { layer: at.layer, head: at.head };
  return facts.length > 0 ? t("headLabel", { ...name, facts: facts.join(", ") }) : t("headName", name);
}

/** Place and size of the cursor as CSS lengths. */
interface Box {
  readonly left: string;
  readonly top: string;
  readonly width: string;
  readonly height: string;
}

function useCursorBox(grid: HeadGrid | null, host: HTMLElement | null, at: HeadRef | null, data: GridData): Box | null {
  const [box, setBox] = useState<Box | null>(null);
  useLayoutEffect(() => {
    if (grid === null || host === null) return;
    const place = (): void => {
      const cell = at === null ? null : grid.layout().cellOf(at);
      setBox(cell === null ? null : { left: `${cell.x}px`, top: `${cell.y}px`, width: `${cell.width}px`, height: `${cell.height}px` });
    };
    const observer = new ResizeObserver(place);
    observer.observe(host);
    place();
    return () => observer.disconnect();
  }, [grid, host, at?.layer, at?.head, data]);
  return box;
}

/** Scrolls a grid that is larger than its frame to the head that was chosen. */
function bringIntoSight(scroll: HTMLElement, cell: GridCell): void {
  const { scrollLeft: left, scrollTop: top, clientWidth: width, clientHeight: height } = scroll;
  const outside = cell.x < left || cell.y < top || cell.x + cell.width > left + width || cell.y + cell.height > top + height;
  if (outside) scroll.scrollTo(cell.x - (width - cell.width) / 2, cell.y - (height - cell.height) / 2);
}

export function GridHost({ label, data, mode, differenceLimit, origin, own }: Props): preact.JSX.Element {
  const { store } = useApp();
  const [height, setHeight] = useState(0);
  const tallest = useAlignment(store.aligned.grid, height);
  const [host, grid] = useDrawing(
    (element) =>
      new HeadGrid(element, {
        hover: (head) => store.setHover(head === null ? {} : { layer: head.layer, head: head.head }),
        select: (head) => store.lockHead(head),
        height: setHeight,
      }),
  );
  const { scale, peak, exposure } = store.selection.value;
  const hovered = store.hoveredHead.value;
  const chosen = store.lockedHead.value;
  const locked = own ?? chosen;
  const dark = store.dark.value;
  useLayoutEffect(() => grid?.setData(data), [grid, data]);
  const options: GridOptions = { mode, companding: scale, exposure, normalisation: peak, differenceLimit, dark, hovered, locked };
  useExport(origin === null ? [] : [gridEntry(store, origin, data, options)]);
  useLayoutEffect(
    () => grid?.setOptions(options),
    [grid, mode, scale, exposure, peak, differenceLimit, dark, hovered, locked],
  );
  const shown = mode === "A" ? data.a : data.b;
  const at = locked ?? store.head.value;
  const box = useCursorBox(grid, host.current, at, data);
  useLayoutEffect(() => {
    const scroll = host.current?.parentElement;
    const cell = grid === null || locked === null ? null : grid.layout().cellOf(locked);
    if (scroll !== null && scroll !== undefined && cell !== null) bringIntoSight(scroll, cell);
  }, [grid, locked?.layer, locked?.head, data]);
  return (
    <div class="grid-frame" data-testid="head-grid" role="group" aria-label={label} style={{ "--wanted": `${height}px`, "--tallest": `${tallest}px` }}>
      <span class="axis-title head" aria-hidden="true">{t("head")}</span>
      <span class="axis-title layer" aria-hidden="true">{t("layer")}</span>
      <div class="grid-scroll">
        <div ref={host} class="grid-canvas" />
      {at !== null && box !== null && (
        <button
          type="button"
          class="grid-cursor"
          data-keys="page"
          data-testid="grid-cursor"
          aria-pressed={locked !== null}
          aria-label={`${headLabel(shown ?? undefined, data, at)}. ${t("gridHint")}`}
          style={{ ...box }}
          // Releases the choice here too where another head of it is shown.
          onClick={() => store.lockHead(chosen ?? at)}
        />
      )}
      </div>
    </div>
  );
}
