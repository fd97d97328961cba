// The edges: one of everything, very much of everything, and logs that change. Each is laid out whole at both sizes.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "@playwright/test";
import { expectLaidOut } from "./layout";
import { expect, test, type View } from "./tensorboard";

const panelOf = (frame: View, run: string): Locator => frame.locator(`[data-testid=panel][data-run="${run}"]`);
const exact = (panel: Locator): Promise<void> => expect(panel.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");

test.describe.configure({ timeout: 120_000 });

test("one layer, one head, one token", async ({ open, page }) => {
  const frame = await open("edges", "&p.llmdebug.runs=one");
  const panel = panelOf(frame, "one");
  await expect(panel.getByTestId("caption")).toContainText("1 × 1 tokens");
  await exact(panel);
  await panel.locator(".focus-canvas").hover();
  const cursor = panel.getByTestId("grid-cursor");
  await cursor.focus();
  for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]) await cursor.press(key);
  await expect(frame.getByTestId("head-title")).toContainText("Layer 0, head 0");
  await expect(frame.locator("[data-testid=statistics] td[data-statistic=entropy]")).toHaveText("0 bit");
  await expectLaidOut(page, frame);
});

test("2,048 tokens beside one token", async ({ open, page }) => {
  const frame = await open("edges", "&p.llmdebug.runs=long,one&p.llmdebug.layer=0&p.llmdebug.head=1");
  const panel = panelOf(frame, "long");
  await expect(panel.getByTestId("caption")).toContainText("2,048 × 2,048 tokens");
  await exact(panel);
  await expect(panelOf(frame, "one")).toContainText("one has no layer 0 head 1.");
  expect(await frame.locator("body").evaluate((body) => body.querySelectorAll("*").length)).toBeLessThan(3000);
  await expectLaidOut(page, frame);
});

/** Where the weights of a map begin: the corner that pointing at a weight has, from that of its canvas. */
async function cornerOf(page: Page, panel: Locator): Promise<readonly [number, number]> {
  const box = await panel.locator(".focus-canvas").boundingBox();
  if (box === null) throw new Error("there is no map");
  const readout = panel.getByTestId("cell-readout");
  const onWeight = async (x: number, y: number): Promise<boolean> => {
    await page.mouse.move(box.x + x, box.y + y);
    await page.waitForTimeout(30);
    return (await readout.textContent())?.includes("→") ?? false;
  };
  let [x, y] = [24, 24];
  while (!(await onWeight(x, y))) [x, y] = [x + 8, y + 8];
  while (await onWeight(x - 1, y)) x -= 1;
  while (await onWeight(x, y - 1)) y -= 1;
  return [x, y];
}

test("maps of long and short tokens begin at the same place", async ({ open, page }) => {
  const frame = await open("edges", "&p.llmdebug.runs=one,steps&p.llmdebug.layer=0&p.llmdebug.head=0&p.llmdebug.lens=sinks%3Dshown");
  for (const run of ["one", "steps"]) await exact(panelOf(frame, run));
  expect(await cornerOf(page, panelOf(frame, "one"))).toEqual(await cornerOf(page, panelOf(frame, "steps")));
});

test("500 logged steps can all be reached", async ({ open, page }) => {
  const frame = await open("edges", "&p.llmdebug.runs=steps&p.llmdebug.step=253");
  const panel = panelOf(frame, "steps");
  await expect(panel.getByTestId("panel-step")).toContainText("step 253");
  await expect(frame.getByTestId("scrubber")).toHaveAttribute("aria-valuemax", "499");
  await page.keyboard.press("]");
  await expect(panel.getByTestId("panel-step")).toContainText("step 254");
  await page.keyboard.press("End");
  await frame.getByTestId("scrubber").focus();
  await page.keyboard.press("End");
  await expect(panel.getByTestId("panel-step")).toContainText("step 499");
  await page.keyboard.press("Home");
  await expect(panel.getByTestId("panel-step")).toContainText("step 0");
  await expectLaidOut(page, frame);
});

