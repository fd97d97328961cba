import { describe, expect, it } from "vitest";
import { Severity } from "../data/types";
import { defaultRuns } from "./default_runs";
import { series } from "./testing";

const run = (name: string, sessionStart: number, severity: Severity = Severity.NONE) => ({
  name,
  series: series({ id: name, sessionStart, steps: [0, 1], severities: [Severity.NONE, severity] }),
});

describe("defaultRuns", () => {
  it("takes the runs that were started last, not the first by name", () => {
    const day = 86_400;
    expect(defaultRuns([run("a", 0), run("b", day), run("c", 4 * day), run("d", 2 * day), run("e", 3 * day)])).toEqual(["c", "e", "d"]);
  });

  it("takes a sweep that was started at once in the order of names", () => {
    expect(defaultRuns([run("lr3", 1030), run("lr1", 1000), run("lr2", 1070), run("lr4", 1010), run("old", 5)])).toEqual(["lr1", "lr2", "lr3"]);
  });

  it("has one with an anomaly among them, and only as the last", () => {
    const old = [run("a", 1e6), run("b", 2e6), run("c", 3e6)];
    expect(defaultRuns([run("bad", 10, Severity.ERROR), run("worse", 5000, Severity.WARNING), ...old])).toEqual(["c", "b", "worse"]);
    expect(defaultRuns([run("bad", 10, Severity.ERROR), ...old.slice(0, 2), run("d", 4e6, Severity.WARNING)])).toEqual(["d", "b", "a"]);
    expect(defaultRuns([run("note", 10, Severity.INFO), ...old])).toEqual(["c", "b", "a"]);
  });

  it("takes what there is", () => {
    expect(defaultRuns([])).toEqual([]);
    expect(defaultRuns([run("bad", 1, Severity.ERROR)])).toEqual(["bad"]);
  });
});
