// One dot per head: where two statistics stand to each other.
import { Disposables, type Disposable } from "../base/disposables";
import { frames } from "../base/frames";
import type { HeadRef } from "../data/types";
import { layerCanvas, sizeCanvas } from "./canvas";
import { renderTheme, type RenderTheme } from "./theme";

export interface Dot extends HeadRef {
  readonly run: string;
  readonly x: number;
  readonly y: number;
  readonly colour: string;
}

export interface ScatterAxis {
  readonly low: number;
  readonly high: number;
  readonly title: string;
  readonly format: (value: number) => string;
}

export interface ScatterData {
  readonly dots: readonly Dot[];
  readonly x: ScatterAxis;
  readonly y: ScatterAxis;
  /** Both axes are the same statistic: where nothing changed is a line. */
  readonly diagonal: boolean;
  readonly dark: boolean;
}

export interface ScatterEvents {
  readonly hover: (dot: Dot | null) => void;
  readonly select: (at: HeadRef) => void;
}

const MARGIN = { left: 44, right: 12, top: 18, bottom: 32 } as const;
const RADIUS = 3.5;
const NEAR = 12;
/** Dots that lie on each other are still seen. */
export const dotOpacity = 0.8;
const EMPTY: ScatterData = {
  dots: [],
  x: { low: 0, high: 1, title: "", format: String },
  y: { low: 0, high: 1, title: "", format: String },
  diagonal: false,
  dark: false,
};

/** Round values between two ends. */
export function axisTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].map((by) => by * power).find((one) => one >= rough) ?? 10 * power;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / unit - 1e-9); k * unit <= high + unit * 1e-9; k += 1) ticks.push(Number((k * unit).toPrecision(12)));
  return ticks;
}

/** Around every dot: the palest colour of a scale is that of the ground. */
export const dotEdge = ({ muted }: RenderTheme): string => muted;

type Pen = Pick<CanvasRenderingContext2D, "beginPath" | "arc" | "fill" | "stroke" | "fillStyle" | "strokeStyle" | "lineWidth" | "globalAlpha">;

export interface DrawnDot {
  readonly x: number;
  readonly y: number;
  readonly colour: string;
  /** The colour around it, of a dot that is pointed at or locked; null = of one among many. */
  readonly ring: string | null;
}

