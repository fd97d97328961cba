// The layers x heads grid. Two canvases: thumbnails with their frames, and over them what follows the
// pointer, so that hovering never redraws a thumbnail.
import { Disposables, type Disposable } from "../base/disposables";
import { frames } from "../base/frames";
import { whenIdle } from "../base/idle";
import type { HeadRef } from "../data/types";
import { flatten, layerCanvas, sizeCanvas } from "./canvas";
import { Canvas2dPainter } from "./grid_canvas2d";
import { gridLayout, type GridLayerShape, type GridLayout } from "./grid_layout";
import { drawFrames, drawSelection } from "./grid_marks";
import type { GridPainter } from "./grid_painter";
import { gridScene } from "./grid_scene";
import { WebglPainter } from "./grid_webgl";
import { renderTheme } from "./theme";
import type { GridData, GridEvents, GridOptions } from "./types";

const nothing: GridData = { a: null, b: null, comparison: null };

export const defaultGridOptions: GridOptions = {
  mode: "A",
  normalisation: "head",
  companding: "sqrt",
  exposure: 1,
  differenceLimit: 1,
  dark: false,
  hovered: null,
  locked: null,
};

/**
 * The page's painter, shared by all grids; grids are told when it is back after a lost context. A context takes
 * longer to get than the first picture to draw without one, so it is asked for after that.
 */
class SharedPainter {
  private readonly grids = new Set<() => void>();
  private readonly twin = new Canvas2dPainter();
  private webgl: WebglPainter | null | undefined;
  private giveUp: (() => void) | undefined;

  join(redraw: () => void): void {
    this.grids.add(redraw);
    if (this.webgl !== undefined || this.giveUp !== undefined) return;
    this.giveUp = whenIdle(() => this.start(), 2000);
  }

  leave(redraw: () => void): void {
    this.grids.delete(redraw);
    if (this.grids.size > 0) return;
    this.giveUp?.();
    this.giveUp = undefined;
    this.webgl?.dispose();
    this.webgl = undefined;
  }

  private start(): void {
    this.giveUp = undefined;
    // What is drawn already is the same from either painter.
    this.webgl = WebglPainter.create(() => this.grids.forEach((one) => one()));
  }

  get preferred(): GridPainter {
    return this.webgl ?? this.twin;
  }

  get fallback(): GridPainter {
    return this.twin;
  }
}

const shared = new SharedPainter();

function insist(kind: GridPainter["kind"], redraw: () => void): GridPainter {
  if (kind === "canvas2d") return new Canvas2dPainter();
  const painter = WebglPainter.create(redraw, true);
  if (painter === null) throw new Error("This browser has no WebGL2: leave the choice of painter to the page.");
  return painter;
}

export interface HeadGridSettings {
  /** "auto": WebGL2 where it is fast, else Canvas2D. The others insist, for tests. */
  readonly painter?: "auto" | GridPainter["kind"];
}

export class HeadGrid implements Disposable {
  private readonly events: GridEvents;
  private readonly frame: HTMLElement;
  private readonly host: HTMLElement;
  private readonly base: CanvasRenderingContext2D;
  private readonly overlay: CanvasRenderingContext2D;
  private readonly disposables = new Disposables();
  private readonly own: GridPainter | null;
  private data = nothing;
  private options = defaultGridOptions;
  private current: GridLayout = gridLayout({ width: 0, height: 0, layers: [] });
  /** What `current` was made for. */
  private laidOut: { readonly data: GridData; readonly width: number; readonly height: number } = {
    data: nothing,
    width: 0,
    height: 0,
  };
  private pointed: HeadRef | null = null;
  private wantedHeight = 0;
  /** Of the host; null = to be read anew. To read it has the browser lay the page out, at every move of the pointer. */
  private size: { readonly width: number; readonly height: number } | null = null;

  constructor(host: HTMLElement, events: GridEvents, { painter = "auto" }: HeadGridSettings = {}) {
    this.host = host;
    this.events = events;
    this.frame = document.createElement("div");
    Object.assign(this.frame.style, { position: "relative" });
    host.append(this.frame);
    this.base = layerCanvas(this.frame);
    this.overlay = layerCanvas(this.frame);
    this.own = painter === "auto" ? null : insist(painter, this.redraw);
    this.disposables.add(() => this.frame.remove());
    this.disposables.add(() => [this.relayout, this.drawBase, this.drawOverlay].forEach((task) => frames.cancel(task)));
    if (this.own === null) {
      shared.join(this.redraw);
      this.disposables.add(() => shared.leave(this.redraw));
    } else {
      this.disposables.add(this.own);
    }
    this.watch();
  }

  setData(data: GridData): void {
    if ((Object.keys(data) as (keyof GridData)[]).every((name) => data[name] === this.data[name])) return;
    this.data = data;
    this.redraw();
  }

