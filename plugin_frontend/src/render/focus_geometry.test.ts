import { describe, expect, it } from "vitest";
import {
  cameraFor,
  cellAt,
  cellsInSight,
  clampCamera,
  fitCamera,
  heightFor,
  labelFont,
  labelStride,
  markAt,
  maskedRuns,
  panCamera,
  viewOf,
  zoomCamera,
  type FocusFrame,
} from "./focus_geometry";
import { labelledPlaces } from "./focus_marks";

const frame: FocusFrame = { queries: 1000, keys: 2000, left: 100, top: 50, width: 500, height: 400, bars: 0 };

it("knows the cells in sight, also of a map in blocks whose last cell is not full", () => {
  const all = { keys: 2000, queries: 1000 };
  const camera = { cell: 1, row: 2, key: 33.5, query: 10 };
  expect(cellsInSight(frame, camera, all, 1)).toEqual({ key: 33, query: 10, keys: 501, queries: 200 });
  expect(cellsInSight(frame, camera, { keys: 125, queries: 63 }, 16)).toEqual({ key: 2, query: 0, keys: 32, queries: 14 });
  const end = { cell: 1, row: 2, key: 1500, query: 800 };
  expect(cellsInSight(frame, end, { keys: 125, queries: 63 }, 16)).toEqual({ key: 93, query: 50, keys: 32, queries: 13 });
});

describe("camera", () => {
  it("fits the whole map, and a small one without giant cells", () => {
    expect(viewOf(frame, fitCamera(frame))).toEqual({ key: 0, query: 0, keys: 2000, queries: 1000 });
    expect(fitCamera({ ...frame, queries: 2, keys: 2 }).cell).toBe(44);
  });

  it("knows the height at which square cells fill the width, within bounds", () => {
    expect(heightFor({ ...frame, width: 400, queries: 33, keys: 33 })).toBe(400);
    expect(heightFor({ ...frame, width: 400, queries: 10, keys: 20 })).toBe(200);
    expect(heightFor({ ...frame, width: 400, queries: 2, keys: 2 })).toBe(88);
  });

  it("stretches the short side of a very oblong map, and none but that", () => {
    const oblong = { ...frame, queries: 64, keys: 32_768, width: 900 };
    const fit = fitCamera({ ...oblong, height: 1000 });
    expect(fit.cell * 32_768).toBeCloseTo(900);
    expect(fit.row * 64).toBeCloseTo(360);
    expect(fitCamera({ ...oblong, height: 200 }).row * 64).toBeCloseTo(200);
    expect(heightFor(oblong)).toBe(360);
    const tall = fitCamera({ ...frame, queries: 32_768, keys: 64, height: 900, width: 1000 });
    expect([tall.row * 32_768, tall.cell * 64].map(Math.round)).toEqual([900, 360]);
    const few = fitCamera({ ...oblong, queries: 2, height: 1000 });
    expect(few.row).toBe(14);
    const near = fitCamera({ ...frame, queries: 500, keys: 2000 });
    expect(near.row).toBe(near.cell);
  });

  it("zooms both ways until cells are as large as they may be", () => {
    const oblong = { ...frame, queries: 64, keys: 32_768, width: 900, height: 400 };
    const close = zoomCamera(oblong, fitCamera(oblong), 1e6, 500, 200);
    expect([close.cell, close.row]).toEqual([44, 44]);
  });

  it("zooms about the pointed-at cell", () => {
    const camera = zoomCamera(frame, fitCamera(frame), 8, 300, 150);
    const before = cellAt(frame, fitCamera(frame), 300, 150);
    expect(camera.cell).toBeCloseTo(2);
    expect(cellAt(frame, camera, 300, 150)).toEqual(before);
  });

  it("never leaves the map", () => {
    const camera = zoomCamera(frame, fitCamera(frame), 8, 300, 150);
    const far = panCamera(frame, camera, -1e6, -1e6);
    const view = viewOf(frame, far);
    expect(view.key + view.keys).toBeCloseTo(2000);
    expect(view.query + view.queries).toBeCloseTo(1000);
    expect(panCamera(frame, camera, 1e6, 1e6)).toMatchObject({ key: 0, query: 0 });
    expect(clampCamera(frame, { cell: 1e-9, row: 1e-9, key: 5, query: 5 })).toEqual(fitCamera(frame));
    expect(clampCamera(frame, { cell: 1e9, row: 1e9, key: 0, query: 0 }).cell).toBe(44);
  });

  it("shows the part that is asked for", () => {
    const view = viewOf(frame, cameraFor(frame, { key: 500, query: 300, keys: 50, queries: 20 }));
    expect(view.key).toBe(500);
    expect(view.query).toBe(300);
    expect(view.keys).toBeGreaterThanOrEqual(50);
    expect(view.queries).toBeGreaterThanOrEqual(20);
  });
});

describe("pointing", () => {
  const small: FocusFrame = { ...frame, queries: 10, keys: 5 };
  const camera = fitCamera(small);

  it("finds cells and nothing beside the map", () => {
    expect(cellAt(small, camera, 100, 50)).toEqual({ key: 0, query: 0 });
    expect(cellAt(small, camera, 100 + 4.5 * camera.cell, 50 + 9.5 * camera.cell)).toEqual({ key: 4, query: 9 });
    expect(cellAt(small, camera, 100 + 5.1 * camera.cell, 60)).toBeNull();
  });

  it("takes a token on an axis for its row or column", () => {
    expect(markAt(small, camera, 20, 50 + 2.5 * camera.cell)).toEqual({ query: 2, key: null });
    expect(markAt(small, camera, 100 + 3.5 * camera.cell, 10)).toEqual({ query: null, key: 3 });
    expect(markAt(small, camera, 20, 20)).toBeNull();
  });
});

describe("labels", () => {
  it("keep apart", () => {
    expect(labelStride(20)).toBe(1);
    expect(labelStride(7)).toBe(2);
    for (const cell of [0.01, 0.1, 0.3, 1, 3, 9.9, 10, 40]) {
      expect(labelStride(cell) * cell).toBeGreaterThanOrEqual(labelFont(cell) + 1);
    }
    expect([labelFont(10), labelFont(11), labelFont(30)]).toEqual([9, 10, 11]);
  });

  it("make room for the pointed-at one, which comes last", () => {
    expect(labelledPlaces(0, 5, 1, 2)).toEqual([0, 1, 3, 4, 2]);
    expect(labelledPlaces(3, 31, 10, 19)).toEqual([30, 19]);
    expect(labelledPlaces(0, 21, 10, null)).toEqual([0, 10, 20]);
    expect(labelledPlaces(0, 5, 1, 9)).toEqual([0, 1, 2, 3, 4]);
  });
});

it("finds runs of padding", () => {
  expect(maskedRuns(Uint8Array.from([0, 0, 1, 0]), 4)).toEqual([
    [0, 2],
    [3, 4],
  ]);
  expect(maskedRuns(null, 4)).toEqual([]);
});
