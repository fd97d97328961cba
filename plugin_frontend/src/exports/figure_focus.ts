// One head large, as a figure: the part in sight with its tokens, colour bar, title and caption.
import { isolate } from "../base/tokens";
import { clamp } from "../base/numbers";
import { formatNumber } from "../base/format";
import type { TokenAxis } from "../base/axis";
import type { TokenList } from "../data/types";
import { diverging, readableOn, sequential, unitToDifference, unitToWeight } from "../render/colormap";
import { barOf, meanShare } from "../render/focus_bars";
import { labelStride, maskedRuns } from "../render/focus_geometry";
import { axisLabel, glyphOf, keysSeen, labelledPlaces } from "../render/focus_marks";
import { cellPixels, isRealRow, packedCss, painter, peakOf, pooledPixels, topOf, type Window } from "../render/focus_raster";
import { packedColours } from "../render/grid_canvas2d";
import { renderTheme, type RenderTheme } from "../render/theme";
import { windowOf } from "./window";
import type { FocusData, FocusOptions, FocusView } from "../render/types";
import { lineHeight, pageWidth, smallestText, textSize, type BarTick, type Figure, type Heading, type Mark, type Measure } from "./figure";
import { pageMargin, pageOf } from "./figure_page";

export interface FocusPicture {
  readonly data: FocusData;
  readonly options: FocusOptions;
  /** The part in sight; null = the whole map. */
  readonly view: FocusView | null;
  readonly heading: Heading;
  /** What the colours stand for. */
  readonly scale: string;
}

const largestCell = 22;
const mostHeight = 640;
const mostLabel = 110;
/** The bars of what was set aside, and their distance from the map. */
const barsWidth = 18;
const barsGap = 4;
/** The screen's rule for which labels are drawn counts in pixels of this many to a point. */
const screenPixel = 10 / (smallestText + 0.8);
/** Pixels to a point where there are more cells than can be drawn one by one: 600 dpi. */
const finest = 600 / 72;

interface Plot {
  readonly picture: FocusPicture;
  readonly window: Window;
  readonly theme: RenderTheme;
  readonly peak: number;
  readonly left: number;
  readonly top: number;
  readonly cell: number;
  readonly row: number;
}

function labelsOf(tokens: TokenList | null, axis: TokenAxis, from: number, count: number, cell: number): { place: number; text: string }[] {
  const stride = labelStride(cell * screenPixel);
  return labelledPlaces(from, from + count, stride, null).map((place) => ({
    place,
    text: isolate(axisLabel(tokens, axis, place, stride, false)),
  }));
}

const labelSize = (cell: number, stride: number): number => clamp(cell * stride * 0.8, smallestText, textSize + 1);

function widest(labels: readonly { text: string }[], size: number, measure: Measure): number {
  return Math.min(mostLabel, labels.reduce((most, { text }) => Math.max(most, measure(text, size, false)), 0));
}

const barsSpace = ({ aside }: FocusData): number => (aside === null ? 0 : barsWidth + barsGap);

/** Room for labels depends on the cells' size and the cells' size on the room: settled in a few rounds. */
function plotOf(picture: FocusPicture, measure: Measure): Plot {
  const { data, view, options } = picture;
  const window = windowOf(data, view);
  const titles = lineHeight(textSize) + 2;
  let [left, top, cell, row] = [40, 40, 10, 10];
  for (let round = 0; round < 3; round += 1) {
    cell = Math.min(largestCell, (pageWidth - 2 * pageMargin - left) / window.keys);
    row = Math.min(largestCell, (mostHeight - top) / window.queries);
    // Cells stay square, unless a map is so oblong that its short side could not be read.
    const square = Math.min(cell, row);
    cell = Math.min(cell, Math.max(square, window.queries > 4 * window.keys ? 8 : square));
    row = Math.min(row, Math.max(square, window.keys > 4 * window.queries ? 8 : square));
    const down = labelsOf(data.queryTokens, data.queryAxis, window.query, window.queries, row);
    const across = labelsOf(data.keyTokens, data.keyAxis, window.key, window.keys, cell);
    left = barsSpace(data) + (options.queryTitle === "" ? 0 : titles) + widest(down, labelSize(row, labelStride(row * screenPixel)), measure) + 5;
    top = (options.keyTitle === "" ? 0 : titles) + widest(across, labelSize(cell, labelStride(cell * screenPixel)), measure) + 5;
  }
  return { picture, window, theme: renderTheme(options.dark), peak: peakOf(data), left, top, cell, row };
}

