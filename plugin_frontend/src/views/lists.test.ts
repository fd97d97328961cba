import { describe, expect, it } from "vitest";
import { pageWidth } from "../exports/figure";
import { measure, overlapping, outside, textsOf } from "../exports/testing";
import { Store } from "../state/store";
import { listEntry, type List } from "./lists";

interface Row {
  readonly head: number;
  readonly value: number;
}

const rows = Array.from({ length: 150 }, (_, head): Row => ({ head, value: 1 - head / 200 }));
const list: List<Row> = {
  id: "list", title: "Heads by value", subtitle: "run", caption: ["what it means"], parts: ["run"],
  rows: rows.slice(0, 10), of: rows.length, placeTitle: "rank", nameTitle: "head",
  rowOf: ({ head }) => ({ place: `${head + 1} of 150`, name: `0.${head}`, chosen: head === 3, hatched: head === 4 }),
  columns: [{ title: "value", text: ({ value }) => value.toFixed(3) }, { title: "", bar: ({ value }) => ({ start: 0, length: value, minus: false }) }],
  table: () => ({ header: [], rows: [] }),
};

describe("the figure of a list", () => {
  it("has the rows on screen, their bars, and says of how many they are", async () => {
    const figure = await listEntry(new Store(), list).figure!(measure);
    const texts = textsOf(figure);
    expect(texts).toEqual(expect.arrayContaining(["Heads by value", "rank", "value", "1 of 150", "0.9", "0.955", "10 of 150 rows · what it means"]));
    expect(texts).not.toContain("11 of 150");
    const rects = figure.marks.flatMap((mark) => (mark.kind === "rect" ? [mark] : []));
    expect(rects.filter(({ opacity }) => opacity === 0.12)).toHaveLength(1);
    expect(rects.filter(({ opacity }) => opacity === undefined)).toHaveLength(9);
    expect(figure.marks.filter(({ kind }) => kind === "hatch")).toHaveLength(1);
  });

  it("stays on a page, however many there are", async () => {
    const [value, bar] = list.columns;
    const columns = [value!, { title: "spread", text: () => "0.123" }, bar!];
    const figure = await listEntry(new Store(), { ...list, rows, columns }).figure!(measure);
    expect(textsOf(figure)).toEqual(expect.arrayContaining(["112 of 150", "112 of 150 rows · what it means"]));
    expect(textsOf(figure)).not.toContain("113 of 150");
    expect(figure.width).toBeLessThan(pageWidth);
    expect(figure.height).toBeLessThan(750);
    expect(outside(figure)).toEqual([]);
    expect(overlapping(figure)).toEqual([]);
  });

  it("is dark on a dark page unless a light one is asked for", async () => {
    const store = new Store();
    store.dark.value = true;
    const ground = async (): Promise<string> => (await listEntry(store, list).figure!(measure)).ground;
    expect(await ground()).toBe("#1b1d21");
    store.exportLight.value = true;
    expect(await ground()).toBe("#ffffff");
  });
});
