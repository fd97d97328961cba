import { describe, expect, it } from "vitest";
import { visibleLabels } from "./grid_marks";

describe("visibleLabels", () => {
  const labels = Array.from({ length: 8 }, (_, i) => ({ number: i, at: 10 * i + 5, shown: i % 2 === 0 }));

  it("makes room for the pointed-at label", () => {
    const drawn = visibleLabels(labels, 35, 8, 14);
    expect(drawn.map(({ number }) => number)).toEqual([0, 3, 6]);
    expect(drawn.filter(({ emphasised }) => emphasised).map(({ number }) => number)).toEqual([3]);
  });

  it("draws the thinned-out ones otherwise", () => {
    expect(visibleLabels(labels, null, 8, 14).map(({ number }) => number)).toEqual([0, 2, 4, 6]);
  });
});
