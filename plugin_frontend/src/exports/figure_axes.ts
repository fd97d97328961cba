// The frame of a plot in a figure: rules, numbers and titles of two axes.
import type { RenderTheme } from "../render/theme";
import { lineHeight, textSize, type Mark, type Measure, type Point, type Rect } from "./figure";

export interface AxisTick {
  readonly at: number;
  readonly text: string;
}

export interface FigureAxis {
  readonly low: number;
  readonly high: number;
  readonly title: string;
  readonly ticks: readonly AxisTick[];
}

export interface Axes {
  readonly x: FigureAxis;
  readonly y: FigureAxis;
}

export interface Frame {
  /** Where the values stand. */
  readonly area: Rect;
  readonly marks: readonly Mark[];
  readonly placeOf: (x: number, y: number) => Point;
}

const inset = 4;

const share = (value: number, { low, high }: FigureAxis): number => (high > low ? (value - low) / (high - low) : 0.5);

/** Ticks whose numbers do not touch each other. */
function spaced(axis: FigureAxis, length: number, measure: Measure): AxisTick[] {
  let end = -Infinity;
  return axis.ticks.filter(({ at, text }) => {
    const [middle, half] = [share(at, axis) * length, measure(text, textSize, false) / 2];
    if (middle - half < end + 4) return false;
    end = middle + half;
    return true;
  });
}

/** A plot of so many points, its numbers and titles included. The title of the upright axis stands above it. */
export function frameOf({ x, y }: Axes, width: number, height: number, theme: RenderTheme, measure: Measure): Frame {
  const line = lineHeight(textSize);
  const left = Math.max(0, ...y.ticks.map(({ text }) => measure(text, textSize, false))) + 4;
  // The last number of the level axis reaches beyond it.
  const right = Math.max(inset, ...x.ticks.slice(-1).map(({ text }) => measure(text, textSize, false) / 2));
  const area = { x: left, y: line + 3, width: width - left - right, height: height - 3 * line - 8 };
  const placeOf = (across: number, up: number): Point => [area.x + share(across, x) * area.width, area.y + area.height - share(up, y) * area.height];
  const [bottom, end] = [area.y + area.height, area.x + area.width];
  const rule = { kind: "line", stroke: theme.line, line: 0.4 } as const;
  const number = { kind: "text", size: textSize, fill: theme.muted } as const;
  const title = { kind: "text", size: textSize, fill: theme.text } as const;
  const marks: Mark[] = [
    ...spaced(x, area.width, measure).flatMap(({ at, text }): Mark[] => {
      const [place] = placeOf(at, y.low);
      return [{ ...rule, points: [[place, area.y], [place, bottom]] }, { ...number, x: place, y: bottom + line / 2 + 3, text, anchor: "middle" }];
    }),
    ...y.ticks.flatMap(({ at, text }): Mark[] => {
      const [, place] = placeOf(x.low, at);
      return [{ ...rule, points: [[area.x, place], [end, place]] }, { ...number, x: area.x - 3, y: place, text, anchor: "end" }];
    }),
    { ...title, x: 0, y: line / 2, text: y.title, anchor: "start" },
    { ...title, x: end, y: bottom + 1.5 * line + 4, text: x.title, anchor: "end" },
  ];
  return { area, marks, placeOf };
}