test("30 runs are listed, filtered by regular expression, and a few are shown", async ({ open, page }) => {
  const frame = await open("edges");
  await expect(frame.getByTestId("run")).toHaveCount(30);
  expect(await frame.getByTestId("panel").count()).toBeLessThanOrEqual(8);
  await frame.getByTestId("run-filter").fill("seed=1[0-4]$");
  await expect(frame.getByTestId("run")).toHaveCount(5);
  await frame.getByTestId("run-filter").fill("");
  await expect(frame.getByTestId("run")).toHaveCount(30);
  await expectLaidOut(page, frame);
  for (const view of ["heads"]) {
    await frame.getByTestId(`tab-${view}`).click();
    await expect(frame.getByTestId("spark-grid")).toBeVisible();
    await expectLaidOut(page, frame);
  }
});

test("64 x 64 heads", async ({ open, page }) => {
  // The last: the longest name that the bar has room for.
  const frame = await open("heads", "&p.llmdebug.layer=63&p.llmdebug.head=63");
  await expect(frame.getByTestId("focus-map")).toBeVisible();
  await expectLaidOut(page, frame);
});

test("a run that is still growing", async ({ open, serve, page }) => {
  const frame = await open("growing");
  const { grow } = await serve("growing");
  const before = Number(await frame.getByTestId("scrubber").getAttribute("aria-valuemax"));
  await grow();
  await expect(frame.getByTestId("scrubber")).toHaveAttribute("aria-valuemax", String(before + 10), { timeout: 30_000 });
  await expectLaidOut(page, frame);
});

test("a restarted run beside one that is damaged", async ({ open, page }) => {
  const frame = await open("restarted", "&p.llmdebug.runs=run,damaged");
  await expect(frame.locator("[data-testid=run][data-run=run]").getByTestId("session")).toBeVisible();
  await expect(panelOf(frame, "run").getByTestId("focus-map")).toBeVisible();
  await expectLaidOut(page, frame);
});

test("a record that was damaged after it was found stands beside a whole one, and says what to do", async ({ open, serve, page }) => {
  // Once it is shown, it has been found.
  await expect(panelOf(await open("restarted"), "run").getByTestId("panel-step")).toContainText("step 80");
  await page.goto("about:blank");
  const { logdir } = await serve("restarted");
  const folder = join(logdir, "run", "plugins", "llmdebug");
  const newest = readdirSync(folder).sort().at(-1) ?? "";
  const path = join(folder, newest);
  const whole = readFileSync(path);
  const damaged = Buffer.from(whole);
  // In the maps of its first record, step 20.
  damaged[3000] = (damaged[3000] ?? 0) ^ 255;
  // In place: a file that was cut would be read anew.
  const write = (bytes: Buffer): void => writeFileSync(path, bytes, { flag: "r+" });
  try {
    write(damaged);
    // A step far from the one that was looked at: it has to be read.
    const frame = await open("restarted", "&p.llmdebug.runs=run,damaged&p.llmdebug.step=20");
    const panel = panelOf(frame, "run");
    await expect(panel.getByTestId("failure")).toContainText(/could not be shown: .*checksum.* Choose another step\./);
    await expect(panel.getByRole("table")).toHaveCount(0);
    await expect(panel).not.toContainText("has no layer");
    await expect(panelOf(frame, "damaged").getByTestId("focus-map")).toBeVisible();
    await expectLaidOut(page, frame);
  } finally {
    write(whole);
  }
});

test("different architectures side by side", async ({ open, page }) => {
  const frame = await open("real", "&p.llmdebug.runs=llama,mistral,jamba,ragged&p.llmdebug.layer=1&p.llmdebug.head=5");
  for (const run of ["llama", "mistral", "jamba", "ragged"]) await exact(panelOf(frame, run));
  await expectLaidOut(page, frame);
});
