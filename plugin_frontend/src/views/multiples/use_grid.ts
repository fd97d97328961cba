// The drawing of the small maps, and what the pointer does there: resting previews a step, a click goes to it.
import { useEffect, useRef, useState } from "preact/hooks";
import { batch } from "@preact/signals";
import type { RefObject } from "preact";
import { useApp } from "../../frame/context";
import { MultiplesGrid } from "../../render/multiples_grid";
import type { MultiplesLayout, Place } from "../../render/multiples_layout";
import { useDrawing } from "../use_drawing";
import type { Shown } from "./rows";
import type { InSight } from "./scale";

/** Before a pointed-at step is previewed: crossing the pictures on the way elsewhere changes nothing. */
const HOVER_MS = 120;

interface Pointer {
  inside: boolean;
  /** The step that a click chose last. */
  clicked: number | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface Grid {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly grid: MultiplesGrid | null;
  readonly inSight: InSight;
  readonly hovered: Place | null;
  readonly layout: MultiplesLayout | null;
  readonly pointer: Pointer;
}

/** `now` is what it shows whenever it is asked: how that looks depends on what is in sight. */
export function useGrid(now: { readonly current: Shown }): Grid {
  const { store } = useApp();
  const [inSight, setInSight] = useState<InSight>({ first: 0, end: 0 });
  const [hovered, setHovered] = useState<Place | null>(null);
  const [layout, setLayout] = useState<MultiplesLayout | null>(null);
  const pointer = useRef<Pointer>({ inside: false, clicked: null, timer: undefined }).current;
  const hover = (at: Place | null): void => {
    setHovered(at);
    pointer.inside = at !== null;
    clearTimeout(pointer.timer);
    const step = at === null ? undefined : now.current.steps[at.column];
    if (step === undefined) store.setHover({});
    else pointer.timer = setTimeout(() => store.setHover({ step }), HOVER_MS);
  };
  const select = (at: Place): void => {
    const [step, run] = [now.current.steps[at.column], now.current.rows[at.row]?.run];
    if (step === undefined || run === undefined) return;
    clearTimeout(pointer.timer);
    pointer.clicked = step;
    batch(() => {
      store.setHover({});
      store.update({ run });
      store.goToStep(step);
    });
  };
  const [host, grid] = useDrawing((element) => new MultiplesGrid(element, { hover, select, range: setInSight, layout: setLayout }));
  useEffect(() => () => clearTimeout(pointer.timer), []);
  return { host, grid, inSight, hovered, layout, pointer };
}