function weightMarks({ picture, window, theme, peak, left, top, cell, row }: Plot): Mark[] {
  const { data, options } = picture;
  const paint = painter(data, options, peak, packedCss(theme.warning));
  const box = { x: left, y: top, width: window.keys * cell, height: window.queries * row };
  const columns = Math.min(window.keys, Math.ceil(box.width * finest));
  const rows = Math.min(window.queries, Math.ceil(box.height * finest));
  const small = columns < window.keys || rows < window.queries;
  const pixels = small ? pooledPixels(data, window, columns, rows, paint) : cellPixels(data, window, paint);
  return [{ kind: "cells", ...box, columns, rows, pixels }];
}

function paddingMarks({ picture: { data }, window, theme, left, top, cell, row }: Plot): Mark[] {
  const clip = (from: number, to: number, start: number, count: number): [number, number] => [
    clamp(from, start, start + count),
    clamp(to, start, start + count),
  ];
  const hatch = (x: number, y: number, width: number, height: number): Mark[] =>
    width <= 0 || height <= 0
      ? []
      : [{ kind: "hatch", x, y, width, height, stroke: theme.hatch, ground: theme.ground, opacity: 0.45 }];
  const rows = maskedRuns(data.queryMask, data.queries).flatMap((run) => {
    const [from, to] = clip(...run, window.query, window.queries);
    return hatch(left, top + (from - window.query) * row, window.keys * cell, (to - from) * row);
  });
  const columns = maskedRuns(data.keyMask, data.keys).flatMap((run) => {
    const [from, to] = clip(...run, window.key, window.keys);
    return hatch(left + (from - window.key) * cell, top, (to - from) * cell, window.queries * row);
  });
  return [...rows, ...columns];
}

/** What storing alone could have made is seen through its hatching. */
function floorMarks({ picture: { options }, window, theme, left, top, cell, row }: Plot): Mark[] {
  const box = { x: left, y: top, width: window.keys * cell, height: window.queries * row };
  return options.belowFloor ? [{ kind: "hatch", ...box, stroke: theme.hatch, ground: null, opacity: 1 }] : [];
}

function diagonalMarks({ picture: { data }, window, theme, left, top, cell, row }: Plot): Mark[] {
  if (data.diagonal === null) return [];
  const points: (readonly [number, number])[] = [];
  for (let query = window.query; query < window.query + window.queries; query += 1) {
    const x = left + clamp(keysSeen(data, query, data.diagonal) - window.key, 0, window.keys) * cell;
    const y = top + (query - window.query) * row;
    points.push([x, y], [x, y + row]);
  }
  return [{ kind: "line", points, stroke: theme.line, line: 0.6 }];
}

/** NaN, Inf and clipped by shape, as on the screen. */
function glyphMarks({ picture: { data, options }, window, theme, peak, left, top, cell, row }: Plot): Mark[] {
  if (Math.min(cell, row) < 4) return [];
  const end = topOf(data, options, peak);
  const onWeight = readableOn(sequential(options.dark), data.signed ? 0.5 : 1);
  const marks: Mark[] = [];
  for (let query = window.query; query < window.query + window.queries; query += 1) {
    const real = isRealRow(data, query);
    for (let key = window.key; key < window.key + window.keys; key += 1) {
      const value = data.values[query * data.keys + key] ?? NaN;
      const text = glyphOf(value, end, options.exposure);
      if (text === "" || (!real && Number.isFinite(value))) continue;
      marks.push({
        kind: "text",
        x: left + (key - window.key + 0.5) * cell,
        y: top + (query - window.query + 0.5) * row,
        text,
        size: Math.min(9, Math.min(cell, row) * 0.8),
        fill: Number.isFinite(value) ? onWeight : theme.ground,
        anchor: "middle",
      });
    }
  }
  return marks;
}

