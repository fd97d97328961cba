import { describe, expect, it } from "vitest";
import { sliceAxis, tokenAxis } from "../base/axis";
import { windowEdges } from "./focus_marks";

describe("windowEdges", () => {
  const square = { queryAxis: tokenAxis(10), keyAxis: tokenAxis(10), window: 3 };

  it("holds the token itself and those before it", () => {
    expect(windowEdges({ ...square, diagonal: 0 }, 5)).toEqual({ from: 3, to: 6 });
    expect(windowEdges({ ...square, diagonal: 0 }, 1)).toEqual({ from: 0, to: 2 });
  });

  it("goes both ways where nothing forbids looking ahead", () => {
    expect(windowEdges({ ...square, diagonal: null }, 5)).toEqual({ from: 3, to: 8 });
    expect(windowEdges({ ...square, diagonal: null }, 9)).toEqual({ from: 7, to: 10 });
  });

  it("counts positions, not rows, where only some were kept", () => {
    const some = { queryAxis: tokenAxis(10, 1, [4, 8]), keyAxis: tokenAxis(10), window: 2, diagonal: 0 };
    expect(windowEdges(some, 1)).toEqual({ from: 7, to: 9 });
  });

  it("begins at the next key where the first one is not in the map", () => {
    const cut = { queryAxis: tokenAxis(10), keyAxis: sliceAxis(tokenAxis(10), 4, 10), window: 3, diagonal: 0 };
    expect(windowEdges(cut, 4)).toEqual({ from: 0, to: 1 });
    const aside = { queryAxis: tokenAxis(10), keyAxis: tokenAxis(10, 1, [0, 1, 2, 3, 5, 6, 7, 8, 9]), window: 3, diagonal: 0 };
    expect(windowEdges(aside, 6)).toEqual({ from: 4, to: 6 });
  });

  it("takes a block in that holds any key of the window", () => {
    const blocks = { queryAxis: tokenAxis(16, 4), keyAxis: tokenAxis(16, 4), window: 4, diagonal: 0 };
    expect(windowEdges(blocks, 2)).toEqual({ from: 1, to: 3 });
  });
});
