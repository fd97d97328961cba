import { describe, expect, it } from "vitest";
import { Kind, Severity } from "../data/types";
import { countOf, groupByRule } from "./anomalies";
import { evidencePatch } from "./evidence";
import { DEFAULT_SELECTION } from "./selection";
import { anomalyGroup, seen } from "./testing";

describe("groupByRule", () => {
  it("puts one rule of several runs together, worst first, then the earliest", () => {
    const groups = groupByRule([
      anomalyGroup("a", "late.error", Severity.ERROR, 50),
      anomalyGroup("b", "info", Severity.INFO, 0),
      anomalyGroup("c", "early.error", Severity.ERROR, 10),
      anomalyGroup("d", "late.error", Severity.ERROR, 40),
      anomalyGroup("e", "warning", Severity.WARNING, 5),
    ]);
    expect(groups.map((group) => [group.rule, group.firstStep, group.items.map((one) => one.run)])).toEqual([
      ["early.error", 10, ["c"]],
      ["late.error", 40, ["d", "a"]],
      ["warning", 5, ["e"]],
      ["info", 0, ["b"]],
    ]);
  });

  it("counts what became worse as the worse", () => {
    const worsened = { ...anomalyGroup("a", "x", Severity.WARNING, 0), worst: seen("x", Severity.ERROR) };
    expect(groupByRule([worsened])[0]?.severity).toBe(Severity.ERROR);
    expect([countOf([worsened], Severity.ERROR), countOf([worsened], Severity.WARNING)]).toEqual([1, 0]);
  });
});

describe("evidencePatch", () => {
  const group = anomalyGroup("bad run", "x", Severity.ERROR, 30);
  const where = seen("x", Severity.ERROR, { example: 1, layer: 2, head: 3, query: 4, key: 5 });

  it("leads to run, step, example, head and tokens", () => {
    expect(evidencePatch({ ...DEFAULT_SELECTION, view: "anomalies" }, ["good"], group, where, 30)).toEqual({
      runs: ["good", "bad run"],
      run: "bad run",
      name: "probe",
      view: "attention",
      step: 30,
      example: 1,
      layer: 2,
      head: 3,
      query: 4,
      key: 5,
      difference: false,
    });
  });

  it("does not change which runs are shown when its run already is", () => {
    expect(evidencePatch(DEFAULT_SELECTION, ["bad run"], group, where, 30)).not.toHaveProperty("runs");
  });

  it("releases tokens that belong to another place", () => {
    const patch = evidencePatch({ ...DEFAULT_SELECTION, query: 9, example: 4 }, ["bad run"], group, seen("x", Severity.ERROR), 30);
    expect(patch).toMatchObject({ query: null, head: null, example: 4 });
  });

  it("leads to the strips for an attribution", () => {
    const strip = { ...group, kind: Kind.ATTRIBUTION, name: "grad" };
    expect(evidencePatch(DEFAULT_SELECTION, [], strip, where, 30)).toMatchObject({ view: "attributions", attribution: "grad" });
  });
});
