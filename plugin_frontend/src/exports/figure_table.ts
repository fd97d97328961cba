// Rows of numbers with bars as a figure: the keys of one row of attention, the lists of heads and of anomalies.
import { renderTheme, type RenderTheme } from "../render/theme";
import { lineHeight, moved, textSize, type Figure, type Heading, type Mark, type Measure, type Point } from "./figure";
import { pageOf } from "./figure_page";
import { rowsDown } from "./window";

export interface FigureRow {
  /** A key's place, a head's rank. */
  readonly place: string;
  readonly name: string;
  /** What is said of it does not count: a key is masked. */
  readonly muted: boolean;
  readonly chosen: boolean;
  /** Its numbers cannot be told from nothing. */
  readonly hatched?: boolean;
}

/** Of a column's width, from 0 to 1. */
export interface FigureBar {
  readonly start: number;
  readonly length: number;
  readonly minus: boolean;
  /** From where to where the values spread. */
  readonly spread?: readonly [number, number];
}

/** Places along a line, of a column's width, from 0 to 1. */
export type FigureLane = readonly number[];

export interface FigureColumn {
  readonly title: string;
  readonly fresh: boolean;
  /** They stand at the left, numbers at the right. */
  readonly words?: boolean;
  /** None = bars stand alone. */
  readonly texts: readonly string[];
  /** null = this column has none. */
  readonly bars: readonly (FigureBar | null)[] | null;
  readonly lanes?: readonly FigureLane[];
}

export interface TablePicture {
  readonly placeTitle: string;
  readonly nameTitle: string;
  readonly rows: readonly FigureRow[];
  readonly columns: readonly FigureColumn[];
  readonly heading: Heading;
  readonly dark: boolean;
}

const rowHeight = 11.5;
const gap = 14;
const placeGap = 5;
const barSpace = 100;
/** Where no number stands on them: two parts beside each other are as wide as a page. */
const loneBarSpace = 62;
const laneSpace = 68;
const barStrength = 0.28;
const top = lineHeight(textSize) + 4;
/** Between the parts of a table that is too long for one. */
const partGap = 26;

interface Place {
  readonly left: number;
  readonly right: number;
}

/** Where everything stands, in every part of the table alike. */
interface Layout {
  readonly nameLeft: number;
  readonly columns: readonly Place[];
  readonly width: number;
}

function drawnSpace({ texts, bars, lanes }: FigureColumn): number {
  if (lanes !== undefined) return laneSpace;
  return bars === null ? 0 : texts.length === 0 ? loneBarSpace : barSpace;
}

function layoutOf({ placeTitle, nameTitle, rows, columns }: TablePicture, measure: Measure): Layout {
  const widest = (title: string, texts: readonly string[]): number =>
    Math.max(measure(title, textSize, true), ...texts.map((text) => measure(text, textSize, false)));
  const placeWidth = widest(placeTitle, rows.map(({ place }) => place));
  const nameLeft = placeWidth === 0 ? 0 : placeWidth + placeGap;
  let right = nameLeft + widest(nameTitle, rows.map(({ name }) => name));
  const places = columns.map((column): Place => {
    const left = right + gap;
    right = left + Math.max(widest(column.title, column.texts), drawnSpace(column));
    return { left, right };
  });
  return { nameLeft, columns: places, width: right };
}

interface BarLook {
  readonly hatched: boolean;
  /** No number stands on it. */
  readonly alone: boolean;
}

function barMarks({ start, length, minus, spread }: FigureBar, { left, right }: Place, y: number, { hatched, alone }: BarLook, theme: RenderTheme): Mark[] {
  const wide = right - left;
  const box = { x: left + start * wide, y: y + 1.8, width: length * wide, height: rowHeight - 3.6 };
  const middle = y + rowHeight / 2;
  const under = { fill: minus ? theme.locked : theme.pin, opacity: barStrength };
  return [
    hatched
      ? { kind: "hatch", ...box, stroke: theme.hatch, ground: null, opacity: 1 }
      : { kind: "rect", ...box, ...(alone ? { fill: theme.hatch } : under) },
    ...(spread === undefined ? [] : [{ kind: "line", points: spread.map((at) => [left + at * wide, middle] as const), stroke: theme.text, line: 0.7 } as const]),
  ];
}

