// The Attention view as a person uses it.
import type { Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

const panelOf = (frame: View, run: string) => frame.locator(`[data-testid=panel][data-run="${run}"]`);

/** The pixels of a panel's grid, to tell whether it changed. */
async function picture(frame: View, run: string): Promise<string> {
  return (await panelOf(frame, run).getByTestId("head-grid").screenshot()).toString("base64");
}

async function hash(page: Page): Promise<string> {
  await page.waitForTimeout(300); // longer than the page waits before it writes the hash
  return decodeURIComponent(new URL(page.url()).hash);
}

test("runs stand side by side at the last step, with a head in focus", async ({ open }) => {
  const frame = await open("ordinary");
  await expect(frame.getByTestId("panel")).not.toHaveCount(0);
  expect(await frame.getByTestId("panel").count()).toBeGreaterThanOrEqual(2);
  const panel = panelOf(frame, "all-weights");
  await expect(panel.getByTestId("panel-step")).toContainText("90");
  await expect(panel.getByTestId("caption")).toContainText("10 × 10 tokens");
  await expect(panel.getByTestId("head-grid")).toBeVisible();
  await expect(panel.getByTestId("focus-map")).toBeVisible();
  await expect(panel.getByTestId("running-text")).toContainText("quick");
});

test("no element stands for a weight", async ({ open }) => {
  const frame = await open("ordinary");
  await expect(panelOf(frame, "all-weights").getByTestId("focus-map")).toBeVisible();
  const elements = await frame.locator("body").evaluate((body) => body.querySelectorAll("*").length);
  expect(elements).toBeLessThan(3 * 12 * 10 * 10); // three panels of 12 heads of 10 x 10 weights
});

test("hovering a head previews it in every panel, a click locks it, Esc releases it", async ({ open, page }) => {
  const frame = await open("ordinary");
  const grid = panelOf(frame, "all-weights").getByTestId("head-grid");
  const title = frame.getByTestId("head-title");
  await expect(panelOf(frame, "all-weights").getByTestId("focus-map")).toBeVisible();
  const box = await grid.locator(".grid-canvas").boundingBox();
  if (box === null) throw new Error("the grid has no box");
  const at = { x: box.x + 120, y: box.y + 100 };
  const before = await title.textContent();
  await page.mouse.move(at.x, at.y);
  await expect(title).not.toHaveText(before ?? "");
  const hovered = (await title.textContent()) ?? "";
  await page.mouse.click(at.x, at.y);
  await page.mouse.move(5, 400);
  await expect(title).toContainText(/Layer \d, head \d/);
  const name = /Layer \d, head \d/.exec(hovered)?.[0] ?? "none";
  await expect(title).toContainText(name);
  expect(await hash(page)).toContain("p.llmdebug.layer=");
  await page.keyboard.press("Escape");
  await expect.poll(() => hash(page)).not.toContain("p.llmdebug.layer=");
});

test("keys work right after a reload, and while the focus is on TensorBoard's own page", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.layer=1&p.llmdebug.head=2");
  await page.reload();
  const title = frame.getByTestId("head-title");
  await expect(title).toContainText("Layer 1, head 2", { timeout: 30_000 });
  await page.keyboard.press("Escape");
  await expect(title).toContainText("Layer 0, head 0");
  await page.mouse.click(600, 30); // the host's header
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
  await page.keyboard.press("ArrowRight");
  await expect(title).toContainText("Layer 0, head 1");
});

test("arrows move through heads and layers and say which", async ({ open }) => {
  const frame = await open("ordinary");
  const cursor = panelOf(frame, "all-weights").getByTestId("grid-cursor");
  await cursor.focus();
  await cursor.press("ArrowRight");
  await cursor.press("ArrowDown");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 1, head 1");
  await expect(cursor).toHaveAttribute("aria-label", /layer 1 head 1, entropy [\d.]+ bit, [\d.]+ %/i);
});

