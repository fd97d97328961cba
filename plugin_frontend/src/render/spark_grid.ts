// The matrix of curves: layers x heads, one canvas for the curves and one over it for what moves.
import { Disposables, type Disposable } from "../base/disposables";
import { frames } from "../base/frames";
import { headName, type LayerHeads } from "../data/heads";
import type { HeadRef } from "../data/types";
import { layerCanvas, sizeCanvas } from "./canvas";
import { RowQueue, type Sight } from "./row_queue";
import { curveHeights, stepShare, type SparkRun } from "./spark_curves";
import { LABEL_HEIGHT, LABEL_WIDTH, sparkLayout, type Box, type SparkLayout } from "./spark_layout";
import { drawSpans, emptySpans, fillBox, rgbOf, SUBCOLUMNS, traceSpans, type Dot, type Rgb, type Spans } from "./spark_raster";
import { renderTheme } from "./theme";

export interface SparkData {
  readonly rows: readonly LayerHeads[];
  readonly runs: readonly SparkRun[];
  readonly low: number;
  readonly high: number;
  readonly first: number;
  readonly last: number;
  readonly dark: boolean;
}

export interface SparkPointer {
  readonly step: number | null;
  readonly hovered: HeadRef | null;
  readonly locked: HeadRef | null;
  /** The head of the other side of a pair. */
  readonly other: HeadRef | null;
}

export interface SparkEvents {
  readonly hover: (at: HeadRef | null) => void;
  readonly select: (at: HeadRef) => void;
  /** The place of the cells has changed. */
  readonly moved: () => void;
}

/** A run's curves while they are drawn: buffers that all heads share. */
interface Curve {
  readonly run: SparkRun;
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  readonly spans: Spans;
  readonly dot: Dot;
  readonly rgb: Rgb;
}

const EMPTY: SparkData = { rows: [], runs: [], low: 0, high: 1, first: 0, last: 0, dark: false };
const PAD = 2;
/** Thickness of a curve, and half that of a step that stands alone. */
const LINE = 1.4;
const DOT = 2;

export class SparkGrid implements Disposable {
  private readonly frame: HTMLElement;
  private readonly base: CanvasRenderingContext2D;
  private readonly overlay: CanvasRenderingContext2D;
  private readonly life = new Disposables();
  private data = EMPTY;
  private pointer: SparkPointer = { step: null, hovered: null, locked: null, other: null };
  private current: SparkLayout = sparkLayout([], 0, 0);
  private pointed: HeadRef | null = null;
  private image: ImageData | null = null;
  private curves: readonly Curve[] = [];
  private readonly queue = new RowQueue();

  constructor(
    private readonly host: HTMLElement,
    private readonly events: SparkEvents,
  ) {
    this.frame = document.createElement("div");
    Object.assign(this.frame.style, { position: "relative" });
    host.append(this.frame);
    this.base = layerCanvas(this.frame);
    this.overlay = layerCanvas(this.frame);
    this.life.add(() => this.frame.remove());
    this.life.add(() => [this.drawBase, this.drawRows, this.drawOverlay, this.tellMoved].forEach((task) => frames.cancel(task)));
    const observer = new ResizeObserver(this.redraw);
    observer.observe(host);
    this.life.add(() => observer.disconnect());
    this.life.listen(window, "resize", this.redraw);
    this.life.listen(this.frame, "pointermove", (event) => this.point(this.headAt(event as PointerEvent)));
    this.life.listen(this.frame, "pointerleave", () => this.point(null));
    this.life.listen(this.frame, "click", (event) => {
      const at = this.headAt(event as PointerEvent);
      if (at !== null) this.events.select(at);
    });
  }

  setData(data: SparkData): void {
    if (data === this.data) return;
    this.data = data;
    this.redraw();
  }

  setPointer(pointer: SparkPointer): void {
    this.pointer = pointer;
    frames.draw(this.drawOverlay);
  }

  cellOf(at: HeadRef): Box | null {
    return this.current.cellOf(at);
  }

  dispose(): void {
    this.life.dispose();
  }

  private readonly redraw = (): void => {
    frames.draw(this.drawBase);
    frames.draw(this.drawOverlay);
    frames.dom(this.tellMoved);
  };

  private readonly tellMoved = (): void => this.events.moved();

  private headAt(event: MouseEvent): HeadRef | null {
    const box = this.frame.getBoundingClientRect();
    return this.current.hitTest(event.clientX - box.left, event.clientY - box.top);
  }

  private point(at: HeadRef | null): void {
    if (at?.layer === this.pointed?.layer && at?.head === this.pointed?.head) return;
    this.pointed = at;
    this.frame.style.cursor = at === null ? "" : "pointer";
    this.events.hover(at);
  }

  private readonly drawBase = (): void => {
    const dpr = devicePixelRatio;
    const { clientWidth, clientHeight } = this.host;
    const layout = sparkLayout(this.data.rows, clientWidth, clientHeight);
    const before = this.current;
    this.current = layout;
    Object.assign(this.frame.style, { width: `${layout.width}px`, height: `${layout.height}px` });
    sizeCanvas(this.base, layout.width, layout.height, dpr);
    const { width, height } = this.base.canvas;
    if (width === 0 || height === 0) return;
    const theme = renderTheme(this.data.dark);
    this.image = this.imageOf(width, height);
    const spans = emptySpans(Math.round(layout.cell.width * dpr) * SUBCOLUMNS);
    // Half the line's thickness is added where it is drawn.
    const dot = { across: DOT * dpr * SUBCOLUMNS, up: (DOT - LINE / 2) * dpr };
    this.curves = this.data.runs.map((run) => {
      const xs = this.placesOf(run, layout, dpr);
      return { run, xs, ys: new Float32Array(xs.length), spans, dot, rgb: rgbOf(run.colour) };
    });
    this.base.setTransform(dpr, 0, 0, dpr, 0, 0);
    // Rows that stay where they are keep what they show until it is their turn: nothing flickers.
    const stays = before.cell.width === layout.cell.width && before.cell.height === layout.cell.height;
    this.base.clearRect(0, 0, stays ? LABEL_WIDTH : layout.width, layout.height);
    this.base.clearRect(0, 0, layout.width, LABEL_HEIGHT);
    this.drawNumbers(layout, theme.muted, theme.font);
    this.queue.fill(this.data.rows.length);
    this.drawRows();
  };

