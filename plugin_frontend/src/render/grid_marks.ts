// What stands around and over the thumbnails: frames, hatching, glyphs, axis numbers, selection.
import { clamp } from "../base/numbers";
import { distanceOf } from "../data/distance";
import type { HeadRef, Overview } from "../data/types";
import { hatchPattern } from "./canvas";
import { bracketHeight, type AxisLabel, type Box, type GridCell, type GridLayout } from "./grid_layout";
import { HeadLookup, type GridScene } from "./grid_scene";
import type { RenderTheme } from "./theme";
import type { GridData, GridOptions } from "./types";

/** Tells whether a head has NaN or Inf in what the mode shows. */
export function notFiniteIn(data: GridData, mode: GridOptions["mode"]): (head: HeadRef) => boolean {
  const shown = mode === "diff" ? [data.a, data.b] : [mode === "A" ? data.a : data.b];
  const lookups = shown.map((overview) => new HeadLookup(overview));
  return (head) =>
    lookups.some((lookup) => {
      const found = lookup.find(head);
      return found !== null && found.layer.notFinite[found.place] === 1;
    });
}

/** Drawn with the thumbnails: changes only when they do. Context in CSS pixels. */
export function drawFrames(
  context: CanvasRenderingContext2D,
  scene: GridScene,
  data: GridData,
  options: GridOptions,
  theme: RenderTheme,
  dpr: number,
  layout: GridLayout,
): void {
  const missing = hatchPattern(context, theme, dpr, true);
  const unsure = hatchPattern(context, theme, dpr, false);
  const line = 1 / dpr;
  for (const { thumb } of scene.absent) {
    fillBox(context, thumb, missing);
    strokeBox(context, thumb, theme.line, line, 0);
  }
  for (const { cell } of scene.thumbs) {
    const distance = distanceOf(data.comparison, cell);
    strokeBox(context, cell.thumb, theme.line, line, line);
    if (options.mode !== "diff") drawAside(context, cell, asideOf(options.mode === "A" ? data.a : data.b, cell), theme);
    if (distance === null) continue;
    if (!distance.belowFloor) drawDistance(context, cell, distance.distance, theme, dpr);
    else if (options.mode === "diff") fillBox(context, cell.thumb, unsure);
  }
  drawArchitecture(context, layout, theme);
  const notFinite = notFiniteIn(data, options.mode);
  for (const cell of [...scene.thumbs.map((thumb) => thumb.cell), ...scene.absent]) {
    if (notFinite(cell)) drawWarning(context, cell, theme);
  }
}

/** Brackets over heads that share keys and values; what layers without a map have in its place. */
function drawArchitecture(context: CanvasRenderingContext2D, { brackets, emptyRows }: GridLayout, theme: RenderTheme): void {
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.beginPath();
  for (const { x, y, width } of brackets) {
    // Halves of a pixel: the line is sharp.
    const [top, bottom] = [Math.floor(y) + 0.5, Math.floor(y) + bracketHeight - 1.5];
    context.moveTo(x + 0.5, bottom);
    context.lineTo(x + 0.5, top);
    context.lineTo(x + width - 0.5, top);
    context.lineTo(x + width - 0.5, bottom);
  }
  context.stroke();
  context.fillStyle = theme.muted;
  context.font = `italic 11px ${theme.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const { x, y, width, height, text } of emptyRows) context.fillText(text, x + 3, y + height / 2, Math.max(40, width - 3));
}

/** A frame whose strength is the distance: nothing at 0, full at 1. Lies in the gap, not on weights. */
function drawDistance(
  context: CanvasRenderingContext2D,
  { thumb, width }: GridCell,
  distance: number,
  theme: RenderTheme,
  dpr: number,
): void {
  // Distances of real checkpoints crowd near 0: the root spreads them.
  const strength = Math.sqrt(clamp(distance, 0, 1));
  if (strength < 0.03) return;
  const thickness = width >= 40 ? 2.5 : width >= 12 ? 1.5 : 1 / dpr;
  context.globalAlpha = strength;
  strokeBox(context, thumb, theme.distance, thickness, thickness);
  context.globalAlpha = 1;
}

function asideOf(overview: Overview | null, { layer, head }: HeadRef): number {
  const found = overview?.layers.find((one) => one.layer === layer);
  return found?.asideMass[found.heads.indexOf(head)] ?? NaN;
}

/** A bar in the gap at the left, as high as the share of the weight that is not in the picture: full = a sink head. */
function drawAside(context: CanvasRenderingContext2D, { thumb, width }: GridCell, share: number, theme: RenderTheme): void {
  if (Number.isNaN(share)) return;
  const thickness = width >= 40 ? 3 : width >= 20 ? 2 : 1;
  const height = clamp(share, 0, 1) * thumb.height;
  context.fillStyle = theme.muted;
  context.fillRect(thumb.x - thickness, thumb.y + thumb.height - height, thickness, height);
}

/** "!" on a plate: NaN and Inf are told by shape, not by colour. */
function drawWarning(context: CanvasRenderingContext2D, { thumb, width }: GridCell, theme: RenderTheme): void {
  const size = clamp(Math.round(width * 0.3), 6, 16);
  const x = thumb.x + thumb.width - size;
  context.fillStyle = theme.warning;
  context.fillRect(x, thumb.y, size, size);
  context.fillStyle = theme.ground;
  context.font = `bold ${Math.round(size * 0.85)}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText("!", x + size / 2, thumb.y + size / 2 + 0.5);
}