test("the scrubber moves every panel", async ({ open, page }) => {
  const frame = await open("ordinary");
  const panel = panelOf(frame, "all-weights");
  await expect(panel.getByTestId("focus-map")).toBeVisible();
  const last = await picture(frame, "all-weights");
  await page.keyboard.press("[");
  await expect(panel.getByTestId("panel-step")).toContainText("80");
  await expect(panelOf(frame, "padding-mistake").getByTestId("panel-step")).toContainText("80");
  await expect.poll(() => picture(frame, "all-weights")).not.toBe(last);
  await page.keyboard.press("]");
  await expect(panel.getByTestId("panel-step")).toContainText("90");
  await expect.poll(() => picture(frame, "all-weights")).toBe(last);
  const slider = frame.getByTestId("scrubber");
  const box = await slider.boundingBox();
  if (box === null) throw new Error("the scrubber has no box");
  await page.mouse.click(box.x + 2, box.y + box.height / 2);
  await expect(panel.getByTestId("panel-step")).toContainText("0");
  await expect(slider).toHaveAttribute("aria-valuetext", /0/);
});

test("space plays through the steps and stops", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.step=0");
  const step = frame.getByTestId("step");
  await expect(step).toContainText("0");
  await frame.locator("body").press("Space");
  await expect(step).not.toHaveText("step 0");
  await frame.locator("body").press("Space");
  const stopped = (await step.textContent()) ?? "";
  await frame.locator("body").press("]");
  await expect(step).not.toHaveText(stopped);
});

test("pins A and B, their difference, and the link that reopens it", async ({ open, page, context }) => {
  const frame = await open("ordinary", "&p.llmdebug.step=0&p.llmdebug.runs=all-weights");
  await expect(frame.getByTestId("panel")).toHaveCount(1);
  await frame.getByTestId("pin-a").click();
  for (let press = 0; press < 9; press += 1) await frame.locator("body").press("]");
  await expect(frame.getByTestId("step")).toContainText("90");
  await frame.getByTestId("pin-b").click();
  await frame.getByTestId("difference").click();
  await expect(frame.locator("[data-testid=panel][data-side=difference]")).toBeVisible();
  await expect(frame.locator("[data-testid=panel][data-side=difference] [data-testid=focus-map]")).toBeVisible();
  const link = await hash(page);
  expect(link).toContain("p.llmdebug.a=0:all-weights");
  expect(link).toContain("p.llmdebug.b=90:all-weights");
  const again = await context.newPage();
  await again.goto(page.url());
  const copy = again.locator("iframe").first().contentFrame();
  await expect(copy.locator("[data-testid=panel][data-side=difference]")).toBeVisible({ timeout: 30_000 });
  await again.close();
  await page.reload();
  await expect(frame.locator("[data-testid=panel][data-side=difference]")).toBeVisible({ timeout: 30_000 });
});

test("a pin of a run that is not there is shown as absent, and a comparison says what stands in for it", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.a=40%3Agone&p.llmdebug.runs=all-weights");
  const pin = frame.getByRole("button", { name: "Pin A: gone, step 40: not in this log directory (any more)" });
  await expect(pin).toHaveAttribute("title", /run gone is not in this log directory .* Click to pin what is shown/);
  await expect(pin.locator("[data-absent=true]")).toHaveText("gone · 40");
  await expect(frame.locator(".axis .pin")).toHaveCount(0);
  await expect(frame.getByTestId("stand-in")).toHaveCount(0);
  await expect(frame.getByTestId("missing")).toHaveText(/“gone”/);
  await frame.getByTestId("difference").click();
  await expect(frame.getByTestId("missing")).toHaveCount(0);
  await expect(frame.getByTestId("stand-in")).toHaveText(
    "A is pinned to gone, step 40, which is not in this log directory (any more); all-weights, step 0 is compared in its place.",
  );
  await pin.click();
  await expect(frame.getByTestId("stand-in")).toHaveCount(0);
  await expect(frame.getByTestId("pin-a").locator("[data-absent=false]")).toHaveText("all-weights · 90");
  await expect(frame.locator(".axis .pin")).toHaveCount(1);
});

