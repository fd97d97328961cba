// Habits: hover previews, click locks, Esc releases; back and forward; many runs; everything by keyboard.
import type { Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

const hash = (page: Page): string => new URL(page.url()).hash;
const shownRuns = (frame: View): Promise<string[]> =>
  frame.getByTestId("panel").evaluateAll((panels) => panels.map((panel) => panel.getAttribute("data-run") ?? ""));

test("the browser's back and forward lead through places, not through steps", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await expect(frame.getByTestId("focus-map").first()).toBeVisible();
  const locator = frame.locator("body");
  await frame.getByTestId("tab-heads").click();
  await expect(frame.getByTestId("view")).toHaveAttribute("data-view", "heads");
  await locator.press("[");
  await locator.press("[");
  await frame.getByTestId("tab-attention").click();
  await frame.getByTestId("examples").getByRole("button").nth(1).click();
  await expect.poll(() => hash(page)).toContain("p.llmdebug.example=1");
  await page.goBack();
  await expect(frame.getByTestId("examples").getByRole("button").first()).toHaveAttribute("aria-pressed", "true");
  await page.goBack();
  await expect(frame.getByTestId("view")).toHaveAttribute("data-view", "heads");
  // The steps were made in this place, and are kept with it.
  await expect(frame.getByTestId("step")).toContainText("70");
  await page.goBack();
  await expect(frame.getByTestId("view")).toHaveAttribute("data-view", "attention");
  await expect(frame.getByTestId("step")).toContainText("90");
  for (let i = 0; i < 3; i += 1) await page.goForward();
  await expect(frame.getByTestId("examples").getByRole("button").nth(1)).toHaveAttribute("aria-pressed", "true");
  // It is still this page, in TensorBoard.
  expect(hash(page)).toMatch(/^#llmdebug&/);
});

test("resting on a run, a name or an example previews it; leaving undoes that; the address stays", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await expect(frame.getByTestId("focus-map").first()).toHaveAttribute("data-stale", "false");
  await page.waitForTimeout(500);
  const before = hash(page);
  const text = frame.getByTestId("running-text").first();
  const first = await text.textContent();
  const example = frame.getByTestId("examples").getByRole("button").nth(1);
  await example.hover();
  await expect(example).toHaveAttribute("data-preview", "true");
  await expect(example).toHaveAttribute("aria-pressed", "false");
  await expect(text).not.toHaveText(first ?? "");
  await frame.getByTestId("tab-attention").hover();
  await expect(text).toHaveText(first ?? "");
  await frame.locator("[data-testid=run][data-run=upper-layers]").hover();
  await expect(frame.getByTestId("panel")).toHaveCount(2);
  expect(await shownRuns(frame)).toEqual(["all-weights", "upper-layers"]);
  await frame.locator("body").press("Escape");
  await expect(frame.getByTestId("panel")).toHaveCount(1);
  await page.waitForTimeout(500);
  expect(hash(page)).toBe(before);
});

test("resting on the scrubber previews a step, leaving undoes that, a click goes there and Esc comes back", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  const step = frame.getByTestId("panel-step");
  await expect(step).toHaveText("step 90");
  await page.waitForTimeout(500);
  const before = hash(page);
  const box = await frame.getByTestId("scrubber").boundingBox();
  if (box === null) throw new Error("the scrubber has no box");
  const middle = { x: box.x + 8 + (box.width - 16) * (40 / 90), y: box.y + box.height / 2 };
  await page.mouse.move(middle.x, middle.y);
  await expect(step).toHaveText("step 40");
  await frame.getByTestId("tab-attention").hover();
  await expect(step).toHaveText("step 90");
  await page.waitForTimeout(500);
  expect(hash(page)).toBe(before);
  await page.mouse.click(middle.x, middle.y);
  await frame.getByTestId("tab-attention").hover();
  await expect(step).toHaveText("step 40");
  await frame.locator("body").press("Escape");
  await expect(step).toHaveText("step 90");
});

test("a click on what was previewed chooses it, and Esc gives it up again", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await frame.locator("[data-testid=run][data-run=upper-layers]").hover();
  await expect(frame.getByTestId("panel")).toHaveCount(2);
  await frame.locator("[data-testid=run][data-run=upper-layers]").getByRole("checkbox").check();
  await frame.getByTestId("tab-attention").hover();
  await expect(frame.getByTestId("panel")).toHaveCount(2);
  await frame.getByTestId("examples").getByRole("button").nth(1).click();
  await frame.locator("body").press("[");
  await expect(frame.getByTestId("step")).toContainText("80");
  await frame.getByTestId("tab-attention").hover();
  await frame.locator("body").press("Escape");
  await expect(frame.getByTestId("step")).toContainText("90");
  await frame.locator("body").press("Escape");
  await expect(frame.getByTestId("examples").getByRole("button").first()).toHaveAttribute("aria-pressed", "true");
});

test("of many runs a few are shown, with the rule; the filter's can be shown and hidden at once", async ({ open, page }) => {
  const frame = await open("strings");
  await expect(frame.getByTestId("run")).toHaveCount(100);
  await expect(frame.getByTestId("runs-by-default")).toContainText(/^[1-3] of 100 shown/);
  await expect(frame.getByTestId("examples")).toBeInViewport();
  // A run whose name is only a space is there to be seen.
  expect(await frame.getByTestId("run").locator("bdi").evaluateAll((names) => names.filter((one) => one.textContent.trim() === "").length)).toBe(0);
  await frame.getByTestId("run-filter").fill("^a");
  const matching = await frame.getByTestId("run").count();
  expect(matching).toBeGreaterThan(0);
  await frame.getByTestId("runs-all").click();
  await expect(frame.getByTestId("runs-by-default")).toHaveCount(0);
  await expect(frame.getByTestId("run").getByRole("checkbox", { checked: true })).toHaveCount(matching);
  await frame.getByTestId("runs-none").click();
  await expect.poll(async () => (await shownRuns(frame)).length).toBeLessThanOrEqual(3);
  await expect(page.locator("iframe").first()).toBeVisible();
});

test("the link that is copied reopens the view, in TensorBoard's frame and outside", async ({ open, page, serve, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const frame = await open("ordinary", "&p.llmdebug.runs=upper-layers&p.llmdebug.layer=1&p.llmdebug.head=2");
  await frame.getByTestId("copy-link").click();
  await expect(frame.getByTestId("toast")).toContainText(/copied|http/);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
  const { url } = await serve("ordinary");
  await page.goto(`${url}data/plugin_entry.html?name=llmdebug#p.llmdebug.view=heads`);
  await expect(page.getByTestId("view")).toHaveAttribute("data-view", "heads", { timeout: 30_000 });
  await page.getByTestId("copy-link").click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
});
