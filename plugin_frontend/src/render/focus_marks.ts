// What stands around and over the large map: tokens on the axes, hatching, glyphs, selection.
import { cellOf, cellsUpTo, isSparse, spanOf, spanText, type TokenAxis } from "../base/axis";
import { clamp } from "../base/numbers";
import { elide, isolate, tokenGlyphs } from "../base/tokens";
import type { TokenList } from "../data/types";
import { hatchPattern } from "./canvas";
import { readableOn, sequential } from "./colormap";
import { barsLeft } from "./focus_bars";
import { drawnSize, labelFont, labelStride, maskedRuns, type FocusCamera, type FocusFrame } from "./focus_geometry";
import { isClipped, isRealRow, topOf } from "./focus_raster";
import type { RenderTheme } from "./theme";
import type { FocusData, FocusOptions } from "./types";

export interface FocusScene {
  readonly data: FocusData;
  readonly options: FocusOptions;
  readonly frame: FocusFrame;
  readonly camera: FocusCamera;
  readonly theme: RenderTheme;
  readonly peak: number;
  readonly dpr: number;
}

export const fontSize = 11;
const maxLabel = 15;
const maxBlockLabel = 9;

export function tokenLabel(tokens: TokenList | null, place: number): string {
  const text = tokens?.text[place];
  if (tokens === null || text === undefined) return String(place);
  return elide(tokenGlyphs(text, tokens.part[place] ?? 0, tokens.parts[place] ?? 0), maxLabel);
}

/** From this many places between two labels on, one token says nothing: positions are drawn. */
const sparse = 10;

/**
 * A token, its position where there are no tokens, or the positions of a block and its first token.
 *
 * With `placed` a token comes with its position, as it must where its neighbours are not named too.
 */
export function cellLabel(tokens: TokenList | null, axis: TokenAxis, cell: number, placed = isSparse(axis)): string {
  const span = spanOf(axis, cell);
  const text = tokens?.text[span.first];
  if (text === undefined) return spanText(span);
  if (span.first !== span.last) return `${spanText(span)} ${elide(tokenLabel(tokens, span.first), maxBlockLabel)}`;
  return placed ? `${span.first} ${tokenLabel(tokens, span.first)}` : tokenLabel(tokens, span.first);
}

/** As wide as the widest label, but never most of the panel. The pen has the font. */
export function labelSpace(pen: CanvasRenderingContext2D, tokens: TokenList | null, axis: TokenAxis, available: number): number {
  const widthOf = (cell: number, placed?: boolean): number => pen.measureText(cellLabel(tokens, axis, cell, placed)).width;
  let widest = axis.cells === 0 ? 0 : widthOf(axis.cells - 1, axis.cells > 1000);
  // Enough to find the usual width; thousands of tokens are not measured.
  const measured = tokens === null ? 0 : Math.min(axis.cells, 256);
  for (let cell = 0; cell < measured; cell += 1) widest = Math.max(widest, widthOf(cell));
  return Math.ceil(clamp(widest + 12, 20, Math.max(24, available * 0.3)));
}

/** The label of one of many: only the pointed-at one has room for more than its position. */
export function axisLabel(tokens: TokenList | null, axis: TokenAxis, cell: number, stride: number, pointed: boolean): string {
  if (stride < sparse || axis.block > 1) return cellLabel(tokens, axis, cell);
  return cellLabel(pointed ? tokens : null, axis, cell, true);
}

/** Over the weights: hatching of padding, the edge of the causal half, glyphs. CSS pixels. */
export function drawCellMarks(context: CanvasRenderingContext2D, scene: FocusScene): void {
  const { frame, camera } = scene;
  const [width, height] = drawnSize(frame, camera);
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, width, height);
  context.clip();
  if (scene.data.diagonal !== null) drawDiagonal(context, scene, scene.data.diagonal);
  if ((scene.data.window ?? 0) > 0) drawWindow(context, scene);
  drawHatching(context, scene, width, height);
  if (Math.min(camera.cell, camera.row) >= 7) drawGlyphs(context, scene);
  context.restore();
  context.strokeStyle = scene.theme.line;
  context.lineWidth = 1 / scene.dpr;
  context.strokeRect(frame.left, frame.top, width, height);
}

