import { expect, it } from "vitest";
import { Severity } from "../data/types";
import { pageWidth, type Measure } from "../exports/figure";
import { formatsOf } from "../exports/registry";
import { boxOf, measure, outside, overlapping, textsOf } from "../exports/testing";
import { groupByRule } from "../state/anomalies";
import { Store } from "../state/store";
import { anomalyGroup } from "../state/testing";
import { anomaliesEntry, shares } from "./anomalies_figure";

/** As wide as most fonts are. */
const usual: Measure = (text, size, bold) => 0.9 * measure(text, size, bold);

const span = { first: 0, last: 1000 };
const shown = (items: ReturnType<typeof anomalyGroup>[]) => ({ items, groups: groupByRule(items), span, summary: "errors: 1" });

it("the list of anomalies is a picture as it is listed, worst first, with a stroke per step on one axis", async () => {
  const steps = [0, 500, 1000];
  const items = [
    anomalyGroup("fine", "attention.row_sum", Severity.WARNING, 250, { observed: 0.5, threshold: 0.01 }),
    { ...anomalyGroup("bad", "attention.padding_attended", Severity.ERROR, 0), steps, lastStep: 1000 },
  ];
  const entry = anomaliesEntry(new Store(), shown(items));
  expect(formatsOf(entry)).toEqual(["png", "svg", "csv"]);
  const figure = await entry.figure!(measure);
  const texts = textsOf(figure);
  expect(texts).toEqual(expect.arrayContaining(["All anomalies", "errors: 1", "rule", "run", "0 to 1,000", "0 – 1,000", "250", "0.500", "0.0100", "–"]));
  expect(texts.filter((text) => ["error", "warning", "bad", "fine", "Weight on padding"].includes(text))).toEqual(["error", "Weight on padding", "bad", "warning", "fine"]);
  expect(texts.join(" ")).toContain("Weight on padding: What the model says then depends on how much padding the batch happens to have.");
  const strokes = figure.marks.flatMap((mark) => (mark.kind === "line" && mark.line === 0.7 ? [boxOf(mark)] : []));
  const [axis] = strokes;
  const places = strokes.filter(({ width }) => width === 0).map(({ x }) => (x - axis!.x) / axis!.width);
  expect(places.map((place) => Number(place.toFixed(6)))).toEqual([0, 0.5, 1, 0.25]);
});

it("is no wider and no higher than a page, and says how many of how many rows it has", async () => {
  const long = "a rule that a later version knows, with a long name";
  const items = Array.from({ length: 100 }, (_, i) => anomalyGroup(`run-${i} ${"x".repeat(200)}`, long, Severity.WARNING, 1000, { observed: -0.000123, threshold: 1e-6 }));
  const figure = await anomaliesEntry(new Store(), shown(items.map((item) => ({ ...item, name: "n".repeat(200) })))).figure!(usual);
  expect(textsOf(figure).join(" ")).toContain("56 of 100 rows");
  expect(figure.width).toBeLessThan(pageWidth);
  expect(figure.height).toBeLessThan(750);
  expect(outside(figure)).toEqual([]);
  expect(overlapping(figure)).toEqual([]);
});

it("words are cut where they are longest, and only as far as they have to be", () => {
  expect(shares([17, 15, 21], 56)).toEqual([17, 15, 21]);
  expect(shares([10, 200, 40], 56)).toEqual([10, 23, 23]);
  expect(shares([1e6, 1e6, 1e6], 56).reduce((sum, one) => sum + one, 0)).toBe(56);
});
