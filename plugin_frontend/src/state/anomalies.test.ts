import { describe, expect, it } from "vitest";
import { Kind, Severity, type AnomalyGroupInfo, type AnomalyInfo } from "../data/types";
import { countOf, groupByRule } from "./anomalies";
import { evidencePatch } from "./evidence";
import { DEFAULT_SELECTION } from "./selection";

function seen(rule: string, severity: Severity, patch: Partial<AnomalyInfo> = {}): AnomalyInfo {
  return {
    rule,
    severity,
    message: "",
    why: "",
    advice: "",
    observed: null,
    threshold: null,
    example: null,
    layer: null,
    head: null,
    query: null,
    key: null,
    headsAffected: 0,
    headsChecked: 0,
    ...patch,
  };
}

function item(run: string, rule: string, severity: Severity, firstStep: number, worst = severity): AnomalyGroupInfo {
  return {
    run,
    series: run,
    name: "probe",
    kind: Kind.ATTENTION,
    firstStep,
    lastStep: firstStep,
    steps: [firstStep],
    ordinals: [0],
    first: seen(rule, severity),
    worst: seen(rule, worst),
    worstOrdinal: 0,
  };
}

describe("groupByRule", () => {
  it("puts one rule of several runs together, worst first, then the earliest", () => {
    const groups = groupByRule([
      item("a", "late.error", Severity.ERROR, 50),
      item("b", "info", Severity.INFO, 0),
      item("c", "early.error", Severity.ERROR, 10),
      item("d", "late.error", Severity.ERROR, 40),
      item("e", "warning", Severity.WARNING, 5),
    ]);
    expect(groups.map((group) => [group.rule, group.firstStep, group.items.map((one) => one.run)])).toEqual([
      ["early.error", 10, ["c"]],
      ["late.error", 40, ["d", "a"]],
      ["warning", 5, ["e"]],
      ["info", 0, ["b"]],
    ]);
  });

  it("counts what became worse as the worse", () => {
    const worsened = item("a", "x", Severity.WARNING, 0, Severity.ERROR);
    expect(groupByRule([worsened])[0]?.severity).toBe(Severity.ERROR);
    expect([countOf([worsened], Severity.ERROR), countOf([worsened], Severity.WARNING)]).toEqual([1, 0]);
  });
});

describe("evidencePatch", () => {
  const group = item("bad run", "x", Severity.ERROR, 30);
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
