// Runs x steps: one canvas as large as what is in sight, over a space as wide as all steps.
import { Disposables, type Disposable } from "../base/disposables";
import { frames } from "../base/frames";
import type { HeadPicture } from "../data/multiples";
import { hatchPattern, layerCanvas, sizeCanvas } from "./canvas";
import {
  AXIS_HEIGHT,
  columnLeft,
  columnsInSight,
  multiplesLayout,
  placeAt,
  TITLE_HEIGHT,
  type MultiplesLayout,
  type PictureSize,
  type Place,
  type RowPlace,
} from "./multiples_layout";
import { TileCache, type TileScale } from "./multiples_tile";
import { renderTheme, type RenderTheme } from "./theme";

export interface MultiplesCell {
  readonly state: "absent" | "dropped" | "statistics" | "waiting" | "failed" | "picture" | "incomparable";
  readonly picture: HeadPicture | null;
  /** B-A is shown where this is set. */
  readonly base: HeadPicture | null;
  /** Storing alone could have made all of B-A. */
  readonly belowFloor: boolean;
  /** "A", "B" or "AB" where a pin is. */
  readonly pin: string;
}

export interface MultiplesData {
  readonly titles: readonly { readonly text: string; readonly colour: string }[];
  readonly sizes: readonly (PictureSize | null)[];
  /** How each step is named on the axis. */
  readonly labels: readonly string[];
  readonly cell: (at: Place) => MultiplesCell;
  readonly scale: TileScale;
  /** Column of the step on screen, -1 = none. */
  readonly current: number;
  readonly hovered: Place | null;
}

export interface MultiplesEvents {
  readonly hover: (at: Place | null) => void;
  readonly select: (at: Place) => void;
  /** Other columns came into sight. */
  readonly range: (range: { readonly first: number; readonly end: number }) => void;
  readonly layout: (layout: MultiplesLayout) => void;
}

/** What was not kept, and what cannot be told from the rounding. */
interface Hatches {
  readonly missing: CanvasPattern | string;
  readonly unsure: CanvasPattern | string;
}

const NOTHING: MultiplesLayout = multiplesLayout([], 0, 1);

export class MultiplesGrid implements Disposable {
  private readonly space: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly pen: CanvasRenderingContext2D;
  private readonly tiles = new TileCache();
  private readonly life = new Disposables();
  private data: MultiplesData | null = null;
  private current: MultiplesLayout = NOTHING;
  private range = "";
  private pointed = "";

  /** `host` scrolls. */
  constructor(
    private readonly host: HTMLElement,
    private readonly events: MultiplesEvents,
  ) {
    this.space = document.createElement("div");
    this.stage = document.createElement("div");
    Object.assign(this.space.style, { position: "relative" });
    Object.assign(this.stage.style, { position: "sticky", left: "0", top: "0" });
    this.space.append(this.stage);
    host.prepend(this.space);
    this.pen = layerCanvas(this.stage);
    this.life.add(() => this.space.remove());
    this.life.add(() => this.tiles.clear());
    this.life.add(() => frames.cancel(this.draw));
    const observer = new ResizeObserver(this.redraw);
    observer.observe(host);
    this.life.add(() => observer.disconnect());
    this.life.listen(window, "resize", this.redraw);
    this.life.listen(host, "scroll", this.redraw, { passive: true });
    this.life.listen(host, "pointermove", (event) => this.point(this.placeOf(event as PointerEvent)));
    this.life.listen(host, "pointerleave", () => this.point(null));
    this.life.listen(host, "click", (event) => {
      const at = this.placeOf(event as PointerEvent);
      if (at !== null) this.events.select(at);
    });
  }

  set(data: MultiplesData): void {
    this.data = data;
    this.measure();
    this.redraw();
  }

  get layout(): MultiplesLayout {
    return this.current;
  }

  /** Brings a column to the middle, or as near as the ends allow. */
  centre(column: number): void {
    if (column < 0) return;
    const { clientWidth } = this.host;
    this.host.scrollLeft = columnLeft(this.current, column) - (clientWidth - this.current.cell) / 2;
    this.redraw();
  }

