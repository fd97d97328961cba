// Which part of a map is in sight: what was asked for, and what of that the plot can show.
import { sameAxis } from "../base/axis";
import { cameraFor, clampCamera, fitCamera, viewOf, type FocusCamera, type FocusFrame } from "./focus_geometry";
import type { CellMark, FocusData, FocusView } from "./types";

/** Both are parts of one map that grows. */
export function sameExtent(a: FocusData, b: FocusData): boolean {
  const [one, other] = [a.extent ?? null, b.extent ?? null];
  return one !== null && other !== null && one.queries === other.queries && one.keys === other.keys;
}

export function sameCells(a: FocusData, b: FocusData): boolean {
  return sameAxis(a.queryAxis, b.queryAxis) && sameAxis(a.keyAxis, b.keyAxis);
}

/** A part that is smaller or larger, about the locked cell where there is one. */
export function zoomedView({ key, query, keys, queries }: FocusView, factor: number, locked: CellMark | null): FocusView {
  const middle = { key: (locked?.key ?? key + keys / 2 - 0.5) + 0.5, query: (locked?.query ?? query + queries / 2 - 0.5) + 0.5 };
  const [across, down] = [keys / factor, queries / factor];
  return { key: middle.key - across / 2, query: middle.query - down / 2, keys: across, queries: down };
}

/** The part beside it, by shares of what is in sight; a cell at least. */
export function pannedView(view: FocusView, across: number, down: number): FocusView {
  const by = (share: number, cells: number): number => Math.sign(share) * Math.max(1, Math.abs(share) * cells);
  return { ...view, key: view.key + by(across, view.keys), query: view.query + by(down, view.queries) };
}

/** As a link writes it. */
const FRACTION = 1000;

function rounded({ key, query, keys, queries }: FocusView): FocusView {
  const round = (cells: number): number => Math.round(cells * FRACTION) / FRACTION;
  return { key: round(key), query: round(query), keys: round(keys), queries: round(queries) };
}

/** Two cameras are as near as rounding leaves them. */
export function sameZoom(a: FocusCamera, b: FocusCamera): boolean {
  return Math.abs(a.cell / b.cell - 1) < 1 / FRACTION && Math.abs(a.row / b.row - 1) < 1 / FRACTION;
}

export class FocusSight {
  /** null: all of the map. Kept as it was asked for: the plot may have another size when it is placed. */
  private wanted: FocusView | null = null;
  private at: FocusCamera = { cell: 1, row: 1, key: 0, query: 0 };

  get camera(): FocusCamera {
    return this.at;
  }

  /** Asked for from outside, and shown by the next `place`; false: that is so already. */
  want(view: FocusView | null): boolean {
    if (view === this.wanted) return false;
    this.wanted = view;
    return true;
  }

  /** The plot has its size. */
  place(frame: FocusFrame): void {
    this.at = this.wanted === null ? fitCamera(frame) : cameraFor(frame, this.wanted);
  }

  /** A reader moved it: what is in sight from now on, null = all. Drawn from what a link will say, to the pixel. */
  move(frame: FocusFrame, camera: FocusCamera): FocusView | null {
    this.at = clampCamera(frame, camera);
    this.wanted = this.isWhole(frame) ? null : rounded(viewOf(frame, this.at));
    this.place(frame);
    return this.wanted;
  }

  /** All of the map is in sight; also where a part was asked for that is larger than the map. */
  isWhole(frame: FocusFrame): boolean {
    const whole = fitCamera(frame);
    return this.at.cell <= whole.cell && this.at.row <= whole.row;
  }
}
