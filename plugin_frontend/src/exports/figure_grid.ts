// All heads of a map as a figure: the thumbnails with layers down and heads across.
import { clamp } from "../base/numbers";
import { formatNumber } from "../base/format";
import { distanceOf } from "../data/distance";
import { diverging, sequential, unitToDifference, unitToWeight } from "../render/colormap";
import { packedColours, paintPixels } from "../render/grid_canvas2d";
import { gridLayout, type GridCell, type GridLayout } from "../render/grid_layout";
import { notFiniteIn } from "../render/grid_marks";
import { gridScene, type GridScene } from "../render/grid_scene";
import { layerShapes } from "../render/head_grid";
import { renderTheme, type RenderTheme } from "../render/theme";
import type { GridData, GridOptions } from "../render/types";
import { lineHeight, moved, pageWidth, textSize, type BarTick, type Figure, type Heading, type Mark, type Measure } from "./figure";
import { finest, mostTexels } from "./figure_cells";
import { pageMargin, pageOf } from "./figure_page";

export interface GridPicture {
  readonly data: GridData;
  readonly options: GridOptions;
  readonly heading: Heading;
  readonly scale: string;
  /** Titles of the axes. */
  readonly headTitle: string;
  readonly layerTitle: string;
}

const mostHeight = 640;

function layoutOf({ data }: GridPicture): GridLayout {
  return gridLayout({ width: pageWidth - 2 * pageMargin - lineHeight(textSize), height: mostHeight, layers: layerShapes(data) });
}

/** The thumbnails at one pixel per texel, each on its own. */
function vectorMarks(scene: GridScene): Mark[] {
  return scene.thumbs.map((draw): Mark => {
    const { thumbCols: columns, thumbRows: rows } = draw.a.layer;
    const box = { x: 0, y: 0, width: columns, height: rows };
    const pixels = new Uint32Array(columns * rows);
    paintPixels({ ...scene, width: columns, height: rows, thumbs: [{ ...draw, box }] }, pixels);
    return { kind: "cells", ...draw.cell.thumb, columns, rows, pixels };
  });
}

function weightMarks(picture: GridPicture, layout: GridLayout): Mark[] {
  const { data, options } = picture;
  const scene = gridScene(data, options, layout, 1);
  const texels = scene.thumbs.reduce((sum, { a }) => sum + a.layer.thumbCols * a.layer.thumbRows, 0);
  if (texels <= mostTexels) return vectorMarks(scene);
  const fine = gridScene(data, options, layout, finest);
  const pixels = new Uint32Array(fine.width * fine.height);
  paintPixels(fine, pixels);
  return [{ kind: "cells", x: 0, y: 0, width: layout.width, height: layout.height, columns: fine.width, rows: fine.height, pixels }];
}

function frameMarks({ data, options }: GridPicture, layout: GridLayout, theme: RenderTheme): Mark[] {
  const scene = gridScene(data, options, layout, 1);
  const marks: Mark[] = [];
  for (const { thumb } of scene.absent) {
    marks.push({ kind: "hatch", ...thumb, stroke: theme.hatch, ground: theme.absent, opacity: 1 });
    marks.push({ kind: "rect", ...thumb, stroke: theme.line, line: 0.4 });
  }
  for (const { cell } of scene.thumbs) {
    marks.push({ kind: "rect", ...cell.thumb, stroke: theme.line, line: 0.4 });
    const distance = distanceOf(data.comparison, cell);
    if (distance === null) continue;
    if (!distance.belowFloor) marks.push(...distanceFrame(cell, distance.distance, theme));
    else if (options.mode === "diff") marks.push({ kind: "hatch", ...cell.thumb, stroke: theme.hatch, ground: null, opacity: 1 });
  }
  const notFinite = notFiniteIn(data, options.mode);
  for (const cell of [...scene.thumbs.map((draw) => draw.cell), ...scene.absent]) {
    if (notFinite(cell)) marks.push(...warning(cell, theme));
  }
  return marks;
}

