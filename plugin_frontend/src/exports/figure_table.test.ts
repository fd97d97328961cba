import { expect, it } from "vitest";
import { tableFigure } from "./figure_table";
import { heading, measure, outside, overlapping, textsOf } from "./testing";

it("a table of the keys: bars where numbers are new, the chosen key marked", () => {
  const figure = tableFigure(
    {
      placeTitle: "",
      nameTitle: "key",
      rows: ["The", "<i>", "fox"].map((name, i) => ({ place: String(i), name, muted: i === 2, chosen: i === 1 })),
      columns: [
        { title: "q · k", fresh: false, texts: ["1.00", "−2.00", "0"], bars: null },
        { title: "weight", fresh: true, texts: ["0.3", "−0.7", "0"], bars: [{ start: 0.7, length: 0.3, minus: false }, { start: 0, length: 0.7, minus: true }, null] },
      ],
      heading,
      dark: false,
    },
    measure,
  );
  expect(textsOf(figure)).toEqual(expect.arrayContaining(["key", "q · k", "weight", "The", "<i>", "−0.7"]));
  const rects = figure.marks.flatMap((mark) => (mark.kind === "rect" ? [mark] : []));
  expect(rects.filter(({ opacity }) => opacity === 0.12)).toHaveLength(1);
  const [plus, minus] = rects.filter(({ opacity }) => opacity === 0.28);
  expect(plus!.fill).not.toBe(minus!.fill);
  expect(minus!.x + minus!.width).toBeCloseTo(plus!.x);
  expect(outside(figure)).toEqual([]);
  expect(overlapping(figure)).toEqual([]);
});

it("a list of heads: hatched bars below the floor, lines of the spread, and the rest beside what fills a page", () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ place: `${i + 1} of 100`, name: `1.${i}`, muted: false, chosen: false, hatched: i > 97 }));
  const bars = rows.map((_, i) => (i === 0 ? { start: 0, length: 0.5, minus: false, spread: [0.25, 0.75] as const } : { start: 0, length: 0.1, minus: false }));
  const columns = [
    { title: "mean", fresh: true, texts: rows.map((_, i) => `0.${i}`), bars: null },
    { title: "", fresh: true, texts: [], bars },
  ];
  const figure = tableFigure({ placeTitle: "rank", nameTitle: "head", rows, columns, heading, dark: true }, measure);
  expect(textsOf(figure).filter((text) => text === "head")).toHaveLength(2);
  expect(textsOf(figure)).toEqual(expect.arrayContaining(["1 of 100", "100 of 100", "1.99", "0.99"]));
  expect(figure.marks.filter(({ kind }) => kind === "hatch")).toHaveLength(2);
  const filled = figure.marks.flatMap((mark) => (mark.kind === "rect" ? [mark] : []));
  const spread = figure.marks.flatMap((mark) => (mark.kind === "line" && mark.line === 0.7 ? [mark] : []));
  expect(filled.map(({ opacity }) => opacity)).not.toContain(0.28);
  expect([filled.length, spread.length]).toEqual([98, 1]);
  // The line stands in the middle of the bar's end.
  const [from, to] = spread[0]!.points;
  expect((from![0] + to![0]) / 2).toBeCloseTo(filled[0]!.x + filled[0]!.width);
  expect(figure.height).toBeLessThan(800);
  expect(outside(figure)).toEqual([]);
  expect(overlapping(figure)).toEqual([]);
});
