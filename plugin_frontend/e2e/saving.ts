// Saving through the export menu, and opening what was saved.
import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { expect, type Page, type TestInfo } from "@playwright/test";
import type { View } from "./tensorboard";

const PYTHON = process.env["PYTHON"] ?? "python3";

/** Runs Python with `logdir`, what was logged. */
function pythonOver(logdir: string, body: readonly string[], ...files: string[]): string {
  const script = ["import csv, json, sys", "import numpy as np", "import tb_llmdebug as llmdebug", "logdir = llmdebug.open_logdir(sys.argv[1])", ...body];
  return execFileSync(PYTHON, ["-c", script.join("\n"), logdir, ...files], { encoding: "utf8" }).trim();
}

/** Turns a byte in the middle of a run's first maps around, on the disk. */
export function damage(logdir: string, run: string): void {
  pythonOver(logdir, [
    `series = next(one for found in logdir.index.runs() if found.name == "${run}" for one in found.all_series() if one.name == "decoder")`,
    "at = series.entries[0].location",
    'with open(at.source.path, "r+b") as file:',
    "    file.seek(at.offset + at.length // 2)",
    "    byte = file.read(1)[0]",
    "    file.seek(-1, 1)",
    "    file.write(bytes([byte ^ 255]))",
  ]);
}

/** Runs Python with `a`, the weights that were logged (layer 2 head 1 of all-weights, step 50), and the files' paths. */
export function python(logdir: string, body: string, ...files: string[]): string {
  const weights = [
    'record = logdir.attention("all-weights", "decoder", step=50)',
    "a = record.weights(2, 1)",
    "files = sys.argv[2:]",
    body,
  ];
  return pythonOver(logdir, weights, ...files);
}

/** Saves an item of the menu, also of a saved page; the path of the file. */
export async function save(page: Page, frame: View, item: string, info: TestInfo, nth = 0): Promise<string> {
  await frame.getByTestId("export").click();
  const [download] = await Promise.all([page.waitForEvent("download"), frame.getByTestId(item).nth(nth).click()]);
  const path = info.outputPath(download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** The page fetches exact weights after thumbnails: only these can be saved. */
export async function exact(frame: View): Promise<void> {
  await expect(frame.getByTestId("focus-map").first()).toHaveAttribute("data-stale", "false");
}

export interface Seen {
  readonly problems: string[];
  readonly requests: string[];
}

/** Opens a saved page as a reader does: from the disk, with no network. */
export async function openSaved(page: Page, path: string, hash = ""): Promise<Seen> {
  const problems: string[] = [];
  const requests: string[] = [];
  await page.context().setOffline(true);
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("dialog", (dialog) => {
    problems.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) requests.push(request.url());
  });
  await page.goto(`${pathToFileURL(path).href}${hash}`);
  await expect(page.getByTestId("saved")).toBeVisible({ timeout: 30_000 });
  return { problems, requests };
}
