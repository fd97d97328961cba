// One head over time, as a figure: runs down, steps across, a small map in each cell.
import { formatNumber } from "../base/format";
import { diverging, sequential, unitToDifference, unitToWeight } from "../render/colormap";
import { packedColours } from "../render/grid_canvas2d";
import type { MultiplesCell, MultiplesData } from "../render/multiples_grid";
import { columnLeft, multiplesLayout } from "../render/multiples_layout";
import { tilePixels, type TileScale } from "../render/multiples_tile";
import { renderTheme, type RenderTheme } from "../render/theme";
import { lineHeight, moved, pageWidth, smallestText, textSize, type BarTick, type Figure, type Heading, type Mark, type Measure, type Rect } from "./figure";
import { cellsTogether, type CellsMark } from "./figure_cells";
import { pageMargin, pageOf } from "./figure_page";

export interface MultiplesPicture {
  readonly data: Omit<MultiplesData, "hovered">;
  /** Columns that are shown: [first, end). */
  readonly first: number;
  readonly end: number;
  /** Differences are shown. */
  readonly signed: boolean;
  readonly heading: Heading;
  /** What the colours stand for. */
  readonly scale: string;
  readonly stepTitle: string;
}

const mostHeight = 640;
const smallest = 0.15;
const titleHeight = lineHeight(textSize) + 1;
const rowGap = 5;

interface Cell {
  readonly box: Rect;
  readonly cell: MultiplesCell;
  readonly column: number;
}

interface Plot {
  readonly theme: RenderTheme;
  readonly cells: readonly Cell[];
  /** Where the titles of the runs stand. */
  readonly titles: readonly number[];
  readonly pitch: number;
  readonly cell: number;
  readonly width: number;
  readonly height: number;
}

/** The layout of the screen without its gaps for a pointer, drawn smaller where it is wider than a page. */
function plotOf({ data, first, end }: MultiplesPicture): Plot {
  const count = Math.max(1, end - first);
  const layout = multiplesLayout(data.sizes, count, 1);
  const heights = layout.rows.reduce((sum, { height }) => sum + height, 0);
  const room = mostHeight - titleHeight * (1 + layout.rows.length) - rowGap * layout.rows.length;
  const s = Math.min(1, (pageWidth - 2 * pageMargin) / (layout.pitch * count), Math.max(smallest, room / Math.max(1, heights)));
  const cells: Cell[] = [];
  const titles: number[] = [];
  let y = titleHeight;
  layout.rows.forEach(({ width, height }, row) => {
    titles.push(y + titleHeight / 2);
    y += titleHeight;
    for (let i = 0; i < count; i += 1) {
      const box = { x: (columnLeft(layout, i) - columnLeft(layout, 0)) * s, y, width: width * s, height: height * s };
      cells.push({ box, cell: data.cell({ row, column: first + i }), column: first + i });
    }
    y += height * s + rowGap;
  });
  return { theme: renderTheme(data.scale.dark), cells, titles, pitch: layout.pitch * s, cell: layout.cell * s, width: layout.pitch * s * count, height: y - rowGap };
}

function tileMark({ box, cell: { picture, base } }: Cell, scale: TileScale): CellsMark[] {
  if (picture === null) return [];
  const pixels = new Uint32Array(tilePixels(picture, base, scale).buffer);
  return [{ kind: "cells", ...box, columns: picture.cols, rows: picture.rows, pixels }];
}

const around = ({ x, y, width, height }: Rect, by: number): Rect => ({ x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by });