/** Drawn on the layer that follows the pointer. Context in CSS pixels. */
export function drawSelection(
  context: CanvasRenderingContext2D,
  layout: GridLayout,
  { hovered, locked }: Pick<GridOptions, "hovered" | "locked">,
  theme: RenderTheme,
): void {
  const at = hovered ?? locked;
  const cell = at === null ? null : layout.cellOf(at);
  drawNumbers(context, layout, cell, theme);
  if (locked !== null) outline(context, layout.cellOf(locked), theme.locked, 2, theme);
  if (hovered !== null) outline(context, layout.cellOf(hovered), theme.hovered, 1.5, theme);
}

function outline(
  context: CanvasRenderingContext2D,
  cell: GridCell | null,
  colour: string,
  width: number,
  theme: RenderTheme,
): void {
  if (cell === null) return;
  // A ring of ground keeps the outline apart from the weights and from a distance frame.
  strokeBox(context, cell.thumb, theme.ground, 1, 1);
  strokeBox(context, cell.thumb, colour, width, width + 1);
}

function drawNumbers(
  context: CanvasRenderingContext2D,
  layout: GridLayout,
  cell: GridCell | null,
  theme: RenderTheme,
): void {
  context.textBaseline = "middle";
  context.textAlign = "right";
  const row = cell === null ? null : cell.y + cell.height / 2;
  for (const label of visibleLabels(layout.rows, row, layout.size, 13)) {
    drawNumber(context, label, layout.labelWidth - 6, label.at, theme);
  }
  context.textAlign = "center";
  const column = cell === null ? null : cell.x + cell.width / 2;
  for (const label of visibleLabels(layout.columns, column, layout.size, 18)) {
    // Layers may number their heads differently: over the pointed-at column stands its own head.
    const own = label.emphasised && cell !== null ? { ...label, number: cell.head } : label;
    drawNumber(context, own, label.at, layout.numberHeight - 8, theme);
  }
}

export interface DrawnLabel {
  readonly number: number;
  readonly at: number;
  readonly emphasised: boolean;
}

/** The labels to draw: the pointed-at one always, and those that do not come within `space` of it. */
export function visibleLabels(
  labels: readonly AxisLabel[],
  pointed: number | null,
  size: number,
  space: number,
): DrawnLabel[] {
  const here = labels.find(({ at }) => pointed !== null && Math.abs(at - pointed) <= size / 2);
  return labels
    .filter((label) => label === here || (label.shown && (here === undefined || Math.abs(label.at - here.at) >= space)))
    .map((label) => ({ number: label.number, at: label.at, emphasised: label === here }));
}

function drawNumber(
  context: CanvasRenderingContext2D,
  { number, emphasised }: DrawnLabel,
  x: number,
  y: number,
  theme: RenderTheme,
): void {
  context.font = `${emphasised ? "600 " : ""}11px ${theme.font}`;
  context.fillStyle = emphasised ? theme.text : theme.muted;
  context.fillText(String(number), x, y);
}

function fillBox(context: CanvasRenderingContext2D, { x, y, width, height }: Box, style: CanvasPattern | string): void {
  context.fillStyle = style;
  context.fillRect(x, y, width, height);
}

/** A line of `width` whose outer edge lies `outside` pixels beyond the box. */
function strokeBox(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  colour: string,
  lineWidth: number,
  outside: number,
): void {
  const inset = lineWidth / 2 - outside;
  context.strokeStyle = colour;
  context.lineWidth = lineWidth;
  context.strokeRect(x + inset, y + inset, width - 2 * inset, height - 2 * inset);
}
