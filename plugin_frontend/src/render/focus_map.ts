// One head large. Two canvases: the weights in sight, and over them axes and what follows the pointer.
import type { TokenAxis } from "../base/axis";
import { Disposables, type Disposable } from "../base/disposables";
import { frames } from "../base/frames";
import { clamp } from "../base/numbers";
import type { TokenList } from "../data/types";
import { flatten, layerCanvas, sizeCanvas } from "./canvas";
import {
  barGap,
  cameraFor,
  cellAt,
  fitCamera,
  heightFor,
  markAt,
  panCamera,
  viewOf,
  zoomCamera,
  type FocusCamera,
  type FocusFrame,
} from "./focus_geometry";
import { barWidth, drawBars } from "./focus_bars";
import { drawAxes, drawCellMarks, fontSize, labelSpace, type FocusScene } from "./focus_marks";
import { Minimap } from "./focus_minimap";
import { defaultFocusOptions } from "./focus_options";
import { Rest } from "./focus_rest";
import { Upcoming } from "./focus_upcoming";
import { FocusSight, pannedView, sameCells, sameExtent, sameZoom, zoomedView } from "./focus_sight";
import { FocusPixels, type InSight } from "./focus_pixels";
import { isLarge } from "./focus_pyramid";
import { packedCss, painter, peakOf, type Paint, type PoolCache } from "./focus_raster";
import { renderTheme } from "./theme";
import type { Cell, CellMark, FocusData, FocusEvents, FocusOptions, FocusRoom, FocusView } from "./types";

/** A press that moves less than this is a click. */
const clickSlack = 4;

interface Drag {
  readonly x: number;
  readonly y: number;
  readonly camera: FocusCamera;
  moved: boolean;
}

export class FocusMap implements Disposable {
  private readonly host: HTMLElement;
  private readonly events: FocusEvents;
  private readonly frame: HTMLElement;
  private readonly base: CanvasRenderingContext2D;
  private readonly overlay: CanvasRenderingContext2D;
  private readonly pixels = new FocusPixels();
  private readonly minimap = new Minimap();
  private readonly upcoming = new Upcoming((data, pooled) => this.pooling(data, pooled));
  private readonly rest = new Rest();
  private readonly disposables = new Disposables();
  private data: FocusData | null = null;
  private options = defaultFocusOptions;
  private peak = 0;
  private place: FocusFrame = { queries: 0, keys: 0, left: 0, top: 0, width: 0, height: 0, bars: 0 };
  private room: FocusRoom = { left: 0, top: 0 };
  private readonly sight = new FocusSight();
  /** The map that is shown is part of one that grows, as was the last one. */
  private growing = false;
  private wantedHeight = 0;
  private pointed: CellMark | null = null;
  private drag: Drag | null = null;

  constructor(host: HTMLElement, events: FocusEvents) {
    this.host = host;
    this.events = events;
    this.frame = document.createElement("div");
    Object.assign(this.frame.style, { position: "relative", width: "100%", height: "100%", overflow: "hidden" });
    host.append(this.frame);
    this.base = layerCanvas(this.frame);
    this.overlay = layerCanvas(this.frame);
    this.disposables.add(() => this.frame.remove());
    this.disposables.add(this.rest);
    this.disposables.add(this.pixels);
    this.disposables.add(this.minimap);
    this.disposables.add(this.upcoming);
    this.disposables.add(() => [this.relayout, this.drawBase, this.drawOverlay].forEach((task) => frames.cancel(task)));
    this.watch();
  }

  /** Whether drawing a map at once would keep the page waiting: `follow` first. */
  waitsFor(data: FocusData): boolean {
    const { data: now } = this;
    return now !== null && data !== now && isLarge(data) && sameCells(now, data) && this.upcoming.of(data) === null;
  }

  /** Calls `ready` with a map once it waits no longer; null: for none. */
  follow(data: FocusData | null, ready: (data: FocusData) => void): void {
    this.upcoming.follow(data, ready);
  }

  setData(data: FocusData | null): void {
    if (data === this.data) return;
    const before = this.data;
    this.data = data;
    const prepared = this.upcoming.take(data);
    this.peak = prepared?.peak ?? (data === null ? 0 : peakOf(data));
    // The next step of the same head keeps the part in sight.
    this.growing = before !== null && data !== null && sameExtent(before, data);
    if (before !== null && data !== null && !this.growing && !sameCells(before, data) && this.sight.want(null)) this.events.view?.(null);
    const large = data !== null && isLarge(data) ? data : null;
    this.pixels.setData(large, prepared?.pooled);
    this.minimap.prepare(large);
    this.redraw();
  }

