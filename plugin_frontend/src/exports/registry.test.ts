import { expect, it } from "vitest";
import { Exportables, formatsOf, type Exportable } from "./registry";

const entry = (id: string, patch: Partial<Exportable> = {}): Exportable => ({ id, section: "focus", title: id, parts: [], ...patch });

it("lists by section, then by id, what is on screen now", () => {
  const all = new Exportables();
  const leave = all.enter(entry("b"));
  all.enter(entry("z", { section: "table" }));
  all.enter(entry("a"));
  expect(all.list().map(({ id }) => id)).toEqual(["a", "b", "z"]);
  leave();
  expect(all.list().map(({ id }) => id)).toEqual(["a", "z"]);
});

it("a late farewell does not take the successor away", () => {
  const all = new Exportables();
  const leave = all.enter(entry("a", { title: "old" }));
  all.enter(entry("a", { title: "new" }));
  leave();
  expect(all.list().map(({ title }) => title)).toEqual(["new"]);
});

it("offers the formats that can be made", () => {
  expect(formatsOf(entry("a", { table: () => ({ header: [], rows: [] }) }))).toEqual(["csv"]);
});
