// One colour scale for all multiples: its ends only grow while the same head is shown, so that pictures stay
// comparable as more steps come in. That of differences is the one of the panels.
import { useLayoutEffect, useRef } from "preact/hooks";
import { useApp } from "../../frame/context";
import type { TileScale } from "../../render/multiples_tile";
import { niceCeil } from "../../state/facts";
import { largestChange } from "../../state/multiples";
import { cellAt, lookKey, type Shown } from "./rows";

export interface InSight {
  readonly first: number;
  readonly end: number;
}

interface Ends {
  readonly key: string;
  readonly seen: Set<string>;
  peak: number;
  change: number;
}

/** Ends of the scales over what has been in sight so far. */
function useEnds(shown: Shown, { first, end }: InSight): Ends {
  const { multiples, store } = useApp();
  const key = lookKey(shown, store.look.value);
  const ends = useRef<Ends>({ key, seen: new Set(), peak: 0, change: 0 });
  if (ends.current.key !== key) ends.current = { key, seen: new Set(), peak: 0, change: 0 };
  const now = ends.current;
  shown.rows.forEach((_, row) => {
    for (let column = first; column < end; column += 1) {
      const cell = cellAt(multiples, shown, { row, column });
      const { picture } = cell;
      const name = picture === null ? "" : `${picture.strip} ${picture.ordinal}`;
      if (picture === null || now.seen.has(name)) continue;
      now.seen.add(name);
      now.peak = Math.max(now.peak, picture.peak);
      if (cell.base !== null) now.change = Math.max(now.change, largestChange(cell.base, picture));
    }
  });
  return now;
}

export function useScale(shown: Shown, inSight: InSight): TileScale {
  const { store } = useApp();
  const { scale, exposure, peak } = store.selection.value;
  const ends = useEnds(shown, inSight);
  useLayoutEffect(() => store.differenceScale.include(ends.change), [store, ends.change]);
  return {
    companding: scale,
    exposure,
    differenceLimit: store.differenceScale.limit(ends.change),
    peak: peak === "absolute" || ends.peak === 0 ? 1 : niceCeil(ends.peak),
    dark: store.dark.value,
  };
}
