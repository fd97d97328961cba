import { expect, it } from "vitest";
import { attentionSteps } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import { csv } from "../../exports/csv";
import type { Lesson } from "../../state/teaching_loader";
import { keysInFigure, keysTable } from "./exporting";

const vectors: RowVectors = {
  keys: 2, size: 1, valueSize: 1, q: Float32Array.of(1), k: Float32Array.of(2, -1), v: Float32Array.of(1, 3),
  scale: 0.5, scaleFitted: false, softcap: 0, sink: null, masked: Uint8Array.of(0, 1), bias: null, weights: Float32Array.of(1, 0), codec: 0,
};
const lesson = { overview: { keyTokens: { text: ["=the", "fox"] } } } as unknown as Lesson;

it("a row per key with the numbers of every step, masked ones too", () => {
  const text = csv(keysTable({ lesson, vectors, steps: attentionSteps(vectors) }));
  expect(text.split("\r\n")).toEqual([
    "key,token,masked,q.k,scaled,logit,exp(z-m),weight,length of w v,stored weight",
    "0,'=the,0,2,1,1,1,1,1,1",
    "1,fox,1,-1,-0.5,-inf,0,0,0,0",
    "",
  ]);
});

it("a figure has room for so many keys, the one that is looked at among them", () => {
  expect(keysInFigure(10, 3)).toEqual({ first: 0, end: 10 });
  for (const chosen of [0, 500, 999]) {
    const { first, end } = keysInFigure(1000, chosen);
    expect(end - first).toBe(56);
    expect(chosen >= first && chosen < end).toBe(true);
  }
});
