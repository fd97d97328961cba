import { describe, expect, it } from "vitest";
import { gridLayout, type GridLayerShape } from "./grid_layout";

function layers(count: number, heads: number, queries = 16, keys = 16): GridLayerShape[] {
  const numbers = Array.from({ length: heads }, (_, head) => head);
  return Array.from({ length: count }, (_, layer) => ({ layer, heads: numbers, queries, keys }));
}

describe("gridLayout", () => {
  it.each([
    [1, 1, 600, 400],
    [4, 4, 500, 500],
    [12, 12, 640, 640],
    [32, 32, 700, 700],
    [24, 16, 300, 900],
  ])("fits %i x %i into %i x %i, without overlap", (rows, heads, width, height) => {
    const layout = gridLayout({ width, height, layers: layers(rows, heads) });
    expect(layout.width).toBeLessThanOrEqual(width);
    expect(layout.height).toBeLessThanOrEqual(height);
    expect(layout.cells).toHaveLength(rows * heads);
    const [first, second] = layout.cells;
    if (heads > 1) expect(second!.x - first!.x).toBeGreaterThan(first!.width);
    for (const { x, y, width: size } of layout.cells) {
      expect(x).toBeGreaterThanOrEqual(layout.labelWidth);
      expect(y).toBeGreaterThanOrEqual(layout.labelHeight);
      expect(x + size).toBeLessThanOrEqual(layout.width);
    }
  });

  it("takes more room than offered rather than thumbnails that cannot be seen", () => {
    const layout = gridLayout({ width: 300, height: 300, layers: layers(64, 64) });
    expect(layout.size).toBe(7);
    expect(layout.height).toBeGreaterThan(300);
  });

  it("finds the head at each box and nothing beside ragged rows", () => {
    const shapes: GridLayerShape[] = [
      { layer: 3, heads: [0, 1, 5], queries: 4, keys: 4 },
      { layer: 7, heads: [2], queries: 4, keys: 4 },
    ];
    const layout = gridLayout({ width: 400, height: 300, layers: shapes });
    for (const { layer, head, x, y, width: size } of layout.cells) {
      expect(layout.hitTest(x + size / 2, y + size / 2)).toEqual({ layer, head });
      expect(layout.cellOf({ layer, head })).toMatchObject({ x, y });
    }
    const last = layout.cellOf({ layer: 3, head: 5 })!;
    expect(layout.hitTest(last.x + 1, layout.cellOf({ layer: 7, head: 2 })!.y + 1)).toBeNull();
    expect(layout.hitTest(0, 0)).toBeNull();
    expect(layout.hitTest(-5, 100)).toBeNull();
    expect(layout.cellOf({ layer: 7, head: 5 })).toBeNull();
  });

  it("keeps a rectangular map's proportions inside its box", () => {
    const layout = gridLayout({ width: 200, height: 200, layers: layers(1, 1, 10, 40) });
    const { x, y, width: size, thumb } = layout.cells[0]!;
    expect(thumb.width).toBe(size);
    expect(thumb.height).toBe(Math.round(size / 4));
    expect(thumb.y - y).toBeCloseTo((size - thumb.height) / 2, 0);
    expect(thumb.x).toBe(x);
  });

  it("leaves out labels that would touch", () => {
    const layout = gridLayout({ width: 500, height: 500, layers: layers(64, 64) });
    const shown = layout.rows.filter((row) => row.shown);
    expect(shown.length).toBeLessThan(64);
    expect(shown[1]!.at - shown[0]!.at).toBeGreaterThanOrEqual(11);
  });

  it("survives no layers at all", () => {
    expect(gridLayout({ width: 0, height: 0, layers: [] }).cells).toEqual([]);
  });
});

describe("real architectures", () => {
  const grouped = (count: number, keyValueHeads: number): GridLayerShape[] =>
    layers(count, 4).map((layer) => ({ ...layer, keyValueHeads, ofHeads: 4 }));

  it("puts one row of brackets over heads that share keys in every layer", () => {
    const layout = gridLayout({ width: 300, height: 300, layers: grouped(3, 2) });
    expect(layout.brackets).toHaveLength(2);
    const [first, second] = layout.brackets;
    const under = layout.cells.filter(({ layer, x }) => layer === 0 && x >= first!.x && x < first!.x + first!.width);
    expect(under.map(({ head }) => head)).toEqual([0, 1]);
    expect(first!.x + first!.width).toBeLessThan(second!.x);
    // Under the numbers of the heads, not across them.
    expect(layout.brackets.every(({ y }) => y >= layout.numberHeight && y < layout.labelHeight)).toBe(true);
    expect(gridLayout({ width: 300, height: 300, layers: grouped(3, 4) }).numberHeight).toBe(layout.numberHeight);
    expect(gridLayout({ width: 300, height: 300, layers: grouped(3, 4) }).brackets).toEqual([]);
  });

  it("puts them over each row where layers differ, and finds every head still", () => {
    const [one, two] = [grouped(1, 1)[0]!, { ...grouped(2, 2)[1]! }];
    const layout = gridLayout({ width: 300, height: 200, layers: [one, two] });
    expect(layout.brackets).toHaveLength(3);
    expect(layout.brackets[1]!.y).toBeGreaterThan(layout.cells[3]!.y + layout.cells[3]!.height - 1);
    for (const { layer, head, x, y, width, height } of layout.cells) {
      expect(layout.hitTest(x + width / 2, y + height / 2)).toEqual({ layer, head });
    }
    expect(layout.height).toBeLessThanOrEqual(200);
  });

  it("keeps a low row for a layer without a map, which is no head", () => {
    const [a, , c] = layers(3, 4);
    const without: GridLayerShape = { layer: 1, heads: [], queries: 1, keys: 1, withoutMap: "linear layer, no map" };
    const layout = gridLayout({ width: 300, height: 300, layers: [a!, without, c!] });
    expect(layout.rows.map(({ number }) => number)).toEqual([0, 1, 2]);
    const [row] = layout.emptyRows;
    expect(row!.text).toBe("linear layer, no map");
    expect(row!.height).toBeLessThan(layout.size);
    expect(layout.hitTest(row!.x + 5, row!.y + row!.height / 2)).toBeNull();
    const below = layout.cellOf({ layer: 2, head: 1 })!;
    expect(below.y).toBeGreaterThanOrEqual(row!.y + row!.height);
    expect(layout.hitTest(below.x + 1, below.y + 1)).toEqual({ layer: 2, head: 1 });
  });

  it("draws a growing map as a part of what it was seen to become", () => {
    const at = (queries: number) => gridLayout({ width: 200, height: 200, layers: layers(1, 1, queries, queries).map((layer) => ({ ...layer, extent: { queries: 20, keys: 20 } })) }).cells[0]!.thumb;
    const [small, large] = [at(10), at(20)];
    expect([small.x, small.y]).toEqual([large.x, large.y]);
    expect(small.width).toBe(Math.round(large.width / 2));
  });
});
