// Which part of the large maps is in sight, the same for all that are side by side; its part of the URL.
import { effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Disposable } from "../base/disposables";
import type { FocusView } from "../render/types";

/** No map has more rows or keys than a URL may ask for. */
const MOST_CELLS = 2 ** 24;
/** Of a cell: far less than a pixel. */
const DIGITS = 3;
/** A pan makes many views; the last one is the one that is kept. */
const REST_MS = 150;

/** `key,query,keys,queries`; null = the whole map. */
export function writeViewport(view: FocusView | null): string | null {
  if (view === null) return null;
  return [view.key, view.query, view.keys, view.queries].map((cells) => String(Number(cells.toFixed(DIGITS)))).join(",");
}

export function readViewport(text: string): FocusView | undefined {
  if (text.length > 64) return undefined;
  const parts = text.split(",");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,8}(\.\d{1,3})?$/.test(part))) return undefined;
  const [key = 0, query = 0, keys = 0, queries = 0] = parts.map(Number);
  const within = Math.max(key, query, keys, queries) <= MOST_CELLS && keys > 0 && queries > 0;
  return within ? { key, query, keys, queries } : undefined;
}

/** A map that keys can move. */
export interface Movable {
  readonly cells: number;
  readonly zoom: (factor: number) => void;
  /** By shares of what is in sight. */
  readonly pan: (across: number, down: number) => void;
}

/**
 * The part in sight while it is moved, ahead of the selection: what follows the selection would otherwise be worked
 * out anew with every move of the pointer.
 */
export class Viewports {
  private readonly live = signal<FocusView | null>(null);
  private readonly maps = new Set<() => Movable>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** As the selection has it: changes only when this does, not with every selection. */
    settled: ReadonlySignal<FocusView | null>,
    private readonly select: (view: FocusView | null) => void,
  ) {
    effect(() => {
      // A link or the history says otherwise.
      clearTimeout(this.timer);
      this.live.value = settled.value;
    });
  }

  get shown(): ReadonlySignal<FocusView | null> {
    return this.live;
  }

  /** A map was moved: the others follow it at once, the selection once it rests. */
  move(view: FocusView | null): void {
    this.live.value = view;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.select(this.live.peek()), REST_MS);
  }

  add(map: () => Movable): Disposable {
    this.maps.add(map);
    return { dispose: () => this.maps.delete(map) };
  }

  /** The map that keys move: the largest, for a smaller one may be whole at any part of it. The first of equals. */
  lead(): Movable | null {
    let lead: Movable | null = null;
    for (const map of this.maps) {
      const one = map();
      if (one.cells > (lead?.cells ?? 0)) lead = one;
    }
    return lead;
  }
}
