// A figure as SVG. Built as a document and serialised, so that logged text is text whatever it says.
import type { Figure, Mark, Point } from "./figure";
import { cellsCanvas } from "./raster";

const svgSpace = "http://www.w3.org/2000/svg";
/** Cells up to which each is a rectangle; more are one embedded picture. */
export const mostRects = 8192;
/** Programs that smooth pictures do it over less, the more pixels a cell has. */
const leastPixels = 2048;

type Attributes = Readonly<Record<string, string | number>>;

/** What XML cannot hold, even escaped, is shown as a replacement character. */
const forbidden = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

class Drawing {
  readonly document: XMLDocument;
  private hatches = 0;

  constructor(figure: Figure) {
    this.document = document.implementation.createDocument(svgSpace, "svg", null);
    const root = this.document.documentElement;
    const [width, height] = [round(figure.width), round(figure.height)];
    set(root, { width: `${width}pt`, height: `${height}pt`, viewBox: `0 0 ${width} ${height}`, "font-family": figure.font, role: "img" });
    this.text(this.add(root, "title", {}), figure.title);
    this.add(root, "rect", { width, height, fill: figure.ground });
    for (const mark of figure.marks) this.mark(root, mark);
  }

  private add(parent: Element, name: string, attributes: Attributes): Element {
    const element = this.document.createElementNS(svgSpace, name);
    set(element, attributes);
    parent.append(element);
    return element;
  }

  private text(element: Element, text: string): void {
    element.textContent = text.replace(forbidden, "\uFFFD");
  }

  private mark(root: Element, mark: Mark): void {
    switch (mark.kind) {
      case "rect":
        this.add(root, "rect", {
          ...boxOf(mark),
          fill: mark.fill ?? "none",
          ...(mark.stroke === undefined ? {} : { stroke: mark.stroke, "stroke-width": mark.line ?? 0.5 }),
          ...(mark.opacity === undefined ? {} : { opacity: round(mark.opacity) }),
        });
        return;
      case "line":
        this.add(root, "polyline", {
          points: pointsText(mark.points),
          fill: "none",
          stroke: mark.stroke,
          "stroke-width": mark.line,
          "stroke-linejoin": "round",
          ...(mark.dash === undefined ? {} : { "stroke-dasharray": mark.dash.join(" ") }),
          ...(mark.opacity === undefined ? {} : { opacity: round(mark.opacity) }),
        });
        return;
      case "area":
        this.add(root, "polygon", { points: pointsText(mark.points), fill: mark.fill, opacity: round(mark.opacity) });
        return;
      case "dot":
        this.add(root, "circle", {
          cx: round(mark.x),
          cy: round(mark.y),
          r: round(mark.radius),
          fill: mark.fill,
          ...(mark.stroke === undefined ? {} : { stroke: mark.stroke, "stroke-width": mark.line ?? 0.5 }),
          ...(mark.opacity === undefined ? {} : { opacity: round(mark.opacity) }),
        });
        return;
      case "text":
        { this.label(root, mark); return; }
      case "hatch":
        { this.hatch(root, mark); return; }
      case "cells":
        if (mark.columns * mark.rows <= mostRects) this.rects(root, mark);
        else this.picture(root, mark);
    }
  }

  private label(root: Element, mark: Extract<Mark, { kind: "text" }>): void {
    const [x, y] = [round(mark.x), round(mark.y)];
    const element = this.add(root, "text", {
      ...(mark.turned === true ? { transform: `translate(${x} ${y}) rotate(-90)` } : { x, y }),
      // Not every program knows dominant-baseline.
      dy: "0.35em",
      "font-size": round(mark.size),
      fill: mark.fill,
      "text-anchor": mark.anchor,
      ...(mark.bold === true ? { "font-weight": 600 } : {}),
    });
    this.text(element, mark.text);
  }

  private hatch(root: Element, mark: Extract<Mark, { kind: "hatch" }>): void {
    this.hatches += 1;
    const id = `hatch${this.hatches}`;
    const pattern = this.add(root, "pattern", { id, width: 3, height: 3, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
    if (mark.ground !== null) this.add(pattern, "rect", { width: 3, height: 3, fill: mark.ground });
    this.add(pattern, "line", { x1: 0, y1: 0, x2: 0, y2: 3, stroke: mark.stroke, "stroke-width": 1 });
    this.add(root, "rect", { ...boxOf(mark), fill: `url(#${id})`, opacity: mark.opacity });
  }

  /** Neighbours of one colour in a row are one rectangle. */
  private rects(root: Element, { x, y, width, height, columns, rows, pixels }: Extract<Mark, { kind: "cells" }>): void {
    const group = this.add(root, "g", { "shape-rendering": "crispEdges" });
    const [cell, line] = [width / columns, height / rows];
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; ) {
        const colour = pixels[row * columns + column] ?? 0;
        let end = column + 1;
        while (end < columns && pixels[row * columns + end] === colour) end += 1;
        if (colour >>> 24 !== 0) {
          const box = { x: x + column * cell, y: y + row * line, width: (end - column) * cell, height: line };
          this.add(group, "rect", { ...boxOf(box), fill: hex(colour) });
        }
        column = end;
      }
    }
  }

  private picture(root: Element, mark: Extract<Mark, { kind: "cells" }>): void {
    const times = Math.max(1, Math.min(8, Math.floor(leastPixels / Math.max(mark.columns, mark.rows))));
    const canvas = document.createElement("canvas");
    canvas.width = mark.columns * times;
    canvas.height = mark.rows * times;
    const context = canvas.getContext("2d");
    if (context === null) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(cellsCanvas(mark.columns, mark.rows, mark.pixels), 0, 0, canvas.width, canvas.height);
    this.add(root, "image", {
      ...boxOf(mark),
      preserveAspectRatio: "none",
      style: "image-rendering: pixelated",
      href: canvas.toDataURL("image/png"),
    });
  }
}

function boxOf({ x, y, width, height }: { x: number; y: number; width: number; height: number }): Attributes {
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

const pointsText = (points: readonly Point[]): string => points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** A little-endian RGBA pixel as "#rrggbb". */
function hex(pixel: number): string {
  const rgb = ((pixel & 255) << 16) | (pixel & 0xff00) | ((pixel >>> 16) & 255);
  return `#${rgb.toString(16).padStart(6, "0")}`;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

export function svgText(figure: Figure): string {
  const { document: made } = new Drawing(figure);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(made)}\n`;
}