function drawDiagonal(context: CanvasRenderingContext2D, scene: FocusScene, shift: number): void {
  const { data, frame, camera, theme } = scene;
  const { cell, row } = camera;
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.beginPath();
  const first = Math.max(0, Math.floor(camera.query));
  const last = Math.min(data.queries, Math.ceil(camera.query + frame.height / row));
  const stride = Math.max(1, Math.floor(2 / row));
  for (let query = first; query < last; query += stride) {
    const x = frame.left + (keysSeen(data, query, shift) - camera.key) * cell;
    const y = frame.top + (query - camera.query) * row;
    context.lineTo(x, y);
    context.lineTo(x, y + row);
  }
  context.stroke();
}

/** The edges of a sliding window: what lies beyond them is never seen. */
function drawWindow(context: CanvasRenderingContext2D, { data, frame, camera, theme }: FocusScene): void {
  const { cell, row } = camera;
  const first = Math.max(0, Math.floor(camera.query));
  const last = Math.min(data.queries, Math.ceil(camera.query + frame.height / row));
  const stride = Math.max(1, Math.floor(2 / row));
  context.save();
  context.strokeStyle = theme.muted;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  // Ahead of a causal row the edge of the causal half is drawn already.
  for (const side of data.diagonal === null ? (["from", "to"] as const) : (["from"] as const)) {
    context.beginPath();
    for (let query = first; query < last; query += stride) {
      const edge = windowEdges(data, query)[side];
      // At the border of the map there is nothing beyond.
      if (edge <= 0 || edge >= data.keys) continue;
      const x = frame.left + (edge - camera.key) * cell;
      const y = frame.top + (query - camera.query) * row;
      context.lineTo(x, y);
      context.lineTo(x, y + row * stride);
    }
    context.stroke();
  }
  context.restore();
}

/** The columns that a row's window begins and ends at: [from, to). */
export function windowEdges(data: Pick<FocusData, "queryAxis" | "keyAxis" | "diagonal" | "window">, row: number): { from: number; to: number } {
  const { queryAxis, keyAxis, diagonal, window = 0 } = data;
  const span = spanOf(queryAxis, row);
  const shift = diagonal ?? keyAxis.size - queryAxis.size;
  const [first, last] = [span.first + shift - window + 1, span.last + shift + (diagonal === null ? window - 1 : 0)];
  // A window may begin at a key that is not in the map: the next one that is.
  const from = first <= 0 ? 0 : (cellOf(keyAxis, first) ?? cellsUpTo(keyAxis, first));
  return { from, to: (cellOf(keyAxis, last) ?? keyAxis.cells - 1) + 1 };
}

/** How many columns hold a key that the row may see. */
export function keysSeen({ queryAxis, keyAxis }: Pick<FocusData, "queryAxis" | "keyAxis">, row: number, shift: number): number {
  return cellsUpTo(keyAxis, spanOf(queryAxis, row).last + shift);
}

/** Padding, which is pale under its hatching, and what storing alone could have made, which is seen through it. */
function drawHatching(context: CanvasRenderingContext2D, scene: FocusScene, width: number, height: number): void {
  const { data, frame, camera, theme, dpr, options } = scene;
  const rows = maskedRuns(data.queryMask, data.queries);
  const columns = maskedRuns(data.keyMask, data.keys);
  if (rows.length + columns.length === 0 && !options.belowFloor) return;
  // One path, so that a corner that is padding twice is not hatched twice.
  const area = new Path2D();
  for (const [from, to] of rows) {
    area.rect(frame.left, frame.top + (from - camera.query) * camera.row, width, (to - from) * camera.row);
  }
  for (const [from, to] of columns) {
    area.rect(frame.left + (from - camera.key) * camera.cell, frame.top, (to - from) * camera.cell, height);
  }
  context.globalAlpha = 0.45;
  context.fillStyle = theme.ground;
  context.fill(area);
  context.fillStyle = hatchPattern(context, theme, dpr, false);
  if (options.belowFloor) context.globalAlpha = 1;
  if (options.belowFloor) area.rect(frame.left, frame.top, width, height);
  context.fill(area);
  context.globalAlpha = 1;
}