  setOptions(options: FocusOptions): void {
    const before = this.options;
    this.options = options;
    const light = new Set<string>(["hovered", "locked"]);
    const changed = (Object.keys(options) as (keyof FocusOptions)[]).filter((name) => before[name] !== options[name]);
    if (changed.some((name) => !light.has(name))) this.redraw();
    else if (changed.length > 0) frames.draw(this.drawOverlay);
  }

  view(): FocusView {
    return viewOf(this.place, this.sight.camera);
  }

  /** Shows a part, or all, without telling: whoever says so knows. */
  setView(view: FocusView | null): void {
    if (!this.sight.want(view)) return;
    this.sight.place(this.place);
    this.drawMoved();
  }

  /** Shows the whole map. */
  fit(): void {
    this.move(fitCamera(this.place));
  }

  /** About the locked cell where there is one. */
  zoom(factor: number): void {
    this.move(cameraFor(this.place, zoomedView(this.view(), factor, this.options.locked)));
  }

  /** By shares of what is in sight. */
  pan(across: number, down: number): void {
    this.move(cameraFor(this.place, pannedView(this.view(), across, down)));
  }

  /** In CSS pixels from the host's upper left corner. */
  cellAt(x: number, y: number): Cell | null {
    const cell = this.data === null ? null : cellAt(this.place, this.sight.camera, x, y);
    return cell === null || this.isBeyond(cell) ? null : cell;
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
    const observer = new ResizeObserver(this.redraw);
    observer.observe(this.host);
    this.disposables.add(() => observer.disconnect());
    const on = (type: string, handler: (event: PointerEvent) => void): void =>
      this.disposables.listen(this.frame, type, (event) => handler(event as PointerEvent));
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.hover(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => (this.drag = null));
    on("pointerleave", () => this.point(null));
    on("dblclick", () => this.fit());
    this.disposables.listen(this.frame, "wheel", (event) => this.wheel(event as WheelEvent), { passive: false });
    this.disposables.listen(window, "resize", this.redraw);
  }

  private position(event: MouseEvent): [number, number] {
    const box = this.frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    const [x, y] = this.position(event);
    this.drag = { x, y, camera: this.sight.camera, moved: false };
  }