function laneMarks(lane: FigureLane, { left, right }: Place, y: number, theme: RenderTheme): Mark[] {
  const [above, base] = [y + 2.4, y + rowHeight - 2.4];
  const stroke = (points: readonly Point[], colour: string): Mark => ({ kind: "line", points, stroke: colour, line: 0.7 });
  const places = lane.map((at) => left + at * (right - left));
  return [stroke([[left, base], [right, base]], theme.hatch), ...places.map((x) => stroke([[x, above], [x, base]], theme.text))];
}

/** Where the words of a column begin, or its numbers end. */
function textPlace({ words }: FigureColumn, { left, right }: Place): { readonly x: number; readonly anchor: "start" | "end" } {
  return words === true ? { x: left, anchor: "start" } : { x: right, anchor: "end" };
}

const nowhere: Place = { left: 0, right: 0 };

function rowMarks({ place, name, muted, chosen }: FigureRow, { nameLeft, width }: Layout, y: number, theme: RenderTheme): Mark[] {
  const label = { kind: "text", y: y + rowHeight / 2, size: textSize } as const;
  return [
    ...(chosen ? [{ kind: "rect", x: 0, y, width, height: rowHeight, fill: theme.locked, opacity: 0.12 } as const] : []),
    { kind: "line", points: [[0, y], [width, y]], stroke: theme.line, line: 0.3 },
    { ...label, x: nameLeft - placeGap, text: place, fill: theme.muted, anchor: "end" },
    { ...label, x: nameLeft, text: name, fill: muted ? theme.muted : theme.text, anchor: "start" },
  ];
}

/** Rows `first` to `end`, from their own corner. */
function partMarks({ placeTitle, nameTitle, rows, columns }: TablePicture, layout: Layout, first: number, end: number, theme: RenderTheme): Mark[] {
  const title = { kind: "text", y: top - rowHeight / 2, size: textSize, bold: true } as const;
  const marks: Mark[] = [
    { ...title, x: layout.nameLeft - placeGap, text: placeTitle, fill: theme.muted, anchor: "end" },
    { ...title, x: layout.nameLeft, text: nameTitle, fill: theme.muted, anchor: "start" },
    ...columns.map((column, i): Mark => ({ ...title, ...textPlace(column, layout.columns[i] ?? nowhere), text: column.title, fill: column.fresh ? theme.text : theme.muted })),
  ];
  rows.slice(first, end).forEach((row, down) => {
    const y = top + down * rowHeight;
    const hatched = row.hatched === true;
    marks.push(...rowMarks(row, layout, y, theme));
    columns.forEach((column, i) => {
      const { fresh, texts, bars, lanes } = column;
      const place = layout.columns[i] ?? nowhere;
      const bar = bars?.[first + down] ?? null;
      if (bar !== null) marks.push(...barMarks(bar, place, y, { hatched, alone: texts.length === 0 }, theme));
      if (lanes !== undefined) marks.push(...laneMarks(lanes[first + down] ?? [], place, y, theme));
      const fill = fresh && !hatched ? theme.text : theme.muted;
      marks.push({ kind: "text", ...textPlace(column, place), y: y + rowHeight / 2, text: texts[first + down] ?? "", size: textSize, fill });
    });
  });
  return marks.filter((mark) => mark.kind !== "text" || mark.text !== "");
}

export function tableFigure(picture: TablePicture, measure: Measure): Figure {
  const theme = renderTheme(picture.dark);
  const layout = layoutOf(picture, measure);
  const count = picture.rows.length;
  const parts = Math.max(1, Math.ceil(count / rowsDown));
  const marks = Array.from({ length: parts }, (_, part) =>
    moved(partMarks(picture, layout, part * rowsDown, (part + 1) * rowsDown, theme), part * (layout.width + partGap), 0),
  ).flat();
  const width = parts * layout.width + (parts - 1) * partGap;
  return pageOf(picture.heading, theme, measure, { body: { width, height: top + Math.min(count, rowsDown) * rowHeight, marks } });
}