  drawNow(): void {
    this.draw();
  }

  dispose(): void {
    this.life.dispose();
  }

  private readonly redraw = (): void => frames.draw(this.draw);

  private measure(): void {
    const { data } = this;
    if (data === null) return;
    const before = this.current;
    const middle = this.host.scrollLeft + this.host.clientWidth / 2;
    this.current = multiplesLayout(data.sizes, data.labels.length, devicePixelRatio);
    Object.assign(this.space.style, { width: `${this.current.width}px`, height: `${this.current.height}px` });
    // The columns in sight stay in sight: else others would be asked for until somebody centres anew.
    if (before.pitch !== this.current.pitch) this.host.scrollLeft += middle * (this.current.pitch / before.pitch - 1);
    if (JSON.stringify(before) !== JSON.stringify(this.current)) this.events.layout(this.current);
  }

  private placeOf(event: MouseEvent): Place | null {
    const box = this.host.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    // The scroll bars are not the pictures.
    if (x >= this.host.clientWidth || y >= this.host.clientHeight || y < AXIS_HEIGHT) return null;
    return placeAt(this.current, x + this.host.scrollLeft, y + this.host.scrollTop, this.data?.labels.length ?? 0);
  }

  private point(at: Place | null): void {
    const name = at === null ? "" : `${at.row}.${at.column}`;
    if (name === this.pointed) return;
    this.pointed = name;
    this.host.style.cursor = at === null ? "" : "pointer";
    this.events.hover(at);
  }

