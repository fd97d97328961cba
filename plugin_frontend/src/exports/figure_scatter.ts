// Two statistics of every head against each other, as a figure.
import type { HeadRef } from "../data/types";
import { axisTicks, dotEdge, dotOpacity, type Dot, type ScatterAxis, type ScatterData } from "../render/scatter_plot";
import { renderTheme } from "../render/theme";
import type { Figure, Heading, Mark, Measure } from "./figure";
import { frameOf, type FigureAxis } from "./figure_axes";
import { pageOf, type Bar, type LegendItem } from "./figure_page";

export interface ScatterPicture {
  readonly data: ScatterData;
  readonly locked: HeadRef | null;
  readonly heading: Heading;
  /** Where colours are runs. */
  readonly legend: readonly LegendItem[];
  /** Where colours are a number. */
  readonly bar: Bar | null;
}

const width = 380;
const height = 300;
const radius = 2.4;

function axisOf({ low, high, title, format }: ScatterAxis, ticks: number, named: (title: string) => string): FigureAxis {
  return { low, high, title: named(title), ticks: axisTicks(low, high, ticks).map((at) => ({ at, text: format(at) })) };
}

export function scatterFigure({ data, locked, heading, legend, bar }: ScatterPicture, measure: Measure): Figure {
  const theme = renderTheme(data.dark);
  const { x, y, dots, diagonal } = data;
  const axes = { x: axisOf(x, 6, (title) => `${title} →`), y: axisOf(y, 6, (title) => `↑ ${title}`) };
  const { marks: frame, placeOf } = frameOf(axes, width, height, theme, measure);
  const [low, high] = [Math.max(x.low, y.low), Math.min(x.high, y.high)];
  const unchanged: Mark[] = diagonal ? [{ kind: "line", points: [placeOf(low, low), placeOf(high, high)], stroke: theme.hatch, line: 0.6, dash: [3, 3] }] : [];
  const chosen = (dot: Dot): boolean => locked?.layer === dot.layer && locked.head === dot.head;
  const drawn = (dot: Dot): Mark => {
    const [left, top] = placeOf(dot.x, dot.y);
    const place = { kind: "dot", x: left, y: top, fill: dot.colour } as const;
    return chosen(dot)
      ? { ...place, radius: radius + 1, stroke: theme.locked, line: 1.2 }
      : { ...place, radius, stroke: dotEdge(theme), line: 0.5, opacity: dotOpacity };
  };
  const last = dots.filter(chosen);
  const marks = [...frame, ...unchanged, ...dots.filter((dot) => !chosen(dot)).map(drawn), ...last.map(drawn)];
  return pageOf(heading, theme, measure, { body: { width, height, marks }, legend, bar });
}
