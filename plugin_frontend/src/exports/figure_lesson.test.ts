import { expect, it } from "vitest";
import { lessonFigure } from "./figure_lesson";
import { heading, measure, outside, overlapping, textsOf } from "./testing";

it("a table of the keys: bars where numbers are new, the chosen key marked", () => {
  const figure = lessonFigure(
    {
      keyTitle: "key",
      keys: ["The", "<i>", "fox"].map((text, i) => ({ place: String(i), text, masked: i === 2, chosen: i === 1 })),
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