/** As strong as the distance: nothing at 0, full at 1. */
function distanceFrame({ thumb, width }: GridCell, distance: number, theme: RenderTheme): Mark[] {
  const strength = Math.sqrt(clamp(distance, 0, 1));
  if (strength < 0.03) return [];
  const line = width >= 40 ? 2 : width >= 12 ? 1.2 : 0.5;
  const box = { x: thumb.x - line / 2, y: thumb.y - line / 2, width: thumb.width + line, height: thumb.height + line };
  return [{ kind: "rect", ...box, stroke: theme.distance, line, opacity: strength }];
}

function warning({ thumb, width }: GridCell, theme: RenderTheme): Mark[] {
  const size = clamp(width * 0.3, 4, 12);
  const x = thumb.x + thumb.width - size;
  return [
    { kind: "rect", x, y: thumb.y, width: size, height: size, fill: theme.warning },
    { kind: "text", x: x + size / 2, y: thumb.y + size / 2, text: "!", size: size * 0.85, fill: theme.ground, anchor: "middle", bold: true },
  ];
}

function numberMarks(layout: GridLayout, theme: RenderTheme): Mark[] {
  const style = { kind: "text", size: textSize, fill: theme.muted } as const;
  return [
    ...layout.rows.filter(({ shown }) => shown).map((label): Mark => ({ ...style, x: layout.labelWidth - 4, y: label.at, text: String(label.number), anchor: "end" })),
    ...layout.columns.filter(({ shown }) => shown).map((label): Mark => ({ ...style, x: label.at, y: layout.numberHeight - 7, text: String(label.number), anchor: "middle" })),
  ];
}

function lockMarks({ options }: GridPicture, layout: GridLayout, theme: RenderTheme): Mark[] {
  const cell = options.locked === null ? null : layout.cellOf(options.locked);
  if (cell === null) return [];
  const { x, y, width, height } = cell.thumb;
  return [{ kind: "rect", x: x - 1.5, y: y - 1.5, width: width + 3, height: height + 3, stroke: theme.locked, line: 1.2 }];
}

/** A thumbnail that ends at its own largest weight has no numbers in common with the others. */
function ticksOf(options: GridOptions): BarTick[] {
  const places = [0, 0.25, 0.5, 0.75, 1];
  if (options.mode === "diff") return places.map((at) => ({ at, text: formatNumber(unitToDifference(at, options)) }));
  const absolute = options.normalisation === "absolute";
  return places.map((at) => {
    const share = unitToWeight(at, 1, options);
    return { at, text: absolute || share === 0 ? formatNumber(share) : `${formatNumber(100 * share)} %` };
  });
}

export function gridFigure(picture: GridPicture, measure: Measure): Figure {
  const { options, heading } = picture;
  const theme = renderTheme(options.dark);
  const layout = layoutOf(picture);
  const aside = lineHeight(textSize);
  const inside = [
    ...weightMarks(picture, layout),
    ...frameMarks(picture, layout, theme),
    ...numberMarks(layout, theme),
    ...lockMarks(picture, layout, theme),
  ];
  const axis = { kind: "text", size: textSize, fill: theme.muted, anchor: "middle", bold: true } as const;
  const titles: Mark[] = [
    { ...axis, x: aside + layout.labelWidth + (layout.width - layout.labelWidth) / 2, y: aside / 2, text: picture.headTitle },
    { ...axis, x: aside / 2, y: aside + layout.labelHeight + (layout.height - layout.labelHeight) / 2, text: picture.layerTitle, turned: true },
  ];
  const colours = Uint32Array.from(packedColours(options.mode === "diff" ? diverging(options.dark) : sequential(options.dark)));
  return pageOf(heading, theme, measure, {
    body: { width: aside + layout.width, height: aside + layout.height, marks: [...moved(inside, aside, aside), ...titles] },
    bar: { label: picture.scale, colours, ticks: ticksOf(options) },
  });
}
