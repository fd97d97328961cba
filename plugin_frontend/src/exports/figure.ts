// A figure for print as a list of marks, which the two painters (PNG, SVG) draw alike. Lengths in points
// (1/72 inch).

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

export type Mark =
  | (Rect & { readonly kind: "rect"; readonly fill?: string; readonly stroke?: string; readonly line?: number; readonly opacity?: number })
  | {
      readonly kind: "text";
      readonly x: number;
      /** The middle of the line. */
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly fill: string;
      readonly anchor: "start" | "middle" | "end";
      readonly bold?: boolean;
      /** Read from below. */
      readonly turned?: boolean;
    }
  | {
      readonly kind: "line";
      readonly points: readonly Point[];
      readonly stroke: string;
      readonly line: number;
      /** Lengths of dashes and gaps; none = drawn through. */
      readonly dash?: readonly number[];
      readonly opacity?: number;
    }
  /** The inside of a line that is closed. */
  | { readonly kind: "area"; readonly points: readonly Point[]; readonly fill: string; readonly opacity: number }
  | {
      readonly kind: "dot";
      /** The middle. */
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly fill: string;
      readonly stroke?: string;
      readonly line?: number;
      readonly opacity?: number;
    }
  /** Diagonal lines, over a ground where there is one. */
  | (Rect & { readonly kind: "hatch"; readonly stroke: string; readonly ground: string | null; readonly opacity: number })
  /** [rows, columns] little-endian RGBA, stretched over the box without smoothing. */
  | (Rect & { readonly kind: "cells"; readonly columns: number; readonly rows: number; readonly pixels: Uint32Array<ArrayBuffer> });

export interface Figure {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly ground: string;
  readonly font: string;
  readonly marks: readonly Mark[];
}

/** Width of a text in points. */
export type Measure = (text: string, size: number, bold: boolean) => number;

/** As wide as a page of a journal: 180 mm. */
export const pageWidth = (180 / 25.4) * 72;
export const titleSize = 9;
export const textSize = 7;
export const smallestText = 5.5;

/** Distance of two lines of text. */
export const lineHeight = (size: number): number => Math.round(size * 1.4 * 10) / 10;

/** Lines no wider than `width`, broken at spaces where there are any. */
export function wrap(text: string, width: number, size: number, measure: Measure, bold = false): string[] {
  const lines: string[] = [];
  let line = "";
  const push = (piece: string): void => {
    const longer = line + piece;
    if (line === "" || measure(longer.trimEnd(), size, bold) <= width) {
      line = longer;
      return;
    }
    lines.push(line.trimEnd());
    line = piece.trimStart();
  };
  for (const word of text.split(/(?<= )/)) {
    if (measure(word, size, bold) <= width) push(word);
    else for (const character of word) push(character);
  }
  return line.trim() === "" ? lines : [...lines, line.trimEnd()];
}

/** What stands over and under every figure. */
export interface Heading {
  readonly title: string;
  readonly subtitle: string;
  readonly caption: string;
}

export interface Ink {
  readonly ground: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly font: string;
}

/** Title lines from the top; `height` is where the rest begins. */
export function headingMarks({ title, subtitle }: Heading, width: number, ink: Ink, measure: Measure): { marks: Mark[]; height: number } {
  const marks: Mark[] = [];
  let y = 0;
  const lines = (text: string, size: number, fill: string, bold: boolean): void => {
    for (const line of wrap(text, width, size, measure, bold)) {
      marks.push({ kind: "text", x: 0, y: y + lineHeight(size) / 2, text: line, size, fill, anchor: "start", bold });
      y += lineHeight(size);
    }
  };
  lines(title, titleSize, ink.text, true);
  lines(subtitle, textSize, ink.muted, false);
  return { marks, height: y + 6 };
}

export function captionMarks({ caption }: Heading, top: number, width: number, ink: Ink, measure: Measure): { marks: Mark[]; height: number } {
  const lines = wrap(caption, width, textSize, measure);
  const marks = lines.map((text, i): Mark => ({
    kind: "text",
    x: 0,
    y: top + (i + 0.5) * lineHeight(textSize),
    text,
    size: textSize,
    fill: ink.muted,
    anchor: "start",
  }));
  return { marks, height: lines.length * lineHeight(textSize) };
}

export interface BarTick {
  /** 0 to 1 along the bar. */
  readonly at: number;
  readonly text: string;
}

const barWidth = 120;
const barHeight = 7;
const barGap = 12;
export const barSpace = barHeight + 4 + lineHeight(textSize);

/** How far a colour bar and what stands beside it reach. */
export const barLength = (label: string, measure: Measure): number => barWidth + barGap + measure(label, textSize, false);

/** A colour bar with its numbers under it and what they are beside it. */
export function barMarks(
  { left, top, label }: { readonly left: number; readonly top: number; readonly label: string },
  colours: Uint32Array<ArrayBuffer>,
  ticks: readonly BarTick[],
  ink: Ink,
): Mark[] {
  const box = { x: left, y: top, width: barWidth, height: barHeight };
  return [
    { kind: "cells", ...box, columns: colours.length, rows: 1, pixels: colours },
    { kind: "rect", ...box, stroke: ink.line, line: 0.5 },
    ...ticks.map(({ at, text }): Mark => ({
      kind: "text",
      x: left + at * barWidth,
      y: top + barHeight + 2 + lineHeight(textSize) / 2,
      text,
      size: textSize,
      fill: ink.muted,
      anchor: "middle",
    })),
    { kind: "text", x: left + barWidth + barGap, y: top + barHeight / 2, text: label, size: textSize, fill: ink.muted, anchor: "start" },
  ];
}

/** The marks moved by (dx, dy): a figure is built from its own corner and then given its margin. */
export function moved(marks: readonly Mark[], dx: number, dy: number): Mark[] {
  return marks.map((mark) =>
    mark.kind === "line" || mark.kind === "area"
      ? { ...mark, points: mark.points.map(([x, y]) => [x + dx, y + dy] as const) }
      : { ...mark, x: mark.x + dx, y: mark.y + dy },
  );
}