export function drawDot(pen: Pen, { x, y, colour, ring }: DrawnDot, theme: RenderTheme): void {
  pen.globalAlpha = ring === null ? dotOpacity : 1;
  pen.fillStyle = colour;
  pen.strokeStyle = ring ?? dotEdge(theme);
  pen.lineWidth = ring === null ? 1 : 2;
  pen.beginPath();
  pen.arc(x, y, ring === null ? RADIUS : RADIUS + 1.5, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.globalAlpha = 1;
}

export class ScatterPlot implements Disposable {
  private readonly canvas: CanvasRenderingContext2D;
  private readonly life = new Disposables();
  private data = EMPTY;
  private hovered: HeadRef | null = null;
  private locked: HeadRef | null = null;
  private pointed: Dot | null = null;

  constructor(
    private readonly host: HTMLElement,
    private readonly events: ScatterEvents,
  ) {
    this.canvas = layerCanvas(host);
    this.life.add(() => this.canvas.canvas.remove());
    this.life.add(() => frames.cancel(this.draw));
    const observer = new ResizeObserver(() => frames.draw(this.draw));
    observer.observe(host);
    this.life.add(() => observer.disconnect());
    this.life.listen(host, "pointermove", (event) => this.point(this.dotAt(event as PointerEvent)));
    this.life.listen(host, "pointerleave", () => this.point(null));
    this.life.listen(host, "click", (event) => {
      // What was previewed: the place of a click is rounded, that of a movement is not.
      const dot = this.pointed ?? this.dotAt(event as PointerEvent);
      if (dot !== null) this.events.select({ layer: dot.layer, head: dot.head });
    });
  }

  set(data: ScatterData, hovered: HeadRef | null, locked: HeadRef | null): void {
    [this.data, this.hovered, this.locked] = [data, hovered, locked];
    frames.draw(this.draw);
  }

  dispose(): void {
    this.life.dispose();
  }

  private area(): { left: number; top: number; width: number; height: number } {
    const { clientWidth, clientHeight } = this.host;
    return {
      left: MARGIN.left,
      top: MARGIN.top,
      width: Math.max(1, clientWidth - MARGIN.left - MARGIN.right),
      height: Math.max(1, clientHeight - MARGIN.top - MARGIN.bottom),
    };
  }

  private placeOf(dot: Pick<Dot, "x" | "y">): [number, number] {
    const { left, top, width, height } = this.area();
    const { x, y } = this.data;
    return [left + ((dot.x - x.low) / (x.high - x.low)) * width, top + height - ((dot.y - y.low) / (y.high - y.low)) * height];
  }

  private dotAt(event: MouseEvent): Dot | null {
    const box = this.host.getBoundingClientRect();
    let best: Dot | null = null;
    let nearest = NEAR ** 2;
    for (const dot of this.data.dots) {
      const [x, y] = this.placeOf(dot);
      const away = (x - (event.clientX - box.left)) ** 2 + (y - (event.clientY - box.top)) ** 2;
      if (away < nearest) [best, nearest] = [dot, away];
    }
    return best;
  }

  private point(dot: Dot | null): void {
    if (dot === this.pointed) return;
    this.pointed = dot;
    this.host.style.cursor = dot === null ? "" : "pointer";
    this.events.hover(dot);
  }

  private readonly draw = (): void => {
    const dpr = devicePixelRatio;
    const { clientWidth, clientHeight } = this.host;
    sizeCanvas(this.canvas, clientWidth, clientHeight, dpr);
    const pen = this.canvas;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, clientWidth + 1, clientHeight + 1);
    this.drawAxes();
    const theme = renderTheme(this.data.dark);
    const same = (dot: Dot, at: HeadRef | null): boolean => at?.layer === dot.layer && at.head === dot.head;
    const ringOf = (dot: Dot): string | null => (same(dot, this.hovered) ? theme.hovered : same(dot, this.locked) ? theme.locked : null);
    const drawn = this.data.dots.map((dot): DrawnDot => {
      const [x, y] = this.placeOf(dot);
      return { x, y, colour: dot.colour, ring: ringOf(dot) };
    });
    const chosen = drawn.filter(({ ring }) => ring !== null);
    for (const dot of [...drawn.filter(({ ring }) => ring === null), ...chosen]) drawDot(pen, dot, theme);
  };

  private drawAxes(): void {
    const pen = this.canvas;
    const theme = renderTheme(this.data.dark);
    const { left, top, width, height } = this.area();
    const { x, y } = this.data;
    pen.font = `11px ${theme.font}`;
    pen.lineWidth = 1;
    pen.strokeStyle = theme.line;
    pen.fillStyle = theme.muted;
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const tick of axisTicks(x.low, x.high, Math.floor(width / 70))) {
      const [at] = this.placeOf({ x: tick, y: y.low });
      line(pen, Math.round(at) + 0.5, top, Math.round(at) + 0.5, top + height);
      pen.fillText(x.format(tick), at, top + height + 4);
    }
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const tick of axisTicks(y.low, y.high, Math.floor(height / 40))) {
      const [, at] = this.placeOf({ x: x.low, y: tick });
      line(pen, left, Math.round(at) + 0.5, left + width, Math.round(at) + 0.5);
      pen.fillText(y.format(tick), left - 5, at);
    }
    if (this.data.diagonal) {
      pen.strokeStyle = theme.hatch;
      pen.setLineDash([4, 4]);
      const [low, high] = [Math.max(x.low, y.low), Math.min(x.high, y.high)];
      line(pen, ...this.placeOf({ x: low, y: low }), ...this.placeOf({ x: high, y: high }));
      pen.setLineDash([]);
    }
    pen.fillStyle = theme.text;
    pen.textAlign = "right";
    pen.fillText(`${x.title} →`, left + width, top + height + 25);
    pen.textAlign = "left";
    pen.fillText(`↑ ${y.title}`, 4, 8);
  }
}

function line(pen: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}
