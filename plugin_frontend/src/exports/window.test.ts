import { expect, it } from "vitest";
import type { FocusData } from "../render/types";
import { windowOf } from "./window";

const data = { keys: 100, queries: 50 } as FocusData;

it("takes in every cell of which a part is in sight", () => {
  expect(windowOf(data, null)).toEqual({ key: 0, query: 0, keys: 100, queries: 50 });
  expect(windowOf(data, { key: 10.5, query: 4, keys: 20, queries: 10 })).toEqual({ key: 10, query: 4, keys: 21, queries: 10 });
});

it("stays inside the map", () => {
  expect(windowOf(data, { key: 95, query: 49.5, keys: 400, queries: 3 })).toEqual({ key: 95, query: 49, keys: 5, queries: 1 });
  expect(windowOf(data, { key: -3, query: -1, keys: 200, queries: 200 })).toEqual({ key: 0, query: 0, keys: 100, queries: 50 });
});
