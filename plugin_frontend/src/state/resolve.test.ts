import { describe, expect, it, vi } from "vitest";
import { Kind, Severity } from "../data/types";
import { sessionsOf } from "./catalog";
import { effectivePins, isAbsent, recordAt, resolve, standIns } from "./resolve";
import { DEFAULT_SELECTION } from "./selection";
import { index, series } from "./testing";

const two = index({
  a: [series({ id: "a" })],
  b: [series({ id: "b", steps: [50, 150, 300], examples: 1 })],
});

describe("resolve", () => {
  it("follows the newest step of the visible runs", () => {
    expect(resolve(two, DEFAULT_SELECTION)).toMatchObject({ runs: ["a", "b"], run: "a", step: 300, examples: 2 });
  });

  it("keeps a chosen step when the run grows", () => {
    const grown = index({ a: [series({ id: "a", steps: [0, 100, 200, 300] })] });
    expect(resolve(grown, { ...DEFAULT_SELECTION, step: 100 }).step).toBe(100);
  });

  it("takes the nearest step that exists", () => {
    expect(resolve(two, { ...DEFAULT_SELECTION, step: 190 }).step).toBe(200);
  });

  it("shows no more runs than fit before any was chosen", () => {
    const many = index(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`r${i}`, [series()]])));
    expect(resolve(many, DEFAULT_SELECTION).runs).toEqual(["r0", "r1", "r2"]);
    expect(resolve(many, { ...DEFAULT_SELECTION, runs: ["r8", "r4"] }).runs).toEqual(["r4", "r8"]);
  });

  it("prefers the name that most runs have logged, and the runs that have it", () => {
    const mixed = index({
      a: [series({ name: "alone" })],
      b: [series({ name: "probe" })],
      c: [series({ name: "probe" }), series({ name: "alone too" })],
    });
    expect(resolve(mixed, DEFAULT_SELECTION)).toMatchObject({ runs: ["b", "c"], name: "probe" });
    expect(resolve(mixed, { ...DEFAULT_SELECTION, name: "alone" })).toMatchObject({ runs: ["a"], name: "alone" });
  });

  it("ignores runs that the index does not hold, and says so", () => {
    const found = resolve(two, { ...DEFAULT_SELECTION, runs: ["../../etc", "b"], run: "nobody" });
    expect(found.runs).toEqual(["b"]);
    expect(found.run).toBe("b");
    expect(found.missing.map((one) => one.value)).toEqual(["nobody", "../../etc"]);
  });

  it("does not complain while the first scan goes on", () => {
    const early = index({}, { scanning: true });
    expect(resolve(early, { ...DEFAULT_SELECTION, run: "x" }).missing).toEqual([]);
  });

  it("bounds the example", () => {
    expect(resolve(two, { ...DEFAULT_SELECTION, example: 99 }).example).toBe(1);
  });

  it("offers only views that have data", () => {
    expect(resolve(two, { ...DEFAULT_SELECTION, view: "anomalies" })).toMatchObject({
      views: ["attention", "heads"],
      view: "attention",
    });
    const flagged = index({
      a: [
        series({ severities: [Severity.NONE, Severity.ERROR, Severity.NONE] }),
        series({ kind: Kind.ATTRIBUTION, name: "grad" }),
      ],
    });
    expect(resolve(flagged, DEFAULT_SELECTION).views).toEqual(["attention", "heads", "attributions", "anomalies"]);
  });

  it("takes the session that was chosen for a run", () => {
    const restarted = index({
      a: [
        series({ id: "old", session: "1", newest: false, steps: [0, 10] }),
        series({ id: "new", session: "2", sessionStart: 2, steps: [0, 20] }),
      ],
    });
    const record = (selection: typeof DEFAULT_SELECTION): string | undefined =>
      recordAt(restarted, selection, "a", Kind.ATTENTION, "probe", 20)?.series.id;
    expect(record(DEFAULT_SELECTION)).toBe("new");
    expect(record({ ...DEFAULT_SELECTION, sessions: { a: "1" } })).toBe("old");
    expect(record({ ...DEFAULT_SELECTION, sessions: { a: "404" } })).toBe("new");
  });
});

describe("recordAt", () => {
  it("is the last record at or before the step", () => {
    expect(recordAt(two, DEFAULT_SELECTION, "b", Kind.ATTENTION, "probe", 200)).toMatchObject({ ordinal: 1, step: 150 });
    expect(recordAt(two, DEFAULT_SELECTION, "b", Kind.ATTENTION, "probe", 10)).toBeUndefined();
  });

  it("takes the later of two records of one step, and copes with steps that go back", () => {
    const odd = index({ a: [series({ steps: [0, 10, 10, 5] })] });
    expect(recordAt(odd, DEFAULT_SELECTION, "a", Kind.ATTENTION, "probe", 10)?.ordinal).toBe(2);
    expect(recordAt(odd, DEFAULT_SELECTION, "a", Kind.ATTENTION, "probe", 7)?.ordinal).toBe(3);
  });
});