  setOptions(options: GridOptions): void {
    const before = this.options;
    this.options = options;
    const pointers = new Set<string>(["hovered", "locked"]);
    const changed = (Object.keys(options) as (keyof GridOptions)[]).filter((name) => before[name] !== options[name]);
    if (changed.some((name) => !pointers.has(name))) frames.draw(this.drawBase);
    if (changed.length > 0) frames.draw(this.drawOverlay);
  }

  /** In CSS pixels from the upper left corner of the grid's content. */
  layout(): GridLayout {
    // Whoever asks right after setData must see the new one.
    this.relayout();
    return this.current;
  }

  /** A picture of exactly what is shown. */
  capture(): HTMLCanvasElement {
    this.relayout();
    this.drawBase();
    this.drawOverlay();
    return flatten([this.base.canvas, this.overlay.canvas], renderTheme(this.options.dark));
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private watch(): void {
    const resized = (): void => {
      this.size = null;
      this.redraw();
    };
    const observer = new ResizeObserver(resized);
    observer.observe(this.host);
    this.disposables.add(() => observer.disconnect());
    this.disposables.listen(this.frame, "pointermove", (event) => this.point(this.headAt(event as PointerEvent)));
    this.disposables.listen(this.frame, "pointerleave", () => this.point(null));
    this.disposables.listen(this.frame, "click", (event) => {
      const head = this.headAt(event as PointerEvent);
      if (head !== null) this.events.select(head);
    });
    // Moved to a screen of another density: no size in CSS pixels changes.
    this.disposables.listen(window, "resize", resized);
  }

  private headAt(event: MouseEvent): HeadRef | null {
    const box = this.frame.getBoundingClientRect();
    return this.current.hitTest(event.clientX - box.left, event.clientY - box.top);
  }

  private point(head: HeadRef | null): void {
    if (head?.layer === this.pointed?.layer && head?.head === this.pointed?.head) return;
    this.pointed = head;
    this.frame.style.cursor = head === null ? "" : "pointer";
    this.events.hover(head);
  }

  private readonly redraw = (): void => {
    frames.work(this.relayout);
    frames.draw(this.drawBase);
    frames.draw(this.drawOverlay);
  };

  private readonly relayout = (): void => {
    const { width, height } = (this.size ??= { width: this.host.clientWidth, height: this.host.clientHeight });
    const before = this.laidOut;
    // Asked for at every move of the pointer, and thousands of cells take milliseconds.
    if (before.data === this.data && before.width === width && before.height === height) return;
    this.laidOut = { data: this.data, width, height };
    const layers = layerShapes(this.data);
    this.current = gridLayout({ width, height, layers });
    Object.assign(this.frame.style, { width: `${this.current.width}px`, height: `${this.current.height}px` });
    const wanted = gridLayout({ width, height: Infinity, layers }).height;
    if (wanted === this.wantedHeight || width === 0) return;
    this.wantedHeight = wanted;
    this.events.height?.(wanted);
  };

  private readonly drawBase = (): void => {
    const { width, height } = this.current;
    const scene = gridScene(this.data, this.options, this.current, devicePixelRatio);
    sizeCanvas(this.base, width, height, devicePixelRatio);
    this.base.setTransform(1, 0, 0, 1, 0, 0);
    this.base.clearRect(0, 0, scene.width, scene.height);
    const preferred = this.own ?? shared.preferred;
    const painter = preferred.paint(this.base, scene) ? preferred : shared.fallback;
    if (painter !== preferred) painter.paint(this.base, scene);
    // For benchmarks and reports: which of the two it was cannot be seen.
    this.base.canvas.dataset["painter"] = painter.kind;
    this.base.scale(devicePixelRatio, devicePixelRatio);
    drawFrames(this.base, scene, this.data, this.options, renderTheme(this.options.dark), devicePixelRatio, this.current);
  };

  private readonly drawOverlay = (): void => {
    const { width, height } = this.current;
    sizeCanvas(this.overlay, width, height, devicePixelRatio);
    this.overlay.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.overlay.clearRect(0, 0, width + 1, height + 1);
    drawSelection(this.overlay, this.current, this.options, renderTheme(this.options.dark));
  };
}

/** Layers of A, and those that only B has, by number; and the layers between them that have no map. */
export function layerShapes({ a, b, extent = null, withoutMap }: GridData): GridLayerShape[] {
  const shapes = new Map<number, GridLayerShape>();
  for (const layer of [...(b?.layers ?? []), ...(a?.layers ?? [])]) {
    const known = shapes.get(layer.layer);
    const extra = known?.heads.filter((head) => !layer.heads.includes(head)) ?? [];
    shapes.set(layer.layer, { ...layer, heads: [...layer.heads, ...extra], extent });
  }
  for (const other of [...(b?.withoutMap ?? []), ...(a?.withoutMap ?? [])]) {
    if (shapes.get(other.layer)?.heads.length) continue;
    const text = withoutMap?.[other.linear ? "linear" : "other"] ?? "";
    shapes.set(other.layer, { layer: other.layer, heads: [], queries: 1, keys: 1, withoutMap: text });
  }
  return [...shapes.values()].sort((one, other) => one.layer - other.layer);
}