/** The mark of a cell that says more than its weights do. */
function glyphMarks({ box, cell: { state, picture, pin } }: Cell, theme: RenderTheme): Mark[] {
  const size = Math.min(7, box.width * 0.4);
  const [middle, centre] = [box.x + box.width / 2, box.y + box.height / 2];
  const word = { kind: "text", size, anchor: "middle" } as const;
  const patch = (x: number, y: number, text: string, fill: string, wide = size): Mark[] => [
    { kind: "rect", x, y, width: wide, height: size, fill },
    { ...word, x: x + wide / 2, y: y + size / 2, size: size * 0.9, text, fill: theme.ground, bold: true },
  ];
  const glyph = state === "incomparable" ? "≠" : state === "statistics" ? "Σ" : "";
  return [
    ...(glyph === "" ? [] : [{ ...word, x: middle, y: centre, text: glyph, fill: theme.muted } as const]),
    ...(state === "failed" ? patch(middle - size / 2, centre - size / 2, "!", theme.warning) : []),
    ...(picture !== null && picture.notFinite ? patch(box.x + box.width - size, box.y, "!", theme.warning) : []),
    ...(pin === "" ? [] : [{ kind: "rect", ...around(box, 0.6), stroke: theme.pin, line: 1.2 } as const, ...patch(box.x, box.y, pin, theme.pin, size * (0.4 + 0.6 * pin.length))]),
  ];
}

function cellMarks({ cells, theme }: Plot, { scale, current }: MultiplesPicture["data"]): Mark[] {
  const tiles = cells.flatMap((one) => (one.cell.state === "picture" ? tileMark(one, scale) : []));
  const frames = cells.flatMap((one): Mark[] => {
    const { box, cell: { state, belowFloor }, column } = one;
    if (state === "absent") return [];
    const hatched = state === "dropped" || state === "failed";
    return [
      ...(belowFloor ? [{ kind: "hatch", ...box, stroke: theme.hatch, ground: null, opacity: 1 } as const] : []),
      ...(state === "picture" ? [] : [hatched ? ({ kind: "hatch", ...box, stroke: theme.hatch, ground: theme.absent, opacity: 1 } as const) : ({ kind: "rect", ...box, fill: theme.absent } as const)]),
      { kind: "rect", ...box, stroke: theme.line, line: 0.4 },
      ...glyphMarks(one, theme),
      ...(column === current ? [{ kind: "rect", ...around(box, 0.6), stroke: theme.locked, line: 1.2 } as const] : []),
    ];
  });
  return [...cellsTogether(tiles), ...frames];
}

/** Steps across, as many as have room, and runs down. */
function labelMarks({ titles, pitch, cell, theme }: Plot, { data, first, end }: MultiplesPicture, measure: Measure): Mark[] {
  const labels = data.labels.slice(first, end);
  const widest = Math.max(0, ...labels.map((label) => measure(label, smallestText, true)));
  const every = Math.max(1, Math.ceil((widest + 2) / pitch));
  // The step on screen is always named.
  const shift = data.current < first ? 0 : (data.current - first) % every;
  return [
    ...labels.flatMap((text, i): Mark[] =>
      i % every === shift
        ? [{ kind: "text", x: i * pitch + cell / 2, y: titleHeight / 2, text, size: smallestText, fill: first + i === data.current ? theme.text : theme.muted, anchor: "middle", bold: first + i === data.current }]
        : []),
    ...data.titles.flatMap(({ text, colour }, row): Mark[] => {
      const y = titles[row] ?? 0;
      return [
        { kind: "rect", x: 0, y: y - 3, width: 2.5, height: 6, fill: colour },
        { kind: "text", x: 6, y, text, size: textSize, fill: theme.text, anchor: "start" },
      ];
    }),
  ];
}

function ticksOf(scale: TileScale, signed: boolean): BarTick[] {
  return [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: formatNumber(signed ? unitToDifference(at, scale) : unitToWeight(at, scale.peak, scale)) }));
}

export function multiplesFigure(picture: MultiplesPicture, measure: Measure): Figure {
  const { data, signed } = picture;
  const plot = plotOf(picture);
  const { theme, width, height } = plot;
  const line = lineHeight(textSize);
  const inside = [...cellMarks(plot, data), ...labelMarks(plot, picture, measure)];
  const title: Mark = { kind: "text", x: width / 2, y: line / 2, text: picture.stepTitle, size: textSize, fill: theme.muted, anchor: "middle", bold: true };
  const colours = Uint32Array.from(packedColours(signed ? diverging(data.scale.dark) : sequential(data.scale.dark)));
  return pageOf(picture.heading, theme, measure, {
    body: { width, height: line + height, marks: [title, ...moved(inside, 0, line)] },
    bar: { label: picture.scale, colours, ticks: ticksOf(data.scale, signed) },
  });
}
