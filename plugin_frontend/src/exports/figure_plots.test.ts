import { describe, expect, it } from "vitest";
import { frameOf } from "./figure_axes";
import { scatterFigure, type ScatterPicture } from "./figure_scatter";
import { trendFigure } from "./figure_trend";
import { renderTheme } from "../render/theme";
import { heading, measure, outside, overlapping, textsOf } from "./testing";

describe("frameOf", () => {
  const axis = (count: number) => ({ low: 0, high: count, title: "title", ticks: Array.from({ length: count + 1 }, (_, at) => ({ at, text: `${at}000000` })) });

  it("leaves out numbers that have no room", () => {
    const { marks } = frameOf({ x: axis(30), y: axis(3) }, 300, 200, renderTheme(false), measure);
    const figure = { width: 300, height: 200, title: "", ground: "", font: "", marks };
    expect(overlapping(figure)).toEqual([]);
    expect(textsOf(figure).length).toBeGreaterThan(8);
  });

  it("places the ends of the axes at the ends of the plot", () => {
    const { area, placeOf } = frameOf({ x: axis(4), y: axis(2) }, 300, 200, renderTheme(false), measure);
    expect(placeOf(0, 0)).toEqual([area.x, area.y + area.height]);
    const [right, top] = placeOf(4, 2);
    expect(right).toBeCloseTo(area.x + area.width);
    expect(top).toBeCloseTo(area.y);
  });
});

describe("trendFigure", () => {
  const picture = {
    curves: [{ colour: "#aa0000", pieces: [[[0, 0.1], [10, 0.9]], [[30, 5]]] as const, band: [{ step: 0, value: 0.1, spread: 0.1 }, { step: 10, value: 0.9, spread: 0.2 }] }],
    low: 0, high: 1, first: 0, last: 30, step: 10,
    steps: [0, 10, 20, 30].map((at) => ({ at, text: String(at) })),
    format: (value: number) => value.toFixed(1), statisticTitle: "entropy", stepTitle: "step", heading, legend: [{ text: "run", colour: "#aa0000" }], dark: false,
  };

  it("draws pieces, lone steps and the spread, and nothing beyond the scale", () => {
    const figure = trendFigure(picture, measure);
    const [line] = figure.marks.flatMap((mark) => (mark.kind === "line" && mark.stroke === "#aa0000" ? [mark] : []));
    const [dot] = figure.marks.flatMap((mark) => (mark.kind === "dot" ? [mark] : []));
    const [band] = figure.marks.flatMap((mark) => (mark.kind === "area" ? [mark] : []));
    expect(line?.points).toHaveLength(2);
    expect(band?.points).toHaveLength(4);
    expect(dot!.y).toBeLessThan(line!.points[1]![1]);
    expect(Math.min(...band!.points.map(([, y]) => y))).toBeCloseTo(dot!.y);
    expect(outside(figure)).toEqual([]);
    expect(overlapping(figure)).toEqual([]);
  });
});

describe("scatterFigure", () => {
  const axis = { low: 0, high: 1, title: "entropy", format: (value: number) => value.toFixed(2) };
  const dots = [0.1, 0.5, 1].map((x, head) => ({ layer: 0, head, run: "r", x, y: 1 - x, colour: "#00aa00" }));
  const picture: ScatterPicture = { data: { dots, x: axis, y: axis, diagonal: true, dark: false }, locked: { layer: 0, head: 1 }, heading, legend: [], bar: null };

  it("draws a dot per head, the locked one over all others, and the line of no change", () => {
    const figure = scatterFigure(picture, measure);
    const drawn = figure.marks.flatMap((mark) => (mark.kind === "dot" ? [mark] : []));
    expect(drawn).toHaveLength(3);
    const { muted, locked } = renderTheme(false);
    expect(drawn.map(({ stroke }) => stroke)).toEqual([muted, muted, locked]);
    expect(figure.marks.filter((mark) => mark.kind === "line" && mark.dash !== undefined)).toHaveLength(1);
    expect(outside(figure)).toEqual([]);
    expect(overlapping(figure)).toEqual([]);
  });

  it("has a bar where colours are numbers", () => {
    const bar = { label: "layer", colours: Uint32Array.of(1, 2), ticks: [{ at: 0, text: "a long number −100.000" }, { at: 1, text: "9" }] };
    const figure = scatterFigure({ ...picture, bar }, measure);
    expect(textsOf(figure)).toContain("layer");
    expect(outside(figure)).toEqual([]);
  });
});
