// A statistic of one head over the steps, as a figure: a line per run.
import { clamp } from "../base/numbers";
import { axisTicks } from "../render/scatter_plot";
import { renderTheme } from "../render/theme";
import { pageWidth, type Figure, type Heading, type Mark, type Measure, type Point } from "./figure";
import { frameOf, type AxisTick, type Frame } from "./figure_axes";
import { pageMargin, pageOf, type LegendItem } from "./figure_page";

export interface TrendBand {
  readonly step: number;
  readonly value: number;
  readonly spread: number;
}

export interface TrendCurve {
  readonly colour: string;
  /** [step, value]; a new piece after each gap. */
  readonly pieces: readonly (readonly Point[])[];
  /** A standard deviation to each side; empty where values are no means. */
  readonly band: readonly TrendBand[];
}

export interface TrendPicture {
  readonly curves: readonly TrendCurve[];
  readonly low: number;
  readonly high: number;
  readonly first: number;
  readonly last: number;
  /** The step on screen. */
  readonly step: number;
  readonly steps: readonly AxisTick[];
  readonly format: (value: number) => string;
  readonly statisticTitle: string;
  readonly stepTitle: string;
  readonly heading: Heading;
  readonly legend: readonly LegendItem[];
  readonly dark: boolean;
}

const height = 190;

function curveMarks({ colour, pieces, band }: TrendCurve, { low, high }: TrendPicture, { placeOf }: Frame): Mark[] {
  const at = (step: number, value: number): Point => placeOf(step, clamp(value, low, high));
  const edge = [...band.map((one) => at(one.step, one.value + one.spread)), ...[...band].reverse().map((one) => at(one.step, one.value - one.spread))];
  return [
    ...(band.length < 2 ? [] : [{ kind: "area", points: edge, fill: colour, opacity: 0.15 } as const]),
    ...pieces.flatMap((piece): Mark[] => {
      const points = piece.map(([step, value]) => at(step, value));
      const [first] = points;
      if (first === undefined) return [];
      return [points.length === 1 ? { kind: "dot", x: first[0], y: first[1], radius: 1.3, fill: colour } : { kind: "line", points, stroke: colour, line: 1.2 }];
    }),
  ];
}

export function trendFigure(picture: TrendPicture, measure: Measure): Figure {
  const { low, high, first, last, step, dark } = picture;
  const theme = renderTheme(dark);
  const width = pageWidth - 2 * pageMargin;
  const ticks = axisTicks(low, high, 4).map((at) => ({ at, text: picture.format(at) }));
  const axes = {
    x: { low: first, high: last, title: `${picture.stepTitle} →`, ticks: picture.steps },
    y: { low, high, title: `↑ ${picture.statisticTitle}`, ticks },
  };
  const frame = frameOf(axes, width, height, theme, measure);
  const [cursor] = frame.placeOf(clamp(step, first, last), low);
  const { y: top, height: tall } = frame.area;
  const marks: Mark[] = [
    ...frame.marks,
    ...picture.curves.flatMap((curve) => curveMarks(curve, picture, frame)),
    { kind: "line", points: [[cursor, top], [cursor, top + tall]], stroke: theme.locked, line: 0.75 },
  ];
  return pageOf(picture.heading, theme, measure, { body: { width, height, marks }, legend: picture.legend });
}
