import { expect, it } from "vitest";
import { renderTheme } from "../render/theme";
import { pageOf, type Block } from "./figure_page";
import { heading, measure, outside, overlapping, textsOf } from "./testing";

const body: Block = { width: 100, height: 50, marks: [{ kind: "rect", x: 0, y: 0, width: 100, height: 50, fill: "#123456" }] };
const bar = { label: "what the colours of a small map stand for, at some length", colours: Uint32Array.of(1, 2), ticks: [{ at: 0, text: "−0.123456789" }, { at: 1, text: "1" }] };

it("a small picture's page is as wide as what stands beside its colour bar", () => {
  const figure = pageOf(heading, renderTheme(false), measure, { body, bar });
  expect(textsOf(figure)).toContain(bar.label);
  expect(outside(figure)).toEqual([]);
  expect(overlapping(figure)).toEqual([]);
});

it("a legend takes as many lines as it needs", () => {
  const legend = Array.from({ length: 30 }, (_, i) => ({ text: `a run of some name ${i}`, colour: "#123456" }));
  const figure = pageOf(heading, renderTheme(false), measure, { body, legend });
  expect(textsOf(figure)).toEqual(expect.arrayContaining(legend.map(({ text }) => text)));
  expect(outside(figure)).toEqual([]);
  expect(overlapping(figure)).toEqual([]);
});

it("a title is broken where its bold letters end, and no line leaves the page", () => {
  // As wide as the page where letters were not bold.
  const title = "seven words that are just not bold".repeat(2);
  const figure = pageOf({ ...heading, title }, renderTheme(false), measure, { body: { ...body, width: measure(title, 9, false) } });
  expect(figure.marks.filter((mark) => mark.kind === "text" && mark.bold === true)).toHaveLength(2);
  expect(outside(figure)).toEqual([]);
});
