// A statistic of every head over the steps, as a figure: layers down, heads across, a small curve in each cell.
import { headName } from "../data/heads";
import type { HeadRef } from "../data/types";
import { clamp } from "../base/numbers";
import { curveHeights, stepShare, type SparkRun } from "../render/spark_curves";
import type { SparkData } from "../render/spark_grid";
import { LABEL_HEIGHT, LABEL_WIDTH, sparkLayout, type SparkLayout } from "../render/spark_layout";
import { emptySpans, traceSpans } from "../render/spark_raster";
import { renderTheme, type RenderTheme } from "../render/theme";
import { lineHeight, moved, pageWidth, smallestText, textSize, type Figure, type Heading, type Mark, type Measure, type Point, type Rect } from "./figure";
import { pageMargin, pageOf, type LegendItem } from "./figure_page";

export interface SparkPicture {
  readonly data: SparkData;
  /** The step on screen; null = none is marked. */
  readonly step: number | null;
  readonly locked: HeadRef | null;
  /** The head of the other side of a pair. */
  readonly other: HeadRef | null;
  readonly heading: Heading;
  readonly legend: readonly LegendItem[];
  readonly headTitle: string;
  readonly layerTitle: string;
}

const mostHeight = 640;
const mostCell = 60;
/** Points of a curve to a point of the page: more steps are drawn as what they cover. */
const finest = 4;
/** Of a step that stands alone. */
const leastRadius = 0.9;

/** The layout of the screen, drawn closer together where it is larger than a page. */
interface Plot {
  readonly picture: SparkPicture;
  readonly layout: SparkLayout;
  readonly theme: RenderTheme;
  readonly cellOf: (at: HeadRef) => Rect | null;
  readonly cell: { readonly width: number; readonly height: number };
  /** From one cell to the next. */
  readonly pitch: { readonly x: number; readonly y: number };
  readonly width: number;
  readonly height: number;
}

function plotOf(picture: SparkPicture): Plot {
  const { rows, dark } = picture.data;
  const width = pageWidth - 2 * pageMargin - lineHeight(textSize);
  const columns = new Set(rows.flatMap(({ heads }) => heads)).size;
  const share = clamp((0.6 * (width - LABEL_WIDTH)) / Math.max(1, columns), 19, mostCell);
  const layout = sparkLayout(rows, width, Math.min(mostHeight, LABEL_HEIGHT + rows.length * share));
  const shrink = (space: number, content: number): number => (content > space ? space / content : 1);
  const x = shrink(width - LABEL_WIDTH, layout.width - LABEL_WIDTH);
  const y = shrink(mostHeight - LABEL_HEIGHT, layout.height - LABEL_HEIGHT);
  const cell = { width: layout.cell.width * x, height: layout.cell.height * y };
  return {
    picture,
    layout,
    theme: renderTheme(dark),
    cellOf: (at) => {
      const box = layout.cellOf(at);
      return box === null ? null : { x: LABEL_WIDTH + (box.x - LABEL_WIDTH) * x, y: LABEL_HEIGHT + (box.y - LABEL_HEIGHT) * y, ...cell };
    },
    cell,
    pitch: {
      x: ((layout.width - LABEL_WIDTH) * x) / Math.max(1, layout.columns.length),
      y: ((layout.height - LABEL_HEIGHT) * y) / Math.max(1, layout.rows.length),
    },
    width: LABEL_WIDTH + (layout.width - LABEL_WIDTH) * x,
    height: LABEL_HEIGHT + (layout.height - LABEL_HEIGHT) * y,
  };
}

/** Pieces of a curve through points of ascending x; a NaN among the y is a gap. */
function pieces(xs: Float32Array, ys: Float32Array): Point[][] {
  const found: Point[][] = [];
  let open: Point[] = [];
  xs.forEach((x, i) => {
    const y = ys[i] ?? NaN;
    if (Number.isNaN(y)) open = [];
    else if (open.push([x, y]) === 1) found.push(open);
  });
  return found;
}

/** What a curve of very many steps covers, so that a file does not grow with them. */
function thinned(xs: Float32Array, ys: Float32Array, width: number): Point[][] {
  const columns = Math.ceil(width * finest);
  const spans = emptySpans(columns);
  if (xs.length <= 2 * columns) return pieces(xs, ys);
  traceSpans(spans, xs.map((x) => x * finest), ys, { across: leastRadius * finest, up: leastRadius });
  const [at, to] = [new Float32Array(2 * columns), new Float32Array(2 * columns)];
  for (let column = 0; column < columns; column += 1) {
    at.fill((column + 0.5) / finest, 2 * column, 2 * column + 2);
    to[2 * column] = spans.top[column] ?? NaN;
    to[2 * column + 1] = spans.bottom[column] ?? NaN;
  }
  return pieces(at, to);
}

