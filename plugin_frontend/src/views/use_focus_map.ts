// The large map's drawing in the life of its component: what happens on it, and the part of it in sight.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { cellOf, spanOf, type TokenAxis } from "../base/axis";
import { useApp } from "../frame/context";
import { FocusMap } from "../render/focus_map";
import type { CellMark, FocusData, FocusRoom } from "../render/types";
import type { Movable } from "../state/viewport";
import { useDrawing } from "./use_drawing";

/** The cell of a position, where it is in the picture. */
export function cellIn(axis: TokenAxis | undefined, position: number | null | undefined): number | null {
  return axis === undefined || typeof position !== "number" ? null : cellOf(axis, position);
}

/** The position that a cell stands for: of a block, its first. */
function positionOf(axis: TokenAxis, cell: number | null): number | null {
  return cell === null ? null : spanOf(axis, cell).first;
}

/** Of large maps the last one, until the next can be drawn without keeping the page waiting; also until it has come. */
function useShown(map: FocusMap | null, data: FocusData | null): FocusData | null {
  const last = useRef(data);
  const [, show] = useState<FocusData | null>(null);
  const waits = map !== null && data !== null && map.waitsFor(data);
  if (!waits && data !== null) last.current = data;
  useLayoutEffect(
    () =>
      map?.follow(waits ? data : null, (ready) => {
        last.current = ready;
        show(ready);
      }),
    [map, waits, data],
  );
  return last.current;
}

interface Drawn {
  readonly host: RefObject<HTMLDivElement | null>;
  /** Null until the host is in the page. */
  readonly map: FocusMap | null;
  /** What is drawn: what was given, or what that is to take the place of. */
  readonly shown: FocusData | null;
  /** At which the whole map fills the width. */
  readonly height: number;
  /** What this map alone needs before and above the weights. */
  readonly room: FocusRoom;
}

export function useFocusMap(data: FocusData | null): Drawn {
  const { store } = useApp();
  const [height, setHeight] = useState(0);
  const [room, setRoom] = useState<FocusRoom>({ left: 0, top: 0 });
  // The drawing counts its own cells; the application counts tokens.
  const drawn = useRef(data);
  const positions = (cell: CellMark): CellMark => {
    const now = drawn.current;
    if (now === null) return { query: null, key: null };
    return { query: positionOf(now.queryAxis, cell.query), key: positionOf(now.keyAxis, cell.key) };
  };
  const [host, map] = useDrawing(
    (element) =>
      new FocusMap(element, {
        hover: (cell) => {
          const before = store.hover.peek();
          if (cell === null && before.query === undefined && before.key === undefined) return;
          const at = cell === null ? { query: null, key: null } : positions(cell);
          store.setHover({
            ...(at.query === null ? {} : { query: at.query }),
            ...(at.key === null ? {} : { key: at.key }),
          });
        },
        select: (cell) => {
          const { query: row, key: column } = positions(cell);
          store.lockToken(row, column);
        },
        view: (view) => store.viewports.move(view),
        height: setHeight,
        room: setRoom,
      }),
  );
  const shown = useShown(map, data);
  drawn.current = shown;
  useLayoutEffect(() => map?.setData(shown), [map, shown]);
  const viewport = store.viewports.shown.value;
  useLayoutEffect(() => map?.setView(viewport), [map, viewport]);
  useEffect(() => {
    if (map === null) return;
    const movable = (): Movable => {
      const now = drawn.current;
      const cells = now === null ? 0 : now.queries * now.keys;
      return { cells, zoom: (factor) => map.zoom(factor), pan: (across, down) => map.pan(across, down) };
    };
    const entry = store.viewports.add(movable);
    return () => entry.dispose();
  }, [map, store]);
  return { host, map, shown, height, room };
}
