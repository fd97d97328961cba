import { expect, it } from "vitest";
import type { HeadPicture } from "../../data/multiples";
import { csv } from "../../exports/csv";
import { stepsTable } from "./exporting";
import type { Shown } from "./rows";

const picture = (step: number, patch: Partial<HeadPicture>): HeadPicture => ({
  strip: "s", ordinal: 0, step, mapState: 1, error: null, rows: 1, cols: 1, pooledRows: 1, pooledKeys: 1, codes: Uint8Array.of(255), peak: 0.5,
  notFinite: false, values: new Map([["entropy", step / 8]]), input: "", aside: [], asideMass: NaN, padding: { top: 0, bottom: 0, left: 0, right: 0 }, ...patch,
});
const pictures = [picture(0, {}), picture(10, { codes: null }), picture(20, { error: "damaged" }), undefined, picture(40, { aside: [0], asideMass: 0.25 }), picture(50, {})];
const shown = { rows: [{ run: "=a" }], steps: [0, 10, 20, 30, 40, 50], at: { layer: 1, head: 2 } } as unknown as Shown;

it("a row per run and step in sight; a step without a map has its statistics alone", () => {
  const lines = csv(stepsTable(shown, { first: 0, end: 5 }, ({ column }) => pictures[column])).split("\r\n");
  expect(lines).toEqual([
    "run,step,layer,head,map,largest weight,set aside,entropy",
    "'=a,0,1,2,1,0.5,,0",
    "'=a,10,1,2,0,,,1.25",
    "'=a,40,1,2,1,0.5,0.25,5",
    "",
  ]);
});
