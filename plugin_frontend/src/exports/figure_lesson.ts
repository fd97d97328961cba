// The numbers of one row of attention, key by key, as a figure: a table whose newest numbers have bars.
import { renderTheme, type RenderTheme } from "../render/theme";
import { lineHeight, textSize, type Figure, type Heading, type Mark, type Measure } from "./figure";
import { pageOf } from "./figure_page";

export interface FigureKey {
  readonly place: string;
  readonly text: string;
  readonly masked: boolean;
  readonly chosen: boolean;
}

export interface FigureColumn {
  readonly title: string;
  readonly fresh: boolean;
  readonly texts: readonly string[];
  /** Where bars begin and how long they are, both of 1; null = this column has none. */
  readonly bars: readonly ({ readonly start: number; readonly length: number; readonly minus: boolean } | null)[] | null;
}

export interface LessonPicture {
  readonly keyTitle: string;
  readonly keys: readonly FigureKey[];
  readonly columns: readonly FigureColumn[];
  readonly heading: Heading;
  readonly dark: boolean;
}

const rowHeight = 11.5;
const gap = 14;
const barSpace = 100;
const barStrength = 0.28;

interface Place {
  readonly left: number;
  readonly right: number;
}

function rowMarks({ keys }: LessonPicture, width: number, top: number, nameLeft: number, theme: RenderTheme): Mark[] {
  return keys.flatMap(({ place, text, masked, chosen }, row): Mark[] => {
    const y = top + row * rowHeight;
    const label = { kind: "text", y: y + rowHeight / 2, size: textSize } as const;
    return [
      ...(chosen ? [{ kind: "rect", x: 0, y, width, height: rowHeight, fill: theme.locked, opacity: 0.12 } as const] : []),
      { kind: "line", points: [[0, y], [width, y]], stroke: theme.line, line: 0.3 },
      { ...label, x: nameLeft - 5, text: place, fill: theme.muted, anchor: "end" },
      { ...label, x: nameLeft, text, fill: masked ? theme.muted : theme.text, anchor: "start" },
    ];
  });
}

function columnMarks({ title, fresh, texts, bars }: FigureColumn, { left, right }: Place, top: number, theme: RenderTheme): Mark[] {
  const head: Mark = { kind: "text", x: right, y: top - rowHeight / 2, text: title, size: textSize, fill: fresh ? theme.text : theme.muted, anchor: "end", bold: true };
  const cells = texts.flatMap((text, row): Mark[] => {
    const y = top + row * rowHeight;
    const bar = bars?.[row] ?? null;
    const drawn: Mark[] = bar === null ? [] : [{
      kind: "rect", x: left + bar.start * (right - left), y: y + 1.8, width: bar.length * (right - left), height: rowHeight - 3.6,
      fill: bar.minus ? theme.locked : theme.pin, opacity: barStrength,
    }];
    return [...drawn, { kind: "text", x: right, y: y + rowHeight / 2, text, size: textSize, fill: fresh ? theme.text : theme.muted, anchor: "end" }];
  });
  return [head, ...cells];
}

export function lessonFigure(picture: LessonPicture, measure: Measure): Figure {
  const { keys, columns, keyTitle } = picture;
  const theme = renderTheme(picture.dark);
  const widest = (texts: readonly string[], bold = false): number => Math.max(0, ...texts.map((text) => measure(text, textSize, bold)));
  const nameLeft = widest(keys.map(({ place }) => place)) + 5;
  let right = Math.max(nameLeft + widest(keys.map(({ text }) => text)), widest([keyTitle], true));
  const places = columns.map(({ title, texts, bars }): Place => {
    const left = right + gap;
    right = left + Math.max(widest([title], true), widest(texts), bars === null ? 0 : barSpace);
    return { left, right };
  });
  const top = lineHeight(textSize) + 4;
  const marks: Mark[] = [
    { kind: "text", x: nameLeft, y: top - rowHeight / 2, text: keyTitle, size: textSize, fill: theme.muted, anchor: "start", bold: true },
    ...rowMarks(picture, right, top, nameLeft, theme),
    ...columns.flatMap((column, i) => columnMarks(column, places[i] ?? { left: right, right }, top, theme)),
  ];
  return pageOf(picture.heading, theme, measure, { body: { width: right, height: top + keys.length * rowHeight, marks } });
}