/** One run's curve of one head, from the corner of its cell. */
function curveMarks({ picture: { data }, cell }: Plot, run: SparkRun, head: string): Mark[] {
  const pad = Math.min(2, cell.width / 12, cell.height / 12);
  const inner = cell.width - 2 * pad;
  const xs = Float32Array.from(run.steps, (step) => pad + stepShare(step, data.first, data.last) * inner);
  const ys = new Float32Array(xs.length);
  if (!curveHeights(ys, run, head, { low: data.low, high: data.high, bottom: cell.height - pad, height: cell.height - 2 * pad })) return [];
  const line = clamp(cell.height / 30, 0.35, 1);
  return thinned(xs, ys, cell.width).map((points): Mark => {
    const [first] = points;
    const alone = points.length === 1 && first !== undefined;
    return alone ? { kind: "dot", x: first[0], y: first[1], radius: Math.max(line, leastRadius), fill: run.colour } : { kind: "line", points, stroke: run.colour, line };
  });
}

function cellMarks(plot: Plot): Mark[] {
  const { picture, theme, cell } = plot;
  const { data, step } = picture;
  const share = step === null || data.last <= data.first ? null : clamp(stepShare(step, data.first, data.last), 0, 1);
  return data.rows.flatMap(({ layer, heads }) =>
    heads.flatMap((head): Mark[] => {
      const box = plot.cellOf({ layer, head });
      if (box === null) return [];
      const at = share === null ? null : box.x + share * cell.width;
      const curves = data.runs.flatMap((run) => curveMarks(plot, run, headName({ layer, head })));
      return [
        { kind: "rect", ...box, fill: theme.absent },
        ...moved(curves, box.x, box.y),
        ...(at === null ? [] : [{ kind: "line", points: [[at, box.y], [at, box.y + box.height]], stroke: theme.locked, line: 0.5, opacity: 0.75 } as const]),
      ];
    }),
  );
}

function ring({ cellOf, theme }: Plot, at: HeadRef | null, dash: readonly number[]): Mark[] {
  const box = at === null ? null : cellOf(at);
  if (box === null) return [];
  const [left, top, right, bottom] = [box.x - 0.75, box.y - 0.75, box.x + box.width + 0.75, box.y + box.height + 0.75];
  const points: Point[] = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top - 0.6]];
  return [{ kind: "line", points, stroke: theme.locked, line: 1.2, ...(dash.length === 0 ? {} : { dash }) }];
}

/** Numbers of heads and layers; where they stand too close, every so many. */
function numberMarks({ layout, pitch, cell, theme }: Plot, measure: Measure): Mark[] {
  const style = { kind: "text", size: Math.max(smallestText, Math.min(textSize, pitch.x * 0.8)), fill: theme.muted } as const;
  const widest = Math.max(0, ...layout.columns.map((head) => measure(String(head), style.size, false)));
  const every = (needed: number, given: number): number => Math.max(1, Math.ceil(needed / given));
  const [across, down] = [every(widest + 2, pitch.x), every(style.size * 1.1, pitch.y)];
  return [
    ...layout.columns.flatMap((head, i): Mark[] =>
      i % across === 0 ? [{ ...style, x: LABEL_WIDTH + i * pitch.x + cell.width / 2, y: LABEL_HEIGHT / 2 + 2, text: String(head), anchor: "middle" }] : []),
    ...layout.rows.flatMap((layer, i): Mark[] =>
      i % down === 0 ? [{ ...style, x: LABEL_WIDTH - 5, y: LABEL_HEIGHT + i * pitch.y + cell.height / 2, text: String(layer), anchor: "end" }] : []),
  ];
}

export function sparkFigure(picture: SparkPicture, measure: Measure): Figure {
  const plot = plotOf(picture);
  const { theme, width, height } = plot;
  const aside = lineHeight(textSize);
  const inside = [...cellMarks(plot), ...numberMarks(plot, measure), ...ring(plot, picture.other, [3, 2]), ...ring(plot, picture.locked, [])];
  const axis = { kind: "text", size: textSize, fill: theme.muted, anchor: "middle", bold: true } as const;
  const titles: Mark[] = [
    { ...axis, x: aside + (LABEL_WIDTH + width) / 2, y: aside / 2, text: picture.headTitle },
    { ...axis, x: aside / 2, y: aside + (LABEL_HEIGHT + height) / 2, text: picture.layerTitle, turned: true },
  ];
  return pageOf(picture.heading, theme, measure, {
    body: { width: aside + width, height: aside + height, marks: [...moved(inside, aside, aside), ...titles] },
    legend: picture.legend,
  });
}
