import { expect, it } from "vitest";
import { placesOf, type ChangesData } from "../../data/heads";
import { similarData } from "../../data/similar";
import { csv } from "../../exports/csv";
import { matchedHeads, mostChanged, rankedHeads, type RunHeads } from "../../state/heads";
import { mostAlike } from "../../state/similar";
import { series } from "../../state/testing";
import { SimilarResponse } from "../../gen/testing/tb_llmdebug/plugin/view_pb";
import { alikeTable, changesTable, finderTable, matchesTable, type Sides } from "./list_entries";

const lines = (table: Parameters<typeof csv>[0]): string[] => csv(table).trim().split("\r\n");
const third = Math.fround(1 / 3);

it("the finder: every head by rank, of how many, with the spread where values are means", () => {
  const layers = [{ layer: 4, label: "", heads: [0, 1, 2] }];
  const data = {
    series: "s", example: 2 as number | null, count: 1, steps: [30], names: ["entropy"], layers, places: placesOf(layers),
    values: Float32Array.of(third, 2, 2), spreads: null as Float32Array | null, gaps: new Uint8Array(1), problems: [],
  };
  const run: RunHeads = { run: "a,b", series: series({ steps: [30] }), data, names: ["entropy"] };
  const ranked = rankedHeads(run, 35, "entropy", false);
  expect(lines(finderTable(run, 0, "entropy", ranked))).toEqual([
    "run,step,example,rank,of,layer,head,entropy",
    '"a,b",30,2,1,3,4,1,2',
    '"a,b",30,2,1,3,4,2,2',
    '"a,b",30,2,3,3,4,0,0.33333334',
  ]);
  const means = { ...run, data: { ...data, example: null, spreads: Float32Array.of(0.5, 0.25, NaN) } };
  expect(lines(finderTable(means, 0, "entropy", ranked))).toEqual([
    "run,step,example,rank,of,layer,head,entropy,entropy spread",
    '"a,b",30,mean,1,3,4,1,2,0.25',
    '"a,b",30,mean,1,3,4,2,2,NaN',
    '"a,b",30,mean,3,3,4,0,0.33333334,0.5',
  ]);
});

it("heads that are alike: rank, the other one, distance, floor and whether it is below", () => {
  const heads = [
    { layer: 0, head: 1, otherLayer: 2, otherHead: 3, distance: third, floor: 0.25 },
    { layer: 1, head: 0, otherLayer: 0, otherHead: 1, distance: 0.125, floor: 0.25 },
    { layer: 2, head: 0, alone: true },
  ];
  const data = similarData(SimilarResponse.fromPartial({ heads, examples: 6 }));
  const ref = { series: "s", ordinal: 1, example: null, step: 10 };
  expect(lines(alikeTable({ run: "r", ref, data }, mostAlike(data)))).toEqual([
    "run,step,example,examples,rank,of,layer,head,similar layer,similar head,distance,floor,below floor",
    "r,10,mean,6,1,2,1,0,0,1,0.125,0.25,1",
    "r,10,mean,6,2,2,0,1,2,3,0.33333334,0.25,0",
  ]);
});

const sides: Sides = { a: { run: "one", step: 0 }, b: { run: "two", step: 50 } };
const changes: ChangesData = {
  error: null, examples: 6, noMatches: null,
  layers: [{ layer: 3, heads: [0, 1, 2], mean: [0.125, NaN, third], spread: [0.0625, NaN, 0.5], floor: 0.25 }],
  matches: [{ layer: 3, head: 0, other: 2, distance: 0.125 }, { layer: 3, head: 2, other: 0, distance: third }],
};

it("heads that changed: both records, rank, mean, spread, floor; those without a distance have no rank", () => {
  expect(lines(changesTable(sides, changes, mostChanged(changes)))).toEqual([
    "run A,step A,run B,step B,examples,rank,of,layer,head,mean distance,spread,floor,below floor",
    "one,0,two,50,6,1,2,3,2,0.33333334,0.5,0.25,0",
    "one,0,two,50,6,2,2,3,0,0.125,0.0625,0.25,1",
    "one,0,two,50,6,,2,3,1,NaN,NaN,0.25,0",
  ]);
});

it("heads that are matched: both numbers, distance, floor and whether it is below", () => {
  expect(lines(matchesTable(sides, changes, matchedHeads(changes)))).toEqual([
    "run A,step A,run B,step B,examples,layer,head A,head B,distance,floor,below floor",
    "one,0,two,50,6,3,0,2,0.125,0.25,1",
    "one,0,two,50,6,3,2,0,0.33333334,0.25,0",
  ]);
});
