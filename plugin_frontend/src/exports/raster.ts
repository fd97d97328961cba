// A figure as pixels: drawn anew at the resolution of print, not copied from the screen.
import { context2d } from "../render/canvas";
import type { Figure, Mark, Measure } from "./figure";

/** Dots to an inch of a PNG. */
export const dotsPerInch = 400;
/** Browsers refuse larger canvases. */
const mostPixels = 16_384;

let pen: CanvasRenderingContext2D | null = null;

/** Measures with the page's own font. */
export function measureWith(font: string): Measure {
  pen ??= context2d(document.createElement("canvas"));
  const context = pen;
  // Measured large: hinting of small sizes would add up.
  return (text, size, bold) => {
    context.font = `${bold ? "600 " : ""}100px ${font}`;
    return (context.measureText(text).width * size) / 100;
  };
}

export function cellsCanvas(columns: number, rows: number, pixels: Uint32Array<ArrayBuffer>): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  context2d(canvas).putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength), columns, rows), 0, 0);
  return canvas;
}

function drawHatch(context: CanvasRenderingContext2D, mark: Extract<Mark, { kind: "hatch" }>): void {
  const { x, y, width, height, stroke, ground } = mark;
  context.save();
  context.globalAlpha = mark.opacity;
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  if (ground !== null) {
    context.fillStyle = ground;
    context.fillRect(x, y, width, height);
  }
  context.strokeStyle = stroke;
  context.lineWidth = 0.5;
  context.beginPath();
  for (let at = 0; at < width + height; at += 4) {
    context.moveTo(x + at, y);
    context.lineTo(x + at - height, y + height);
  }
  context.stroke();
  context.restore();
}

function drawText(context: CanvasRenderingContext2D, mark: Extract<Mark, { kind: "text" }>, font: string): void {
  context.save();
  context.translate(mark.x, mark.y);
  if (mark.turned === true) context.rotate(-Math.PI / 2);
  context.font = `${mark.bold === true ? "600 " : ""}${mark.size}px ${font}`;
  context.fillStyle = mark.fill;
  context.textAlign = mark.anchor === "start" ? "left" : mark.anchor === "end" ? "right" : "center";
  context.textBaseline = "middle";
  context.fillText(mark.text, 0, 0);
  context.restore();
}

function drawRect(context: CanvasRenderingContext2D, mark: Extract<Mark, { kind: "rect" }>): void {
  context.globalAlpha = mark.opacity ?? 1;
  if (mark.fill !== undefined) {
    context.fillStyle = mark.fill;
    context.fillRect(mark.x, mark.y, mark.width, mark.height);
  }
  if (mark.stroke !== undefined) {
    context.strokeStyle = mark.stroke;
    context.lineWidth = mark.line ?? 0.5;
    context.strokeRect(mark.x, mark.y, mark.width, mark.height);
  }
  context.globalAlpha = 1;
}

function drawLine(context: CanvasRenderingContext2D, mark: Extract<Mark, { kind: "line" }>): void {
  context.save();
  context.globalAlpha = mark.opacity ?? 1;
  context.strokeStyle = mark.stroke;
  context.lineWidth = mark.line;
  context.lineJoin = "round";
  context.setLineDash([...(mark.dash ?? [])]);
  context.beginPath();
  mark.points.forEach(([x, y]) => context.lineTo(x, y));
  context.stroke();
  context.restore();
}

function drawArea(context: CanvasRenderingContext2D, mark: Extract<Mark, { kind: "area" }>): void {
  context.globalAlpha = mark.opacity;
  context.fillStyle = mark.fill;
  context.beginPath();
  mark.points.forEach(([x, y]) => context.lineTo(x, y));
  context.fill();
  context.globalAlpha = 1;
}

function drawDot(context: CanvasRenderingContext2D, mark: Extract<Mark, { kind: "dot" }>): void {
  context.globalAlpha = mark.opacity ?? 1;
  context.fillStyle = mark.fill;
  context.beginPath();
  context.arc(mark.x, mark.y, mark.radius, 0, 2 * Math.PI);
  context.fill();
  if (mark.stroke !== undefined) {
    context.strokeStyle = mark.stroke;
    context.lineWidth = mark.line ?? 0.5;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawMark(context: CanvasRenderingContext2D, mark: Mark, font: string): void {
  switch (mark.kind) {
    case "rect":
      { drawRect(context, mark); return; }
    case "text":
      { drawText(context, mark, font); return; }
    case "hatch":
      { drawHatch(context, mark); return; }
    case "line":
      { drawLine(context, mark); return; }
    case "area":
      { drawArea(context, mark); return; }
    case "dot":
      { drawDot(context, mark); return; }
    case "cells":
      context.imageSmoothingEnabled = false;
      context.drawImage(cellsCanvas(mark.columns, mark.rows, mark.pixels), mark.x, mark.y, mark.width, mark.height);
  }
}

/** Draws the figure at `dots` to the inch, or as many as a canvas can hold. */
export function rasterise(figure: Figure, dots = dotsPerInch): { readonly canvas: HTMLCanvasElement; readonly dots: number } {
  const scale = Math.min(dots / 72, mostPixels / Math.max(figure.width, figure.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(figure.width * scale);
  canvas.height = Math.round(figure.height * scale);
  const context = context2d(canvas);
  context.fillStyle = figure.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  for (const mark of figure.marks) drawMark(context, mark, figure.font);
  return { canvas, dots: scale * 72 };
}