/** One bar per row: how much of it was set aside. */
function barRows({ picture: { data, options }, window, theme, left: plotLeft, top, row }: Plot): Mark[] {
  const { aside } = data;
  if (aside === null) return [];
  const left = plotLeft - barsGap - barsWidth;
  const height = window.queries * row;
  const marks: Mark[] = [
    { kind: "rect", x: left, y: top, width: barsWidth, height, fill: theme.absent },
    { kind: "text", x: left + barsWidth / 2, y: top - 3, text: options.asideTitle, size: textSize, fill: theme.muted, anchor: "start", turned: true },
  ];
  // Rows that are thinner than can be printed share one bar.
  const stride = Math.max(1, Math.floor(0.5 / row));
  for (let place = 0; place < window.queries; place += stride) {
    const from = window.query + place;
    const share = meanShare(data, from, Math.min(window.query + window.queries, from + stride));
    if (share === null) continue;
    const y = top + place * row;
    const thickness = row * stride;
    if (Number.isNaN(share)) {
      marks.push({ kind: "rect", x: left, y, width: barsWidth, height: thickness, fill: theme.warning });
      if (thickness >= 4) marks.push({ kind: "text", x: left + barsWidth / 2, y: y + thickness / 2, text: "?", size: Math.min(9, thickness * 0.8), fill: theme.ground, anchor: "middle" });
      continue;
    }
    const [start, length] = barOf(share, data.signed);
    const space = thickness >= 4 ? 0.6 : 0;
    marks.push({ kind: "rect", x: left + start * barsWidth, y: y + space, width: length * barsWidth, height: thickness - 2 * space, fill: theme.muted });
  }
  return marks;
}

function axisMarks({ picture: { data, options }, window, theme, left, top, cell, row }: Plot): Mark[] {
  const masked = (mask: Uint8Array | null, place: number): string => (mask !== null && mask[place] === 0 ? theme.hatch : theme.muted);
  const rowSize = labelSize(row, labelStride(row * screenPixel));
  const columnSize = labelSize(cell, labelStride(cell * screenPixel));
  const [width, height] = [window.keys * cell, window.queries * row];
  const rows = labelsOf(data.queryTokens, data.queryAxis, window.query, window.queries, row).map(({ place, text }): Mark => ({
    kind: "text", x: left - barsSpace(data) - 3, y: top + (place - window.query + 0.5) * row, text, size: rowSize, fill: masked(data.queryMask, place), anchor: "end",
  }));
  const columns = labelsOf(data.keyTokens, data.keyAxis, window.key, window.keys, cell).map(({ place, text }): Mark => ({
    kind: "text", x: left + (place - window.key + 0.5) * cell, y: top - 3, text, size: columnSize, fill: masked(data.keyMask, place), anchor: "start", turned: true,
  }));
  const title = { kind: "text", size: textSize, fill: theme.muted, anchor: "middle", bold: true } as const;
  const half = lineHeight(textSize) / 2;
  const titles: Mark[] = [
    ...(options.keyTitle === "" ? [] : [{ ...title, x: left + width / 2, y: half, text: options.keyTitle }]),
    ...(options.queryTitle === "" ? [] : [{ ...title, x: half, y: top + height / 2, text: options.queryTitle, turned: true }]),
  ];
  return [...rows, ...columns, ...titles, { kind: "rect", x: left, y: top, width, height, stroke: theme.line, line: 0.5 }];
}

/** The locked row, column or cell: it is part of what is shown. */
function lockMarks({ picture: { options }, window, theme, left, top, cell, row }: Plot): Mark[] {
  const { query = null, key = null } = options.locked ?? {};
  const inRows = query !== null && query >= window.query && query < window.query + window.queries;
  const inColumns = key !== null && key >= window.key && key < window.key + window.keys;
  const y = top + ((query ?? 0) - window.query) * row;
  const x = left + ((key ?? 0) - window.key) * cell;
  const line = { kind: "rect", stroke: theme.locked, line: 0.75 } as const;
  return [
    ...(inRows ? [{ ...line, x: left, y, width: window.keys * cell, height: row }] : []),
    ...(inColumns ? [{ ...line, x, y: top, width: cell, height: window.queries * row }] : []),
  ];
}

function ticksOf({ data, options }: FocusPicture, peak: number): BarTick[] {
  const top = topOf(data, options, peak);
  return [0, 0.25, 0.5, 0.75, 1].map((at) => ({
    at,
    text: formatNumber(data.signed ? unitToDifference(at, options) : unitToWeight(at, top, options)),
  }));
}

export function focusFigure(picture: FocusPicture, measure: Measure): Figure {
  const { data, options, heading } = picture;
  const plot = plotOf(picture, measure);
  const { theme } = plot;
  const map = [weightMarks, paddingMarks, floorMarks, diagonalMarks, glyphMarks, barRows, axisMarks, lockMarks].flatMap((marks) => marks(plot));
  const colours = packedColours(data.signed ? diverging(options.dark) : sequential(options.dark));
  return pageOf(heading, theme, measure, {
    body: { width: plot.left + plot.window.keys * plot.cell, height: plot.top + plot.window.queries * plot.row, marks: map },
    bar: { label: picture.scale, colours: Uint32Array.from(colours), ticks: ticksOf(picture, plot.peak) },
  });
}