/** NaN, Inf and clipped are told by shape. */
function drawGlyphs(context: CanvasRenderingContext2D, scene: FocusScene): void {
  const { data, options, frame, camera, theme, peak } = scene;
  const { cell, row } = camera;
  const top = topOf(data, options, peak);
  const map = sequential(options.dark);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${Math.round(Math.min(14, Math.min(cell, row) * 0.8))}px ${theme.font}`;
  const lastQuery = Math.min(data.queries, Math.ceil(camera.query + frame.height / row));
  const lastKey = Math.min(data.keys, Math.ceil(camera.key + frame.width / cell));
  for (let query = Math.floor(camera.query); query < lastQuery; query += 1) {
    const real = isRealRow(data, query);
    for (let key = Math.floor(camera.key); key < lastKey; key += 1) {
      const value = data.values[query * data.keys + key] ?? NaN;
      const glyph = glyphOf(value, top, options.exposure);
      if (glyph === "" || (!real && Number.isFinite(value))) continue;
      context.fillStyle = Number.isFinite(value) ? readableOn(map, data.signed ? 0.5 : 1) : theme.ground;
      const x = frame.left + (key + 0.5 - camera.key) * cell;
      context.fillText(glyph, x, frame.top + (query + 0.5 - camera.query) * row);
    }
  }
}

export function glyphOf(value: number, top: number, exposure: number): string {
  if (Number.isNaN(value)) return "?";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−";
  if (!isClipped(value, top, exposure)) return "";
  return value > 0 ? "▴" : "▾";
}

/** Axes and what follows the pointer. CSS pixels. */
export function drawAxes(context: CanvasRenderingContext2D, scene: FocusScene): void {
  const { options } = scene;
  const query = options.hovered?.query ?? options.locked?.query ?? null;
  const key = options.hovered?.key ?? options.locked?.key ?? null;
  drawRowLabels(context, scene, query);
  drawColumnLabels(context, scene, key);
  drawTitles(context, scene);
  if (options.locked !== null) drawBands(context, scene, options.locked.query, options.locked.key, scene.theme.locked);
  if (options.hovered !== null) {
    drawBands(context, scene, options.hovered.query, options.hovered.key, scene.theme.hovered);
  }
}

/** Places whose labels are drawn: those in sight at the stride, and the pointed-at one last, on top. */
export function labelledPlaces(first: number, end: number, stride: number, pointed: number | null): number[] {
  const places: number[] = [];
  for (let i = Math.ceil(first / stride) * stride; i < end; i += stride) {
    if (pointed === null || i === pointed || stride === 1 || Math.abs(i - pointed) >= stride) places.push(i);
  }
  if (pointed === null || pointed < first || pointed >= end) return places;
  return [...places.filter((place) => place !== pointed), pointed];
}

function drawRowLabels(context: CanvasRenderingContext2D, scene: FocusScene, pointed: number | null): void {
  const { data, frame, camera } = scene;
  const end = Math.min(data.queries, camera.query + frame.height / camera.row);
  context.textAlign = "right";
  context.textBaseline = "middle";
  const stride = labelStride(camera.row);
  const labelEnd = barsLeft(frame) - 5;
  for (const place of labelledPlaces(Math.floor(camera.query), end, stride, pointed)) {
    const y = frame.top + (place + 0.5 - camera.query) * camera.row;
    if (y < frame.top || y > frame.top + frame.height) continue;
    const padded = data.queryMask !== null && data.queryMask[place] === 0;
    const style = { cell: camera.row, emphasised: place === pointed, padded };
    drawLabel(context, scene, axisLabel(data.queryTokens, data.queryAxis, place, stride, style.emphasised), labelEnd, y, style);
  }
}

function drawColumnLabels(context: CanvasRenderingContext2D, scene: FocusScene, pointed: number | null): void {
  const { data, frame, camera } = scene;
  const end = Math.min(data.keys, camera.key + frame.width / camera.cell);
  context.textAlign = "left";
  context.textBaseline = "middle";
  const stride = labelStride(camera.cell);
  for (const place of labelledPlaces(Math.floor(camera.key), end, stride, pointed)) {
    const x = frame.left + (place + 0.5 - camera.key) * camera.cell;
    if (x < frame.left || x > frame.left + frame.width) continue;
    const padded = data.keyMask !== null && data.keyMask[place] === 0;
    context.save();
    context.translate(x, frame.top - 5);
    context.rotate(-Math.PI / 2);
    const style = { cell: camera.cell, emphasised: place === pointed, padded };
    drawLabel(context, scene, axisLabel(data.keyTokens, data.keyAxis, place, stride, style.emphasised), 0, 0, style);
    context.restore();
  }
}

interface LabelStyle {
  /** Room along the axis. */
  readonly cell: number;
  readonly emphasised: boolean;
  readonly padded: boolean;
}

function drawLabel(
  context: CanvasRenderingContext2D,
  { theme }: FocusScene,
  text: string,
  x: number,
  y: number,
  { cell, emphasised, padded }: LabelStyle,
): void {
  context.font = `${emphasised ? "600 " : ""}${emphasised ? fontSize : labelFont(cell)}px ${theme.font}`;
  const shown = isolate(text);
  if (emphasised) {
    const width = context.measureText(shown).width + 6;
    context.fillStyle = theme.ground;
    context.fillRect(context.textAlign === "right" ? x - width + 3 : x - 3, y - 7, width, 14);
  }
  context.fillStyle = emphasised ? theme.text : padded ? theme.hatch : theme.muted;
  context.fillText(shown, x, y);
}

function drawTitles(context: CanvasRenderingContext2D, { options, frame, camera, theme }: FocusScene): void {
  const [width, height] = drawnSize(frame, camera);
  context.font = `600 ${fontSize}px ${theme.font}`;
  context.fillStyle = theme.muted;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(options.keyTitle, frame.left + width / 2, 7);
  context.save();
  context.translate(7, frame.top + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(options.queryTitle, 0, 0);
  context.restore();
}

function drawBands(
  context: CanvasRenderingContext2D,
  { frame, camera, theme }: FocusScene,
  query: number | null,
  key: number | null,
  colour: string,
): void {
  const [width, height] = drawnSize(frame, camera);
  const [across, down] = [Math.max(camera.cell, 2), Math.max(camera.row, 2)];
  const x = key === null ? 0 : frame.left + (key - camera.key) * camera.cell;
  const y = query === null ? 0 : frame.top + (query - camera.query) * camera.row;
  context.save();
  context.beginPath();
  context.rect(frame.left - 1, frame.top - 1, width + 2, height + 2);
  context.clip();
  const box = (left: number, top: number, boxWidth: number, boxHeight: number, alpha: number): void => {
    context.globalAlpha = alpha;
    context.lineWidth = 1;
    context.strokeStyle = colour;
    context.strokeRect(left - 0.5, top - 0.5, boxWidth + 1, boxHeight + 1);
  };
  if (query !== null) box(frame.left, y, width, down, 0.55);
  if (key !== null) box(x, frame.top, across, height, 0.55);
  if (query !== null && key !== null) {
    context.globalAlpha = 1;
    context.lineWidth = 1;
    context.strokeStyle = theme.ground;
    context.strokeRect(x - 0.5, y - 0.5, across + 1, down + 1);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.strokeRect(x - 2, y - 2, across + 4, down + 4);
  }
  context.restore();
}
