// One bar per row beside the large map: how much of the row was set aside. CSS pixels.
import { isolate } from "../base/tokens";
import { clamp } from "../base/numbers";
import { barGap, drawnSize, type FocusCamera, type FocusFrame } from "./focus_geometry";
import type { FocusScene } from "./focus_marks";
import { isRealRow } from "./focus_raster";
import type { FocusData } from "./types";

export const barWidth = 28;

/** Where the bars begin; the labels of the rows end there. */
export function barsLeft({ left, bars }: FocusFrame): number {
  return bars === 0 ? left : left - barGap - bars;
}

/** Mean of the known shares of rows [from, to); null where none is known, NaN where a fault is among them. */
export function meanShare(data: FocusData, from: number, to: number): number | null {
  const mass = data.aside?.mass;
  if (mass === null || mass === undefined) return null;
  let sum = 0;
  let count = 0;
  for (let row = from; row < to; row += 1) {
    const share = mass[row] ?? NaN;
    if (Number.isNaN(share)) return NaN;
    if (!isRealRow(data, row)) continue;
    sum += share;
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

/** [start, length] of a bar in shares of the width; a change goes to the left or right of the middle. */
export function barOf(share: number, signed: boolean): readonly [number, number] {
  if (!signed) return [0, clamp(share, 0, 1)];
  const half = clamp(share, -1, 1) / 2;
  return half < 0 ? [0.5 + half, -half] : [0.5, half];
}

/** Rows [from, to) that share a bar, and where it stands below the top of the plot. */
export interface BarRows {
  readonly from: number;
  readonly to: number;
  readonly y: number;
  readonly thickness: number;
}

/** One bar per row, or per pixel of the screen where rows are thinner: halves of pixels would make a pattern. */
export function barRows({ row, query }: Pick<FocusCamera, "row" | "query">, height: number, queries: number, dpr: number): BarRows[] {
  const bars: BarRows[] = [];
  if (row * dpr >= 1) {
    const end = Math.min(queries, Math.ceil(query + height / row));
    for (let from = Math.floor(query); from < end; from += 1) bars.push({ from, to: from + 1, y: (from - query) * row, thickness: row });
    return bars;
  }
  const pixels = Math.floor(height * dpr);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const from = Math.floor(query + pixel / dpr / row);
    const to = Math.min(queries, Math.max(from + 1, Math.floor(query + (pixel + 1) / dpr / row)));
    if (from < to) bars.push({ from, to, y: pixel / dpr, thickness: 1 / dpr });
  }
  return bars;
}

export function drawBars(context: CanvasRenderingContext2D, scene: FocusScene): void {
  const { data, frame, camera, theme, options } = scene;
  if (frame.bars === 0) return;
  const left = barsLeft(frame);
  const [, height] = drawnSize(frame, camera);
  context.save();
  context.fillStyle = theme.absent;
  context.fillRect(left, frame.top, frame.bars, height);
  context.beginPath();
  context.rect(left, frame.top, frame.bars, height);
  context.clip();
  for (const { from, to, y, thickness } of barRows(camera, height, data.queries, scene.dpr)) {
    const share = meanShare(data, from, to);
    if (share === null) continue;
    const top = frame.top + y;
    if (Number.isNaN(share)) drawUnknown(context, scene, left, top, thickness);
    else {
      const [start, length] = barOf(share, data.signed);
      const space = thickness >= 5 ? 1 : 0;
      context.fillStyle = theme.muted;
      context.fillRect(left + start * frame.bars, top + space, length * frame.bars, thickness - 2 * space);
    }
  }
  context.restore();
  drawTitle(context, scene, options.asideTitle, left + frame.bars / 2);
}

/** A fault in what was set aside is told by a glyph, where there is room for one. */
function drawUnknown(context: CanvasRenderingContext2D, { frame, theme }: FocusScene, left: number, top: number, thickness: number): void {
  context.fillStyle = theme.warning;
  context.fillRect(left, top, frame.bars, Math.max(1, thickness));
  if (thickness < 7) return;
  context.fillStyle = theme.ground;
  context.font = `${Math.round(Math.min(14, thickness * 0.8))}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText("?", left + frame.bars / 2, top + thickness / 2);
}

function drawTitle(context: CanvasRenderingContext2D, { frame, theme }: FocusScene, title: string, x: number): void {
  context.save();
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.muted;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.translate(x, frame.top - 5);
  context.rotate(-Math.PI / 2);
  context.fillText(isolate(title), 0, 0, frame.top - 8);
  context.restore();
}
