import { describe, expect, it } from "vitest";
import { DEFAULT_SELECTION, type Selection } from "./selection";
import { decodeSelection, encodeSelection, mergeHash } from "./urlcodec";

const everything: Selection = {
  view: "anomalies",
  runs: ["a,b", "c:d", "运行/1"],
  run: "c:d",
  name: "x&y=z#?",
  attribution: "grad",
  example: 3,
  step: -5,
  layer: 0,
  head: 11,
  query: 0,
  key: 7,
  a: { run: "a,b", step: 0 },
  b: { run: "运:行", step: 1200 },
  difference: true,
  sessions: { "a,b": "1:2", "c:d": "9" },
  worker: 3,
  scale: "linear",
  peak: "absolute",
  exposure: 4,
  differenceEnd: 0.15,
  pool: "mean",
  norm: "step",
  table: true,
  filter: "^lr=\\d+",
  lossTag: "loss/train",
  lens: { sinks: "shown", mass: 90, lens: "rollout" },
  heads: {
    statistic: "distance",
    tool: "matches",
    mean: true,
    x: { statistic: "first_token", moment: "a" },
    y: { statistic: "first_token", moment: "b" },
    colour: "layer",
    ascending: true,
    folded: true,
    top: 25,
    other: 7,
  },
  teaching: { step: "softmax", place: 1 },
  multiples: { on: true },
  playing: { speed: 10, loop: false },
  tableStatistic: "first_token",
  viewport: { key: 12.5, query: 0, keys: 300.125, queries: 64 },
};

describe("the URL hash", () => {
  it("brings every field back", () => {
    expect(decodeSelection(mergeHash("", everything))).toEqual(everything);
  });

  it("holds only what is not the default", () => {
    expect(encodeSelection(DEFAULT_SELECTION)).toEqual([]);
    expect(encodeSelection({ ...DEFAULT_SELECTION, layer: 0 })).toEqual(["p.llmdebug.layer=0"]);
  });

  it("leaves the host's own keys alone and replaces ours", () => {
    const hash = mergeHash("#llmdebug&p.llmdebug.layer=4&other=1", { ...DEFAULT_SELECTION, layer: 2 });
    expect(hash).toBe("#llmdebug&other=1&p.llmdebug.layer=2");
    expect(mergeHash("#llmdebug&p.llmdebug.layer=4", DEFAULT_SELECTION)).toBe("#llmdebug");
  });

  it.each([
    ["p.llmdebug.layer=-1"],
    ["p.llmdebug.layer=1e9"],
    ["p.llmdebug.layer=99999999999"],
    ["p.llmdebug.layer=NaN"],
    ["p.llmdebug.step=9007199254740993"],
    ["p.llmdebug.view=%3Cscript%3E"],
    ["p.llmdebug.exposure=1000000"],
    ["p.llmdebug.end=0"],
    ["p.llmdebug.end=1.5"],
    ["p.llmdebug.end=-0.5"],
    ["p.llmdebug.end=NaN"],
    ["p.llmdebug.name=%E0%A4%A"],
    ["p.llmdebug.a=12"],
    ["p.llmdebug.a=x:run"],
    ["p.llmdebug.__proto__=1"],
    [`p.llmdebug.name=${"x".repeat(5000)}`],
    ["p.llmdebug.layer"],
    ["p.llmdebug.statistic=%3Cscript%3E"],
    [`p.llmdebug.statistic=${"x".repeat(65)}`],
    ["p.llmdebug.part=1,2,3"],
    ["p.llmdebug.part=1,2,3,4,5"],
    ["p.llmdebug.part=-1,2,3,4"],
    ["p.llmdebug.part=0,0,0,10"],
    ["p.llmdebug.part=0,0,10,NaN"],
    ["p.llmdebug.part=0,0,1e9,10"],
    ["p.llmdebug.part=0,0,99999999,10"],
    ["p.llmdebug.part=0,0,Infinity,10"],
    ["p.llmdebug.playing=1000;forever"],
  ])("ignores %s", (hash) => {
    expect(decodeSelection(`#${hash}`)).toEqual(DEFAULT_SELECTION);
  });

  it("keeps a hostile run name from reaching the prototype", () => {
    const { sessions } = decodeSelection("#p.llmdebug.sessions=__proto__%3A1");
    expect(Object.getPrototypeOf(sessions)).toBe(Object.prototype);
    expect(Object.keys(sessions)).toEqual(["__proto__"]);
  });

  it("bounds the number of runs", () => {
    const many = Array.from({ length: 500 }, (_, i) => `r${i}`).join(",");
    expect(decodeSelection(`#p.llmdebug.runs=${encodeURIComponent(many)}`).runs).toHaveLength(64);
  });
});