test("pointing at a token shows where it looks", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  const text = frame.getByTestId("running-text");
  await expect(text).toContainText("jumps");
  await expect(text).not.toContainText("%");
  await text.getByText("jumps").first().hover();
  await expect(text).toContainText(/“jumps” looks at · .*top \d of \d+ keys, [\d.]+ % of the \w+ drawn/);
  await expect(text.locator("svg path").first()).toBeAttached();
});

test("pointing at a key above the map shows who looks at it", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  const text = frame.getByTestId("running-text");
  await expect(text).toContainText("above the map: who looks at it");
  const box = await frame.locator(".focus-canvas").boundingBox();
  if (box === null) throw new Error("the map has no box");
  await page.mouse.move(box.x + 0.55 * box.width, box.y + 20);
  await expect(text).toContainText(/who looks at “.+” · top \d+ of 10 queries, [\d.]+ % of the weight drawn/);
  await expect(text.locator("svg path").first()).toBeAttached();
});

test("statistics of the head are shown with their definitions", async ({ open }) => {
  const frame = await open("ordinary");
  const statistics = frame.getByTestId("statistics");
  await expect(statistics).toContainText(/entropy/i);
  await expect(statistics.locator("th[scope=row]").first()).toHaveAttribute("title", /.{20,}/);
  const checks = frame.getByTestId("checks").first();
  await expect(checks).toContainText(/not checked/i);
  await expect(checks).toContainText(/passed/i);
});

test("the table says the same without pictures", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await frame.getByTestId("table-toggle").click();
  const table = frame.getByTestId("grid-table");
  await expect(table).toBeVisible();
  await expect(table.getByRole("row")).toHaveCount(1 + 3);
});

test("no number of the table is cut while two runs stand side by side", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights,padding-mistake&p.llmdebug.table=1");
  for (const table of [frame.getByTestId("grid-table").first(), frame.getByTestId("grid-table").last()]) {
    await expect(table.getByRole("row")).toHaveCount(1 + 3);
    expect(await table.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  }
});

test("padding is left out of the maps, unless something looks at it", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights&p.llmdebug.example=1");
  const panel = panelOf(frame, "all-weights");
  const caption = panel.getByTestId("caption");
  await expect(panel.getByTestId("focus-map")).toBeVisible();
  await expect(panel.getByTestId("hatched-padding")).toHaveCount(0);
  await expect(caption).toContainText("large map: padding left out, no weight is on it");
  // Beside a run that does look at it both keep the same columns.
  await frame.locator("[data-testid=run][data-run=padding-mistake]").getByRole("checkbox").check();
  await expect(caption).toContainText("large map: rows of padding left out");
  await expect(panel.getByTestId("hatched-padding")).toHaveText("hatched: padding");
  await expect(panelOf(frame, "padding-mistake").getByTestId("caption")).toContainText("rows of padding left out");
});

test("a dropped map is a gap that is named", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=dropped&p.llmdebug.step=10");
  await expect(frame.getByTestId("no-map")).toContainText(/dropped/i);
  await expect(frame.getByTestId("grid-table")).toBeVisible();
});

test("pooled maps say how they were pooled", async ({ open }) => {
  const frame = await open("large");
  await expect(frame.getByTestId("caption")).toContainText(/max-pooled \d+ × \d+/);
  await expect(frame.getByTestId("focus-map")).toBeVisible();
});

test("examples and runs are chosen in the rail", async ({ open }) => {
  const frame = await open("ordinary");
  await frame.getByTestId("examples").getByRole("button").nth(1).click();
  await expect(panelOf(frame, "all-weights").locator(".token[data-kind=padding]")).toHaveCount(4);
  await frame.locator("[data-testid=run][data-run=upper-layers]").getByRole("checkbox").uncheck();
  await expect(panelOf(frame, "upper-layers")).toHaveCount(0);
  await frame.getByTestId("run-filter").fill("padding");
  await expect(frame.getByTestId("run")).toHaveCount(1);
  await frame.getByTestId("run-filter").fill("(");
  await expect(frame.getByTestId("filter-error")).toBeVisible();
});
