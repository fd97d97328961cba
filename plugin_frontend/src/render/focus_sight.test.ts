import { describe, expect, it } from "vitest";
import { cameraFor, fitCamera, panCamera, viewOf, zoomCamera, type FocusFrame } from "./focus_geometry";
import { FocusSight, pannedView, sameZoom, zoomedView } from "./focus_sight";

const frame: FocusFrame = { queries: 1000, keys: 1000, left: 100, top: 50, width: 500, height: 500, bars: 0 };
const part = { key: 100, query: 200, keys: 400, queries: 400 };

describe("views by key", () => {
  it("are a quarter on, at least a cell, and stop at the edge", () => {
    expect(pannedView(part, 0.25, 0)).toEqual({ ...part, key: 200 });
    expect(pannedView(part, 0, -0.25)).toEqual({ ...part, query: 100 });
    expect(pannedView({ ...part, keys: 2 }, -0.25, 0).key).toBe(99);
    expect(viewOf(frame, cameraFor(frame, pannedView({ ...part, key: 580 }, 0.25, 0))).key).toBeCloseTo(600);
    expect(viewOf(frame, cameraFor(frame, pannedView(part, -0.5, 0))).key).toBe(0);
  });

  it("are enlarged about the middle, or about the locked cell", () => {
    expect(zoomedView(part, 2, null)).toEqual({ key: 200, query: 300, keys: 200, queries: 200 });
    expect(zoomedView(part, 2, { query: 210, key: 110 })).toEqual({ key: 10.5, query: 110.5, keys: 200, queries: 200 });
  });
});

describe("the part in sight", () => {
  it("tells what a reader sees, and null where that is all", () => {
    const sight = new FocusSight();
    sight.place(frame);
    expect(sight.isWhole(frame)).toBe(true);
    const seen = sight.move(frame, zoomCamera(frame, sight.camera, 2.5, 350, 300));
    expect(seen).toMatchObject({ keys: 400, queries: 400 });
    expect(sight.isWhole(frame)).toBe(false);
    expect(sight.move(frame, panCamera(frame, sight.camera, -50, 0))?.key).toBeCloseTo((seen?.key ?? 0) + 40);
    expect(sight.move(frame, fitCamera(frame))).toBeNull();
  });

  it("is drawn from what a link will say, so that the link is drawn alike", () => {
    const [sight, linked] = [new FocusSight(), new FocusSight()];
    sight.place(frame);
    const seen = sight.move(frame, zoomCamera(frame, sight.camera, Math.E, 333.3, 222.2));
    if (seen === null) throw new Error("a part was asked for");
    linked.want(JSON.parse(JSON.stringify(seen)) as typeof seen);
    linked.place(frame);
    expect(linked.camera).toEqual(sight.camera);
    const cells = [seen.key, seen.query, seen.keys, seen.queries];
    expect(cells.map((one) => Number(one.toFixed(3)))).toEqual(cells);
    expect(sameZoom(zoomCamera(frame, sight.camera, 1.0001, 300, 300), sight.camera)).toBe(true);
    expect(sameZoom(zoomCamera(frame, sight.camera, 1.01, 300, 300), sight.camera)).toBe(false);
  });

  it("keeps what was asked for before the plot had a size, and when it gets another", () => {
    const sight = new FocusSight();
    expect(sight.want(part)).toBe(true);
    sight.place({ ...frame, width: 1, height: 1 });
    sight.place(frame);
    expect(viewOf(frame, sight.camera)).toEqual(part);
    const narrow = { ...frame, width: 250, height: 250 };
    sight.place(narrow);
    expect(viewOf(narrow, sight.camera)).toEqual(part);
    expect(sight.want(part)).toBe(false);
  });

  it("is the whole of a map that has less than what was asked for", () => {
    const small = { ...frame, queries: 10, keys: 10 };
    const sight = new FocusSight();
    sight.want(part);
    sight.place(small);
    expect(sight.isWhole(small)).toBe(true);
    expect(sight.camera).toMatchObject({ key: 0, query: 0 });
  });
});