  private readonly draw = (): void => {
    const { data, host } = this;
    if (data === null) return;
    const dpr = devicePixelRatio;
    this.measure();
    const layout = this.current;
    const [width, height] = [host.clientWidth, host.clientHeight];
    Object.assign(this.stage.style, { width: `${width}px`, height: `${Math.min(height, layout.height)}px` });
    const { first, end } = columnsInSight(layout, host.scrollLeft, width, data.labels.length);
    if (this.range !== `${first} ${end}`) {
      this.range = `${first} ${end}`;
      this.events.range({ first, end });
    }
    sizeCanvas(this.pen, width, height, dpr);
    const theme = renderTheme(data.scale.dark);
    const pen = this.pen;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, width, height);
    // Whole device pixels: a texel must not fall between two.
    const left = Math.round(host.scrollLeft * dpr) / dpr;
    const top = Math.round(host.scrollTop * dpr) / dpr;
    const hatches: Hatches = { missing: hatchPattern(pen, theme, dpr, true), unsure: hatchPattern(pen, theme, dpr, false) };
    this.drawCurrent(data, theme, left, height);
    layout.rows.forEach((row, place) => {
      if (row.y - top > height || row.y + row.height - top < 0) return;
      for (let column = first; column < end; column += 1) {
        const x = columnLeft(layout, column) - left;
        this.drawCell(data, { row: place, column }, { ...row, y: row.y - top }, x, theme, hatches);
      }
      this.drawTitle(data, place, row.y - top - TITLE_HEIGHT, theme, width);
    });
    this.drawAxis(data, theme, first, end, left, width);
  };

  private drawCurrent(data: MultiplesData, theme: RenderTheme, left: number, height: number): void {
    if (data.current < 0) return;
    const { pen } = this;
    pen.fillStyle = theme.locked;
    pen.globalAlpha = 0.14;
    pen.fillRect(columnLeft(this.current, data.current) - left - 4, 0, this.current.cell + 8, height);
    pen.globalAlpha = 1;
  }

  private drawCell(data: MultiplesData, at: Place, row: RowPlace, x: number, theme: RenderTheme, hatches: Hatches): void {
    const { pen } = this;
    const { state, picture, base, belowFloor, pin } = data.cell(at);
    const line = 1 / devicePixelRatio;
    if (picture !== null && state === "picture") {
      pen.imageSmoothingEnabled = false;
      pen.drawImage(this.tiles.tile(picture, base, data.scale), x, row.y, row.width, row.height);
      if (belowFloor) this.fill(x, row, hatches.unsure);
      this.frame(x, row, theme.line, line);
      if (picture.notFinite) this.drawGlyph("!", x + row.width - 14, row.y, theme);
    } else if (state !== "absent") {
      this.fill(x, row, state === "dropped" || state === "failed" ? hatches.missing : theme.absent);
      this.frame(x, row, theme.line, line);
      const glyph = state === "failed" ? "!" : state === "incomparable" ? "≠" : state === "statistics" ? "Σ" : "";
      if (glyph !== "") this.drawGlyph(glyph, x + row.width / 2 - 7, row.y + row.height / 2 - 7, theme, glyph !== "!");
    }
    if (pin !== "") {
      this.frame(x, row, theme.pin, 2);
      this.drawPin(pin, x, row.y, theme);
    }
    if (at.column === data.current) this.frame(x, row, theme.locked, 2);
    if (data.hovered?.row === at.row && data.hovered.column === at.column) this.frame(x, row, theme.hovered, 1.5);
  }

  private fill(x: number, { y, width, height }: RowPlace, style: CanvasPattern | string): void {
    this.pen.fillStyle = style;
    this.pen.fillRect(x, y, width, height);
  }

  private frame(x: number, { y, width, height }: RowPlace, colour: string, line: number): void {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = line;
    this.pen.strokeRect(x - line / 2, y - line / 2, width + line, height + line);
  }

  private drawGlyph(glyph: string, x: number, y: number, theme: RenderTheme, quiet = false): void {
    const { pen } = this;
    if (!quiet) {
      pen.fillStyle = theme.warning;
      pen.fillRect(x, y, 14, 14);
    }
    pen.fillStyle = quiet ? theme.muted : theme.ground;
    pen.font = `${quiet ? "14px" : "bold 12px"} ${theme.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(glyph, x + 7, y + 7.5);
  }

  private drawPin(pin: string, x: number, y: number, theme: RenderTheme): void {
    const { pen } = this;
    pen.font = `bold 11px ${theme.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const width = 8 * pin.length + 6;
    pen.fillStyle = theme.pin;
    pen.fillRect(x - 1, y - 1, width, 15);
    pen.fillStyle = theme.ground;
    pen.fillText(pin, x - 1 + width / 2, y + 7);
  }

  /** Stays at the left edge while the pictures move. */
  private drawTitle(data: MultiplesData, row: number, y: number, theme: RenderTheme, width: number): void {
    const title = data.titles[row];
    if (title === undefined) return;
    const { pen } = this;
    pen.fillStyle = title.colour;
    pen.fillRect(8, y + 4, 4, 13);
    pen.font = `600 12px ${theme.font}`;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillStyle = theme.text;
    pen.fillText(title.text, 18, y + 11, width - 30);
  }

  private drawAxis(data: MultiplesData, theme: RenderTheme, first: number, end: number, left: number, width: number): void {
    const { pen, current: layout } = this;
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, width, AXIS_HEIGHT);
    this.drawAxisMark(data, theme, left);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let column = first; column < end; column += 1) {
      const here = column === data.current;
      pen.font = `${here ? "600 " : ""}11px ${theme.font}`;
      pen.fillStyle = here ? theme.text : theme.muted;
      pen.fillText(data.labels[column] ?? "", columnLeft(layout, column) - left + layout.cell / 2, AXIS_HEIGHT / 2, layout.cell + 6);
    }
    pen.fillStyle = theme.line;
    pen.fillRect(0, AXIS_HEIGHT - 1, width, 1);
  }

  private drawAxisMark(data: MultiplesData, theme: RenderTheme, left: number): void {
    if (data.current < 0) return;
    this.pen.fillStyle = theme.locked;
    this.pen.fillRect(columnLeft(this.current, data.current) - left - 4, AXIS_HEIGHT - 3, this.current.cell + 8, 3);
  }
}