describe("effectivePins", () => {
  it("compares the start with what is shown when nothing was pinned", () => {
    const resolved = resolve(two, DEFAULT_SELECTION);
    expect(effectivePins(two, DEFAULT_SELECTION, resolved)).toEqual({
      a: { run: "a", step: 0 },
      b: { run: "a", step: 300 },
    });
  });

  it("drops a pin on a run that is gone", () => {
    const selection = { ...DEFAULT_SELECTION, a: { run: "gone", step: 7 }, b: { run: "b", step: 150 } };
    expect(effectivePins(two, selection, resolve(two, selection))).toEqual({
      a: { run: "a", step: 0 },
      b: { run: "b", step: 150 },
    });
  });
});

describe("records of several workers", () => {
  // Ordinals: step 0 of workers 0, 1; step 10 of workers 0, 1, 0 (again); step 20 of worker 1.
  const shared = index({ a: [series({ steps: [0, 0, 10, 10, 10, 20], workers: [0, 1, 0, 1, 0, 1] })] });
  const at = (step: number, worker: number | null): number | undefined =>
    recordAt(shared, { ...DEFAULT_SELECTION, worker }, "a", Kind.ATTENTION, "probe", step)?.ordinal;

  it("are the first one's, or the chosen one's where it logged the step", () => {
    expect([at(0, null), at(0, 0), at(0, 1), at(0, 7)]).toEqual([0, 0, 1, 0]);
    expect([at(20, null), at(20, 0)]).toEqual([5, 5]);
  });

  it("are the later of two that one worker logged at the same step", () => {
    expect([at(10, null), at(10, 1), at(15, null)]).toEqual([4, 3, 4]);
  });
});

describe("sessionsOf", () => {
  it("is a choice only where something was logged again", () => {
    const shared = series({ id: "m", session: "1" });
    const alone = series({ id: "l", session: "2", kind: Kind.ANOMALY, name: "log" });
    expect(sessionsOf([shared, alone])).toHaveLength(1);
    const again = series({ id: "n", session: "3", sessionStart: 9 });
    expect(sessionsOf([shared, alone, again]).map(({ id }) => id)).toEqual(["1", "3"]);
  });
});

describe("a run that vanishes while it is watched", () => {
  it("makes room for one that is there, and is named", () => {
    const chosen = { ...DEFAULT_SELECTION, runs: ["gone"], run: "gone", a: { run: "gone", step: 0 } };
    const resolved = resolve(two, chosen);
    expect(resolved).toMatchObject({ runs: ["a", "b"], run: "a", step: 300 });
    expect(resolved.missing).toEqual([{ what: "run", value: "gone" }]);
    const pins = effectivePins(two, chosen, resolved);
    expect(pins?.a.run).toBe("a");
    expect(standIns(two, chosen, pins)).toEqual([{ pin: "a", wanted: { run: "gone", step: 0 }, shown: pins?.a }]);
    expect(standIns(two, { ...chosen, a: { run: "b", step: 0 } }, pins)).toEqual([]);
    expect(isAbsent(index({}, { scanning: true }), chosen.a)).toBe(false);
  });
});

describe("a run of very many steps", () => {
  const steps = Array.from({ length: 200_000 }, (_, i) => i);

  it("is shown, and compared with its first step", () => {
    const long = index({ a: [series({ steps, mapStates: [], severities: [], wallTimes: [] })] });
    const resolved = resolve(long, DEFAULT_SELECTION);
    expect(resolved).toMatchObject({ run: "a", step: 199_999 });
    expect(effectivePins(long, DEFAULT_SELECTION, resolved)?.a.step).toBe(0);
  });
});

describe("what is looked up at every move", () => {
  it("is put in order once", () => {
    const one = series({ steps: [0, 10, 20] });
    const read = vi.spyOn(one.steps as number[], "forEach");
    const small = index({ a: [one] });
    const ticks = [0, 10, 20].map((step) => {
      expect(recordAt(small, DEFAULT_SELECTION, "a", Kind.ATTENTION, "probe", step)?.step).toBe(step);
      return resolve(small, { ...DEFAULT_SELECTION, step }).ticks;
    });
    expect(new Set(ticks).size).toBe(1);
    // For the records and for the axis.
    expect(read).toHaveBeenCalledTimes(2);
  });
});