  private hover(event: PointerEvent): void {
    const [x, y] = this.position(event);
    // Released where nobody told us.
    if (event.buttons === 0) this.drag = null;
    const drag = this.drag;
    if (drag === null) {
      const mark = this.data === null ? null : markAt(this.place, this.sight.camera, x, y);
      this.point(mark === null || this.isBeyond(mark) ? null : mark);
      return;
    }
    if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < clickSlack) return;
    if (!drag.moved) this.frame.setPointerCapture(event.pointerId);
    drag.moved = true;
    this.move(panCamera(this.place, drag.camera, x - drag.x, y - drag.y));
  }

  private release(event: PointerEvent): void {
    const drag = this.drag;
    this.drag = null;
    if (drag === null || drag.moved || this.data === null) return;
    const mark = markAt(this.place, this.sight.camera, ...this.position(event));
    if (mark !== null && !this.isBeyond(mark)) this.events.select(mark);
  }

  /** Where a map that grows has no rows or keys yet. */
  private isBeyond({ query, key }: CellMark): boolean {
    return this.data === null || (query ?? -1) >= this.data.queries || (key ?? -1) >= this.data.keys;
  }

  private wheel(event: WheelEvent): void {
    const [x, y] = this.position(event);
    const factor = Math.exp(-clamp(event.deltaY, -120, 120) / 300);
    const before = this.sight.camera;
    const camera = zoomCamera(this.place, before, factor, x, y);
    // Nothing left to zoom: the page may scroll.
    if (sameZoom(camera, before)) return;
    event.preventDefault();
    this.move(camera);
  }

  private point(mark: CellMark | null): void {
    if (mark?.query === this.pointed?.query && mark?.key === this.pointed?.key) return;
    this.pointed = mark;
    this.events.hover(mark);
  }

  private move(camera: FocusCamera): void {
    const view = this.sight.move(this.place, camera);
    this.drawMoved();
    this.events.view?.(view);
  }

  private drawMoved(): void {
    this.frame.style.cursor = this.sight.isWhole(this.place) ? "" : "grab";
    this.rest.moved(() => this.pooling(this.data), () => frames.draw(this.drawBase));
    frames.draw(this.drawBase);
    frames.draw(this.drawOverlay);
  }

  private readonly redraw = (): void => {
    this.minimap.invalidate();
    frames.work(this.relayout);
    frames.draw(this.drawBase);
    frames.draw(this.drawOverlay);
  };

  private readonly relayout = (): void => {
    const { clientHeight: height } = this.host;
    // `clientWidth` depends on where a fraction of a pixel falls: panels side by side would be labelled differently.
    const width = Math.floor(this.host.getBoundingClientRect().width);
    const { data, options } = this;
    const bars = data?.aside?.mass === undefined ? 0 : barWidth;
    if (width > 0) this.makeRoom(bars, width);
    const [left, top] = [Math.max(this.room.left, options.leastLeft), Math.max(this.room.top, options.leastTop)];
    const extent = data?.extent ?? null;
    this.place = {
      queries: Math.max(data?.queries ?? 0, extent?.queries ?? 0),
      keys: Math.max(data?.keys ?? 0, extent?.keys ?? 0),
      left,
      top,
      width: Math.max(1, width - left - 2),
      height: Math.max(1, height - top - 2),
      bars,
    };
    this.sight.place(this.place);
    this.frame.style.cursor = this.sight.isWhole(this.place) ? "" : "grab";
    const wanted = data === null ? 0 : top + heightFor(this.place) + 2;
    if (wanted === this.wantedHeight || width === 0) return;
    this.wantedHeight = wanted;
    this.events.height?.(wanted);
  };

  /** For titles, labels and bars. */
  private makeRoom(bars: number, width: number): void {
    const { data, options, room } = this;
    this.overlay.font = `600 ${fontSize}px ${renderTheme(options.dark).font}`;
    const labels = (tokens: TokenList | null | undefined, axis: TokenAxis | undefined): number =>
      axis === undefined ? 24 : labelSpace(this.overlay, tokens ?? null, axis, width);
    const title = (text: string): number => (text === "" ? 0 : 16);
    const left = title(options.queryTitle) + labels(data?.queryTokens, data?.queryAxis) + (bars === 0 ? 0 : bars + barGap);
    const top = title(options.keyTitle) + labels(data?.keyTokens, data?.keyAxis);
    // The words that a map grows by must not push it aside.
    const least = this.growing ? room : { left: 0, top: 0 };
    this.room = { left: Math.max(least.left, left), top: Math.max(least.top, top) };
    if (this.room.left !== room.left || this.room.top !== room.top) this.events.room?.(this.room);
  }

  private scene(data: FocusData): FocusScene {
    return {
      data,
      options: this.options,
      frame: this.place,
      camera: this.sight.camera,
      theme: renderTheme(this.options.dark),
      peak: this.peak,
      dpr: devicePixelRatio,
    };
  }

  private prepare(context: CanvasRenderingContext2D): void {
    sizeCanvas(context, this.host.clientWidth, this.host.clientHeight, devicePixelRatio);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.scale(devicePixelRatio, devicePixelRatio);
  }

  private readonly drawBase = (): void => {
    this.prepare(this.base);
    const { data } = this;
    if (data === null || data.values.length === 0) return;
    const paint = this.paintFor(data);
    this.pixels.draw(this.base, this.inSight(data), paint, this.rest.moving);
    const scene = this.scene(data);
    drawCellMarks(this.base, scene);
    drawBars(this.base, scene);
    if (!this.sight.isWhole(this.place)) this.minimap.draw(this.base, scene, paint);
  };

  private inSight(data: FocusData): InSight {
    return { data, frame: this.place, camera: this.sight.camera };
  }

  private paintFor(data: FocusData): Paint {
    return painter(data, this.options, this.peak, packedCss(renderTheme(this.options.dark).warning));
  }

  /** Works out, a little at each call, what drawing a map that rests takes. */
  private pooling(data: FocusData | null, pooled?: PoolCache): () => boolean {
    if (data === null) return () => false;
    const small = this.sight.isWhole(this.place) ? null : this.minimap.pooling(data, devicePixelRatio);
    const pooling = this.pixels.pooling(this.inSight(data), pooled);
    return () => pooling() || small?.goOn() === true;
  }

  private readonly drawOverlay = (): void => {
    this.prepare(this.overlay);
    if (this.data !== null && this.data.values.length > 0) drawAxes(this.overlay, this.scene(this.data));
  };
}
