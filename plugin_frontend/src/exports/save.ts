// Hands a file to the reader. A blob: address works under TensorBoard's content security policy, which
// has nothing to say about downloads.
import { csv } from "./csv";
import { fileName } from "./file_name";
import { npy } from "./npy";
import { withResolution } from "./png";
import { measureWith, rasterise } from "./raster";
import type { Exportable, Format } from "./registry";
import { svgText } from "./svg";
import { renderTheme } from "../render/theme";

/** The browser reads the blob after the click has returned. */
const releaseMs = 60_000;

export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), releaseMs);
}

const failed = (): Error => new Error("The browser could not draw a picture of this size: zoom in, or save SVG.");

async function pngBlob(entry: Exportable): Promise<Blob> {
  if (entry.figure === undefined) throw failed();
  const { canvas, dots } = rasterise(await entry.figure(measureWith(renderTheme(false).font)));
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob === null) throw failed();
  return new Blob([withResolution(new Uint8Array(await blob.arrayBuffer()), dots)], { type: "image/png" });
}

async function blobOf(entry: Exportable, format: Format): Promise<Blob | undefined> {
  switch (format) {
    case "png":
      return pngBlob(entry);
    case "svg":
      return entry.figure && new Blob([svgText(await entry.figure(measureWith(renderTheme(false).font)))], { type: "image/svg+xml" });
    case "csv":
      // Spreadsheets take a file without the mark for one in the system's old encoding.
      return entry.table && new Blob(["\uFEFF", csv(entry.table())], { type: "text/csv;charset=utf-8" });
    case "npy":
      return entry.array && new Blob([npy(entry.array.make())], { type: "application/octet-stream" });
  }
}

/** Saves one thing in one format; resolves to the file's name. */
export async function saveAs(entry: Exportable, format: Format): Promise<string> {
  const blob = await blobOf(entry, format);
  const name = fileName(entry.parts, format);
  if (blob !== undefined) saveFile(blob, name);
  return name;
}