  private readonly drawRows = (): void => {
    this.queue.draw(this.drawRow, (row) => this.current.rowOf(row), this.sight());
    if (!this.queue.done) frames.draw(this.drawRows);
  };

  /** What of the content is not scrolled away. */
  private sight(): Sight {
    const content = this.frame.getBoundingClientRect();
    const view = (this.host.parentElement ?? this.host).getBoundingClientRect();
    return { top: view.top - content.top, bottom: view.bottom - content.top };
  }

  private readonly drawRow = (row: number): void => {
    const { image, current: layout } = this;
    const found = this.data.rows[row];
    if (image === null || found === undefined) return;
    const dpr = devicePixelRatio;
    const ground = rgbOf(renderTheme(this.data.dark).absent);
    const first = Math.round(layout.rowOf(row).top * dpr);
    const last = Math.min(image.height, first + Math.round(layout.cell.height * dpr));
    image.data.fill(0, 4 * first * image.width, 4 * last * image.width);
    for (const head of found.heads) {
      const at = { layer: found.layer, head };
      const cell = layout.cellOf(at);
      if (cell === null) continue;
      const box = deviceBox(cell, dpr);
      fillBox(image, box, ground);
      for (const curve of this.curves) this.drawCurve(image, box, curve, headName(at), dpr);
    }
    const left = Math.round(LABEL_WIDTH * dpr);
    this.base.putImageData(image, 0, 0, left, first, image.width - left, last - first);
  };

  /** Subcolumns from the left of a cell, of each step of a run. */
  private placesOf(run: SparkRun, layout: SparkLayout, dpr: number): Float32Array {
    const { first, last } = this.data;
    const inner = (layout.cell.width - 2 * PAD) * dpr;
    return Float32Array.from(run.steps, (step) => SUBCOLUMNS * (PAD * dpr + stepShare(step, first, last) * (inner - 1e-3)));
  }

  /** The buffer of the pixels; a new one only when the size has changed. */
  private imageOf(width: number, height: number): ImageData {
    return this.image?.width === width && this.image.height === height ? this.image : new ImageData(width, height);
  }

  private drawCurve(image: ImageData, box: Box, { run, xs, ys, spans, dot, rgb }: Curve, name: string, dpr: number): void {
    const { low, high } = this.data;
    const place = { low, high, bottom: box.height - PAD * dpr, height: box.height - 2 * PAD * dpr };
    if (!curveHeights(ys, run, name, place)) return;
    traceSpans(spans, xs, ys, dot);
    drawSpans(image, box, spans, rgb, LINE * dpr);
  }

  private drawNumbers(layout: SparkLayout, colour: string, font: string): void {
    const pen = this.base;
    pen.fillStyle = colour;
    pen.font = `11px ${font}`;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    layout.rows.forEach((layer, row) => {
      const y = LABEL_HEIGHT + row * (layout.cell.height + 3) + layout.cell.height / 2;
      pen.fillText(String(layer), LABEL_WIDTH - 5, y);
    });
    pen.textAlign = "center";
    layout.columns.forEach((head, column) => {
      pen.fillText(String(head), LABEL_WIDTH + column * (layout.cell.width + 3) + layout.cell.width / 2, LABEL_HEIGHT / 2);
    });
  }

  private readonly drawOverlay = (): void => {
    const dpr = devicePixelRatio;
    const { current: layout, pointer, data } = this;
    const theme = renderTheme(data.dark);
    sizeCanvas(this.overlay, layout.width, layout.height, dpr);
    const pen = this.overlay;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, layout.width + 1, layout.height + 1);
    if (pointer.step !== null && data.last > data.first) {
      const share = Math.min(1, Math.max(0, stepShare(pointer.step, data.first, data.last)));
      pen.fillStyle = theme.locked;
      pen.globalAlpha = 0.75;
      for (const { layer, heads } of data.rows) {
        for (const head of heads) {
          const cell = layout.cellOf({ layer, head });
          if (cell === null) continue;
          pen.fillRect(Math.round((cell.x + PAD + share * (cell.width - 2 * PAD)) * dpr) / dpr, cell.y, 1, cell.height);
        }
      }
      pen.globalAlpha = 1;
    }
    this.ring(pointer.other, theme.locked, 2, [4, 3]);
    this.ring(pointer.locked, theme.locked, 2);
    this.ring(pointer.hovered, theme.hovered, 1.5);
  };

  private ring(at: HeadRef | null, colour: string, width: number, dash: number[] = []): void {
    const cell = at === null ? null : this.current.cellOf(at);
    if (cell === null) return;
    const pen = this.overlay;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.strokeRect(cell.x - 0.5, cell.y - 0.5, cell.width + 1, cell.height + 1);
    pen.setLineDash([]);
  }
}

function deviceBox({ x, y, width, height }: Box, dpr: number): Box {
  return { x: Math.round(x * dpr), y: Math.round(y * dpr), width: Math.round(width * dpr), height: Math.round(height * dpr) };
}
