import { expect, it } from "vitest";
import { Kind, Severity, type AnomalyGroupInfo, type AnomalyInfo, type AttributionStepInfo } from "../data/types";
import { csv } from "../exports/csv";
import { anomaliesTable, scoresTable } from "./tables";

const none = new Uint8Array();
const strip = (step: number): AttributionStepInfo => ({
  step, ordinal: 0, method: "gradient x input", rule: "", quadratureSteps: 0, baseline: "", target: "=next", output: 2, baselineOutput: null, delta: null,
  scores: Float32Array.of(0.5, -1), tokens: { text: ["-a", " b\0"], ids: [], special: none, part: none, parts: none },
});

it("scores are a row per step and token, raw and signed; no text is a formula", () => {
  const text = csv(scoresTable(new Map([["run", { error: null, steps: [strip(10), strip(0)] }]])));
  expect(text.split("\r\n").slice(1, 4)).toEqual([
    "run,0,0,'-a,0.5,'=next,gradient x input,,,2,,",
    'run,0,1," b\u2400",-1,\'=next,gradient x input,,,2,,',
    "run,10,0,'-a,0.5,'=next,gradient x input,,,2,,",
  ]);
});

it("an anomaly says where it was seen first and worst", () => {
  const first: AnomalyInfo = {
    rule: "attention.nan", severity: Severity.WARNING, message: "saw NaN", why: "w", advice: "a", observed: 0.5, threshold: 0,
    example: 0, layer: 1, head: 2, query: null, key: null, headsAffected: 1, headsChecked: 4,
  };
  const group: AnomalyGroupInfo = {
    run: "run", series: "s", name: "decoder", kind: Kind.ATTENTION, firstStep: 10, lastStep: 30, steps: [10, 30], ordinals: [1, 3],
    first, worst: { ...first, severity: Severity.ERROR, observed: 0.9 }, worstOrdinal: 3,
  };
  const { header, rows } = anomaliesTable([group]);
  const cell = (name: string) => rows[0]![header.indexOf(name)];
  expect(rows[0]).toHaveLength(header.length);
  expect([cell("severity"), cell("first step"), cell("worst step"), cell("worst observed"), cell("query")]).toEqual(["error", 10, 30, 0.9, null]);
});
