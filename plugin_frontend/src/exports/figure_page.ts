// What every figure is put together from: heading, legend, what is drawn, colour bar and caption, one below
// the other.
import {
  barLength,
  barMarks,
  barSpace,
  captionMarks,
  headingMarks,
  lineHeight,
  moved,
  textSize,
  type BarTick,
  type Figure,
  type Heading,
  type Ink,
  type Mark,
  type Measure,
} from "./figure";

export const pageMargin = 8;
/** Narrower than this neither the colour bar nor a line of the caption has room. */
const leastWidth = 260;
const swatch = { width: 9, height: 4 } as const;
const legendGap = 12;

/** A piece of a figure, from its own corner. */
export interface Block {
  readonly width: number;
  readonly height: number;
  readonly marks: readonly Mark[];
}

export interface LegendItem {
  readonly text: string;
  readonly colour: string;
}

export interface Bar {
  /** What the colours stand for. */
  readonly label: string;
  readonly colours: Uint32Array<ArrayBuffer>;
  readonly ticks: readonly BarTick[];
}

export interface Parts {
  readonly body: Block;
  readonly legend?: readonly LegendItem[];
  readonly bar?: Bar | null;
}

/** What the colours of lines and dots belong to, in as many lines as it takes. */
function legendMarks(items: readonly LegendItem[], width: number, ink: Ink, measure: Measure): { marks: Mark[]; height: number } {
  const line = lineHeight(textSize);
  const marks: Mark[] = [];
  let [x, y] = [0, 0];
  for (const { text, colour } of items) {
    const wide = swatch.width + 4 + measure(text, textSize, false);
    if (x > 0 && x + wide > width) [x, y] = [0, y + line];
    const middle = y + line / 2;
    marks.push({ kind: "rect", x, y: middle - swatch.height / 2, ...swatch, fill: colour });
    marks.push({ kind: "text", x: x + swatch.width + 4, y: middle, text, size: textSize, fill: ink.text, anchor: "start" });
    x += wide + legendGap;
  }
  return { marks, height: items.length === 0 ? 0 : y + line + 4 };
}

export function pageOf(heading: Heading, ink: Ink, measure: Measure, { body, legend = [], bar = null }: Parts): Figure {
  // The first number stands under the end of the bar, and must not leave the page.
  const left = Math.max(8, ...(bar?.ticks ?? []).slice(0, 1).map(({ text }) => measure(text, textSize, false) / 2));
  const width = Math.max(leastWidth, body.width, bar === null ? 0 : left + barLength(bar.label, measure));
  const head = headingMarks(heading, width, ink, measure);
  const key = legendMarks(legend, width, ink, measure);
  const bodyTop = head.height + key.height;
  const barTop = bodyTop + body.height + 10;
  const footTop = bar === null ? bodyTop + body.height + 6 : barTop + barSpace + 3;
  const scale = bar === null ? [] : barMarks({ left, top: barTop, label: bar.label }, bar.colours, bar.ticks, ink);
  const foot = captionMarks(heading, footTop, width, ink, measure);
  const marks = [...head.marks, ...moved(key.marks, 0, head.height), ...moved(body.marks, 0, bodyTop), ...scale, ...foot.marks];
  return {
    width: width + 2 * pageMargin,
    height: footTop + foot.height + 2 * pageMargin,
    title: heading.title,
    ground: ink.ground,
    font: ink.font,
    marks: moved(marks, pageMargin, pageMargin),
  };
}
